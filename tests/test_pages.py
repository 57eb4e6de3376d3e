"""The built book in a real browser that can reach nothing but this machine. Run after `make book`."""

import functools
import gzip
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import axe_playwright_python
import launch_buttons
import pytest
from conftest import DESK, PAGES, PHONE, ROOT, SITE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()

# what a page is asked, in its own language
MATH_FAULTS = "() => [...document.querySelectorAll('mjx-merror')].map(e => e.textContent)"
# a control that would need Python, in a page that has none
DEAD_CONTROLS = """() => [...document.querySelectorAll('.widget-inline-hbox:not(.widget-html), .jupyter-button')]
  .filter(e => e.getClientRects().length).map(e => e.outerHTML.slice(0, 100))"""
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
# unfolds all that is folded and answers every quiz; returns how much that was
UNFOLD = """() => {
  const folds = [...document.querySelectorAll('details:not([open])')];
  const buttons = [...document.querySelectorAll('.toggle-hidden > .admonition-title > .toggle-button')];
  const answers = [...document.querySelectorAll('fieldset.quiz label:last-of-type input')];
  folds.forEach(e => e.open = true);
  [...buttons, ...answers].forEach(e => e.click());
  return folds.length + buttons.length + answers.length;
}"""
OVERFLOWING = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 100)).slice(0, 9)"""

# the relations of a <link> for which a browser asks a server
FETCHED = {"stylesheet", "icon", "apple-touch-icon", "manifest", "preload", "modulepreload", "prefetch"}
FETCHED |= {"preconnect", "dns-prefetch"}

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# the rules of axe-core whose answer depends on the size of the window; the others are asked at a desk
OF_SIZE = ["scrollable-region-focusable", "target-size", "meta-viewport", "css-orientation-lock"]
# docutils writes the entries of a bibliography in the roles of DPUB-ARIA 1.0; its 1.1 has dropped some of them
KNOWN = re.compile(r'(aria-deprecated-role|aria-required-children): <div [^>]*class="citation')


class Page(HTMLParser):
    """Links, anchors, loaded addresses and the own address (if any) of one HTML file."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.anchors, self.loaded, self.canonical = [], {"", "top"}, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and not FETCHED & set(given.get("rel", "").split()):
            self.canonical = given["href"] if given.get("rel") == "canonical" else self.canonical
        elif tag in ("script", "img", "iframe", "source", "link", "video", "audio", "embed", "object"):
            self.loaded += [given[name] for name in ("src", "href", "data") if given.get(name)]


@functools.cache
def parsed(path: Path) -> Page:
    return Page(path.read_text())


def violations(page, rules=LEVELS):
    """What axe-core finds on a page against the success criteria of WCAG 2.2, levels A and AA, or these rules."""
    page.evaluate(AXE)
    # it need not fetch the style sheets again: it would look for the ones they import beside the page
    options = {"runOnly": rules, "preload": False}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    lines = [f"{fault['id']}: {node['html'][:120]}" for fault in found for node in fault["nodes"]]
    return [line for line in lines if not KNOWN.match(line)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_at_a_desk(visit, site, name, scheme):
    page, wrong = visit(f"{site}/{name}.html", site, color_scheme=scheme, **DESK)
    assert page.evaluate(MISSING_IMAGES) == []
    assert page.evaluate(MATH_FAULTS) == []
    assert page.evaluate(DEAD_CONTROLS) == []
    assert page.evaluate(FAINT_WORDS) == []
    assert page.locator("html").get_attribute("data-theme") == scheme
    turned = [value != "none" for value in page.evaluate(FILTERS)]
    assert turned == [scheme == "dark"] * len(turned), "figures are turned in the dark theme, and only there"
    if scheme == "light":  # folded, a page shows no colour that it does not show unfolded
        assert violations(page) == []
    if page.evaluate(UNFOLD):
        page.wait_for_timeout(500)  # the theme takes 300 ms before it looks again for what scrolls
        assert page.locator(".toggle-hidden, details:not([open])").count() == 0
    assert violations(page) == []
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["search.html?q=pairing", "genindex.html"])
def test_page_that_is_no_chapter(visit, site, name, scheme):
    page, wrong = visit(f"{site}/{name}", site, color_scheme=scheme, **DESK)
    if "?" in name:
        page.locator("#search-results li").first.wait_for()
    assert violations(page) == []
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
    page.wait_for_timeout(500)  # as at a desk
    assert violations(page, OF_SIZE) == []
    assert wrong == []


