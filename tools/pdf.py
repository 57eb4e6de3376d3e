"""Print the built book into one PDF with a Chromium: `python tools/pdf.py` after `make book`, or `make pdf`.

All pages of the table of contents are put into one document, in order, and printed once: so links between chapters
stay links, page numbers run through, and the headings become the outline. Solutions are unfolded; live figures, which
paper cannot show, leave their place to the static figure that stands beside each.
"""

import functools
import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import chromium
import yaml
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"

# Called with [[part or null, page], ...]; puts the pages' articles in the place of the one that is shown.
BIND = r"""async pages => {
  const book = document.createElement('main');
  const place = page => new URL(page + '.html', location.origin);
  const names = new Map(pages.map(([part, page], i) => [place(page).pathname, `page${i}`]));
  const contents = document.createElement('nav');
  document.title = document.querySelector('.navbar-brand .title').textContent;
  contents.append(Object.assign(document.createElement('h1'), {className: 'book-title', textContent: document.title}));
  book.append(contents);
  for (const [part, page] of pages) {
    const address = place(page);
    const text = await (await fetch(address)).text();
    const article = new DOMParser().parseFromString(text, 'text/html').querySelector('article.bd-article');
    const own = names.get(address.pathname);
    const gone = 'script, details.hide, .widget-subarea, .headerlink, button, #quiz';
    article.querySelectorAll(gone).forEach(e => e.remove());
    // code: what has the colour of the text needs no element, of which each would be tagged for itself
    article.querySelectorAll('.highlight :is(.n, .nn, .p, .w)').forEach(e => e.replaceWith(...e.childNodes));
    article.normalize();
    article.querySelectorAll('.dropdown').forEach(e => e.classList.remove('dropdown', 'toggle-hidden'));
    article.querySelectorAll('[id]').forEach(e => { e.id = `${own}-${e.id}`; });
    article.querySelectorAll('img').forEach(e => {
      e.src = new URL(e.getAttribute('src'), address);
      e.loading = 'eager';
    });
    article.querySelectorAll('a[href]').forEach(e => {
      const target = new URL(e.getAttribute('href'), address), page = names.get(target.pathname);
      const anchor = decodeURIComponent(target.hash.slice(1));
      if (page) e.setAttribute('href', '#' + page + (anchor && '-' + anchor));
      else if (target.origin === location.origin) e.replaceWith(...e.childNodes);
    });
    article.id = own;
    const title = article.querySelector('h1').textContent.trim();
    if (part) contents.append(Object.assign(document.createElement('p'), {textContent: part}));
    contents.append(Object.assign(document.createElement('a'), {href: `#${own}`, textContent: title}));
    book.append(article);
  }
  document.body.replaceChildren(book);
  document.documentElement.dataset.theme = 'light';
  await MathJax.typesetPromise([book]);
  await Promise.all([...document.images].map(e => e.decode()));
}"""

STYLE = """
  html { font-size: 13px; }
  html { --pst-color-shadow: transparent !important; } /* a shadow is printed as a picture as wide as the page */
  * { overflow: visible !important; } /* paper cannot scroll */
  body { display: block; }
  main { max-width: none; }
  article.bd-article { break-before: page; padding: 0; }
  nav > p { margin: 1.5rem 0 0.25rem; font-weight: bold; }
  nav > a { display: block; }
  .book-title { margin: 8rem 0 4rem; }
  h1, h2, h3, h4 { break-after: avoid; }
  figure, img, table, mjx-container[display="true"], .admonition-title { break-inside: avoid; }
  pre { white-space: pre-wrap; overflow: visible; }
  .bd-content :is(div.math, .cell_output, .widget-subarea), div.math, .cell_output { overflow: visible; }
"""

FOOTER = '<p style="width: 100%; font-size: 8px; text-align: center"><span class="pageNumber"></span></p>'
MARGINS = {"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"}


def pages(contents: dict) -> list[tuple[str | None, str]]:
    """The pages in reading order, the first of each part with the part's caption; the root is the site's index."""
    listed: list[tuple[str | None, str]] = [(None, contents["root"])]
    for part in contents["parts"]:
        captions = [part["caption"], *[None] * (len(part["chapters"]) - 1)]
        listed += [(caption, chapter["file"]) for caption, chapter in zip(captions, part["chapters"], strict=True)]
    return listed


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address under which this machine, and no other, sees a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write(path: Path, browser: Browser) -> None:
    """Print the built book to `path`."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    with served(SITE) as address:
        page = browser.new_page(color_scheme="light")
        page.goto(f"{address}/{contents['root']}.html", wait_until="load")
        page.wait_for_function("() => window.MathJax?.typesetPromise")
        page.evaluate(BIND, pages(contents))
        page.add_style_tag(content=STYLE)
        page.pdf(
            path=path,
            format="A4",
            margin=MARGINS,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        page.close()


def main() -> None:
    """Print the book to _build/book.pdf."""
    if not (SITE / "index.html").exists():
        sys.exit("the book is not built yet: run 'make book' first")
    executable = chromium.find() or sys.exit(chromium.HELP)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        write(ROOT / "_build" / "book.pdf", browser)
        browser.close()


if __name__ == "__main__":
    main()
