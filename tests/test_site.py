"""The built book in a real browser that can reach nothing but this machine. Run after `make book`."""

import functools
import http.server
import re
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import chromium
import launch_buttons
import pytest
import yaml
from conftest import ROOT
from playwright.sync_api import sync_playwright

SITE = ROOT / "_build" / "html"
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [CONTENTS["root"], *(c["file"] for part in CONTENTS["parts"] for c in part["chapters"])]
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True}

# what a page is asked, in its own language
MATH_IS_TYPESET = "() => [...document.querySelectorAll('.math')].every(e => e.querySelector('mjx-container'))"
MATH_FAULTS = "() => [...document.querySelectorAll('mjx-merror')].map(e => e.textContent)"
WIDGETS_ARE_DRAWN = """() => {
  const views = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length;
  const drawn = [...document.querySelectorAll('.widget-subarea > .jupyter-widgets')];
  return drawn.length === views && drawn.every(e => e.offsetHeight > 0);
}"""
HIDDEN_SLIDERS = """() => [...document.querySelectorAll('.widget-slider')]
  .filter(e => !e.querySelector('.noUi-handle')?.getClientRects().length).length"""
MISSING_IMAGES = """async () => {
  const images = [...document.querySelectorAll('img')];
  images.forEach(e => e.loading = 'eager');
  return (await Promise.all(images.map(e => e.decode().then(() => null, () => e.src)))).filter(Boolean);
}"""
ALTERNATIVES = """() => [...document.querySelectorAll('article.bd-article img')]
  .filter(e => !e.closest('.jupyter-widgets')).map(e => e.alt)"""
FILTERS = "() => [...document.querySelectorAll('.cell_output img')].map(e => getComputedStyle(e).filter)"
# WCAG contrast of the widgets' words with the page behind them
FAINT_WORDS = """() => {
  const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
  const page = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('.widget-label, .widget-readout, .widget-html-content')].filter(e => {
    const word = light(getComputedStyle(e).color);
    return Math.max(word, page) / Math.min(word, page) < 4.5;
  }).map(e => e.textContent);
}"""
OVERFLOWING = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 100)).slice(0, 9)"""


class Page(HTMLParser):
    """Links, anchors and loaded addresses of one HTML file."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.anchors, self.loaded = [], {"", "top"}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "iframe", "source", "link", "video", "audio", "embed", "object"):
            self.loaded += [given[name] for name in ("src", "href", "data") if given.get(name)]


@functools.cache
def parsed(path: Path) -> Page:
    return Page(path.read_text())


@pytest.fixture(scope="session")
def site():
    assert (SITE / "index.html").exists(), "the book is not built yet: run 'make book' first"

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    path = chromium.find()
    assert path, chromium.HELP
    # no host name but our own address can be resolved: what a page asks of the outside fails, and is seen
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", offline])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """A function that opens an address, waits for formulas and widgets, and returns (page, complaints)."""
    contexts = []

    def visit(address: str, own: str, **settings):
        contexts.append(browser.new_context(**settings))
        page, wrong = contexts[-1].new_page(), []

        def note(holds: bool, text: str):
            if holds:
                wrong.append(text)

        page.on("console", lambda message: note(message.type == "error", f"console: {message.text}"))
        page.on("pageerror", lambda error: note(True, f"page error: {error}"))
        page.on("request", lambda r: note(not r.url.startswith((own, "data:", "blob:")), f"outside: {r.url}"))
        page.on("requestfailed", lambda request: note(True, f"failed: {request.url}"))
        page.on("response", lambda answer: note(answer.status >= 400, f"{answer.status}: {answer.url}"))
        page.goto(address, wait_until="load")
        page.wait_for_function(MATH_IS_TYPESET, timeout=20_000)
        page.wait_for_function(WIDGETS_ARE_DRAWN, timeout=20_000)
        return page, wrong

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_at_a_desk(visit, site, name, scheme):
    page, wrong = visit(f"{site}/{name}.html", site, color_scheme=scheme, **DESK)
    assert page.evaluate(MISSING_IMAGES) == []
    assert page.evaluate(MATH_FAULTS) == []
    assert page.evaluate(HIDDEN_SLIDERS) == 0
    assert page.evaluate(FAINT_WORDS) == []
    assert page.locator("html").get_attribute("data-theme") == scheme
    turned = [value != "none" for value in page.evaluate(FILTERS)]
    assert turned == [scheme == "dark"] * len(turned), "figures are turned in the dark theme, and only there"
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_phone(visit, site, name):
    page, wrong = visit(f"{site}/{name}.html", site, **PHONE)
    assert page.evaluate(OVERFLOWING) == []
    for text in page.evaluate(ALTERNATIVES):
        # a file name is one word; a description takes more
        assert len(text.split()) >= 3, f"a picture is described by {text!r} only"
    for solution in page.locator(".solution.dropdown").all():
        assert "toggle-hidden" in solution.get_attribute("class")
        solution.locator(".toggle-button").click()
        assert "toggle-hidden" not in solution.get_attribute("class")
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_page_without_a_server(visit, name):
    page, wrong = visit((SITE / f"{name}.html").as_uri(), SITE.as_uri())
    assert page.evaluate(MISSING_IMAGES) == []
    assert [line for line in wrong if line.startswith(("page error", "outside"))] == []


def test_every_internal_link_and_anchor_exists():
    broken = []
    for source in SITE.glob("**/*.html"):
        for link in parsed(source).links:
            address, anchor = urldefrag(urljoin(source.as_uri(), link))
            if not address.startswith("file:"):
                continue
            target = Path(unquote(urlsplit(address).path))
            exists = target.is_file() and (target.suffix != ".html" or unquote(anchor) in parsed(target).anchors)
            if not exists:
                broken.append(f"{source.relative_to(SITE)}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host():
    loaded = {address for path in SITE.glob("**/*.html") for address in parsed(path).loaded}
    assert {address for address in loaded if re.match(r"(https?:)?//", address)} == set()


def test_launch_buttons_open_the_repository_of_this_clone():
    links = {link for name in PAGES for link in parsed(SITE / f"{name}.html").links}
    buttons = {link for link in links if link.startswith((launch_buttons.BINDER, launch_buttons.COLAB))}
    if found := launch_buttons.origin(ROOT):
        owner_and_name = found[0].split("/", 3)[3]
        assert all(f"/{owner_and_name}/" in button for button in buttons)
    else:
        assert buttons == set()