def test_paper_is_white(visit, site):
    page, _ = visit(f"{site}/{PAGES[0]}.html", site, color_scheme="dark", **DESK)
    theme = page.locator("html")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert theme.get_attribute("data-theme") == "light" and set(page.evaluate(FILTERS)) == {"none"}
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert theme.get_attribute("data-theme") == "dark" and "none" not in page.evaluate(FILTERS)


@pytest.mark.parametrize("name", PAGES)
def test_page_without_a_server(visit, name):
    page, wrong = visit((SITE / f"{name}.html").as_uri(), SITE.as_uri())
    assert page.evaluate(MISSING_IMAGES) == []
    assert [line for line in wrong if line.startswith(("page error", "outside"))] == []


def has_anchor(page: Path, anchor: str) -> bool:
    """Whether a page has an element, or a live figure (#fig-name?setting=value), of this name."""
    figure = anchor.partition("?")[0]
    return anchor in parsed(page).anchors or (figure.startswith("fig-") and f'"{figure}"' in page.read_text())


def target(site: Path, source: Path, link: str) -> str:
    """The address that a link of a page leads to.

    The page for missing addresses, shown at any depth, names its links from the top of the server; where on it the
    site stands, the front page's own address says.
    """
    if source.name == "404.html" and link.startswith("/"):
        front = f"{PAGES[0]}.html"
        top = urlsplit(parsed(site / front).canonical).path.removesuffix(front)
        link = re.sub(f"^{re.escape(top)}", f"{site.as_uri()}/", link)
    return urljoin(source.as_uri(), link)


def broken_links(site: Path) -> list[str]:
    """Links of a built site to files or anchors that are not there."""
    broken = []
    for source in site.glob("**/*.html"):
        for link in parsed(source).links:
            address, anchor = urldefrag(target(site, source, link))
            if not address.startswith("file:"):
                continue
            path = Path(unquote(urlsplit(address).path))
            if not (path.is_file() and (path.suffix != ".html" or has_anchor(path, unquote(anchor)))):
                broken.append(f"{source.relative_to(site)}: {link}")
    return broken


def loaded_from_elsewhere(site: Path) -> set[str]:
    """Addresses of other hosts from which a built site loads something."""
    loaded = {address for path in site.glob("**/*.html") for address in parsed(path).loaded}
    return {address for address in loaded if re.match(r"(https?:)?//", address)}


def test_every_internal_link_and_anchor_exists():
    assert broken_links(SITE) == []


def test_nothing_is_loaded_from_another_host():
    assert loaded_from_elsewhere(SITE) == set()


def test_launch_buttons_open_the_repository_of_this_clone():
    links = {link for name in PAGES for link in parsed(SITE / f"{name}.html").links}
    buttons = {link for link in links if link.startswith((launch_buttons.BINDER, launch_buttons.COLAB))}
    if found := launch_buttons.origin(ROOT):
        owner_and_name = found[0].split("/", 3)[3]
        assert all(f"/{owner_and_name}/" in button for button in buttons)
    else:
        assert buttons == set()


def weight(page: Path) -> int:
    """Bytes of a page and of its own pictures, compressed as a server sends them."""
    pictures = {(page.parent / address).resolve() for address in parsed(page).loaded if "_images/" in address}
    return sum(len(gzip.compress(path.read_bytes())) for path in (page, *pictures))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light(name):
    # what the project promises a reader on a telephone; scripts and styles are shared by all pages and cached
    assert weight(SITE / f"{name}.html") < 1_500_000
