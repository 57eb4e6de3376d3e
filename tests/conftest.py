"""Where the repository and its pages are, how hypothesis draws its examples, and a browser for the built book."""

import contextlib
import functools
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
import yaml
from hypothesis import settings
from playwright.sync_api import expect, sync_playwright

# The same examples in every run, and no clock: a slow machine is no failure. Once a week others, and more of them.
settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=50)
settings.register_profile("search", deadline=None, database=None, max_examples=400, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))
expect.set_options(timeout=30_000)  # milliseconds: a busy machine is no failure

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
CONTENTS = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [CONTENTS["root"], *(c["file"] for part in CONTENTS["parts"] for c in part["chapters"])]
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 375, "height": 667}, "has_touch": True}

# what a page is asked, in its own language
MATH_IS_TYPESET = "() => [...document.querySelectorAll('.math')].every(e => e.querySelector('mjx-container'))"
# parts of live figures beyond the edge of the window
CUT_OFF = """() => [...document.querySelectorAll('.live *')]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 90))"""
WIDGETS_ARE_DRAWN = """() => {
  const views = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length;
  const drawn = [...document.querySelectorAll('.widget-subarea > :is(.jupyter-widgets, .lm-Widget)')];
  return drawn.length === views && drawn.every(e => e.offsetHeight > 0);
}"""


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def site():
    assert (SITE / "index.html").exists(), "the book is not built yet: run 'make book' first"
    with serve(SITE) as address:
        yield address


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
        # who leaves a page while its icon is on the way gives the icon up
        page.on("requestfailed", lambda r: note(r.failure != "net::ERR_ABORTED", f"failed: {r.url} {r.failure}"))
        page.on("response", lambda answer: note(answer.status >= 400, f"{answer.status}: {answer.url}"))
        page.goto(address, wait_until="load")
        page.wait_for_function(MATH_IS_TYPESET, timeout=20_000)
        page.wait_for_function(WIDGETS_ARE_DRAWN, timeout=20_000)
        return page, wrong

    yield visit
    for context in contexts:
        context.close()
