"""Sphinx extension: what every page says of itself at its end: when and with what it ran, how to cite and to run it.

None of it is typed: run times come from myst-nb's own record, names and version from CITATION.cff, addresses from git's
origin or from SITE_URL.
"""

import os
import time
from html import escape
from pathlib import Path

import launch_buttons
import provenance
from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx

MORE = {
    "book/reference/glossary": "Glossary",
    "book/reference/status": "How all pages ran",
    "book/reference/accessibility": "Accessibility",
}
WHOLE = {"book.pdf": "PDF", "book.epub": "EPUB", "book.zip": "pages to unpack and read without a network"}
COLAB_HINT = "Open on Colab; run first the cell that stands at the foot of this page"


def duration(seconds: float) -> str:
    """A time in whole seconds, or minutes.

    >>> [duration(seconds) for seconds in (0.2, 12.7, 119.9, 200)]
    ['1 second', '13 seconds', '2 minutes', '3 minutes']
    """
    number, unit = (max(1, round(seconds)), "second") if seconds < 100 else (round(seconds / 60), "minute")
    return f"{number} {unit}{'s' * (number > 1)}"


def made(root: Path, record: dict | None) -> str:
    """The sentence on when and with what; `record` is myst-nb's of an executed page."""
    listed = ", ".join(f"{name} {version}" for name, version in provenance.versions().items())
    when = provenance.day(record["mtime"] if record else time.time())
    did = f"Executed on {when} in {duration(record['runtime'])}" if record else f"Built on {when}"
    at = provenance.commit(root)
    return f"{did}, with {listed}" + (f", from commit {at}." if at else ".")


def address(page: str, root: Path) -> str | None:
    """Where the page can be read: on the site it is built for, else in the repository it is built from."""
    if site := os.environ.get("SITE_URL"):
        return f"{site.rstrip('/')}/{page}.html"
    found = launch_buttons.origin(root)
    return found[0] if found else None


def downloads() -> str:
    """Where a published site offers the whole book (`make downloads`); nothing without an address."""
    if not (site := os.environ.get("SITE_URL")):
        return ""
    links = [f'<a href="{site.rstrip("/")}/download/{file}">{name}</a>' for file, name in WHOLE.items()]
    return f"<p>The whole book to take along: {' · '.join(links)}</p>"


def code(text: str) -> str:
    """A block that sphinx-copybutton finds."""
    return f'<div class="highlight notranslate"><pre>{escape(text)}</pre></div>'


def cite(root: Path, page: str, title: str) -> str:
    """The box that says how to cite the page and the paper."""
    book = provenance.citation(root)
    where = f"https://doi.org/{book['doi']}" if "doi" in book else address(page, root)
    paper = book["references"][0]
    named = escape(title if title.endswith("?") else f"{title}.")
    return f"""<details><summary>Cite this page</summary>
<p>{escape(provenance.names(book["authors"]))} ({provenance.year(book)}). {named}
In <cite>{escape(book["title"])}</cite>, version {book["version"]}.{f" {escape(where)}" if where else ""}</p>
<p>The paper the book retells: {escape(provenance.names(paper["authors"]))} ({paper["year"]}). {escape(paper["title"])}.
<cite>{escape(paper["collection-title"])}</cite>. <a href="{paper["url"]}">{paper["url"]}</a></p>
{code(provenance.bibtex(root, page, title, where))}</details>"""


def colab(root: Path, page: str) -> str:
    """The box with Colab's first cell, where the repository is one that Colab can open."""
    found = launch_buttons.origin(root)
    if not found or "colab_url" not in launch_buttons.theme_options(*found)["launch_buttons"]:
        return ""
    cell = launch_buttons.colab_cell(*found, page)
    return f"""<details><summary>Run this page on Colab</summary>
<p>Open it with the rocket button; then put this into a cell above all others and run it first.</p>
{code(cell)}</details>"""


def add(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Append the notes to the page's text, and let Colab's button speak of them."""
    if doctree is None:
        return
    for button in (button for group in context.get("header_buttons", ()) for button in group.get("buttons", ())):
        if button.get("text") == "Colab":
            button["tooltip"] = COLAB_HINT
    root, record = Path(app.srcdir), NbMetadataCollector.get_exec_data(app.env, page)
    title = app.env.titles[page].astext()
    links = [
        f'<a href="{context["pathto"](name)}">{text}</a>' for name, text in MORE.items() if name in app.env.all_docs
    ]
    context["body"] += f"""<section class="page-notes" aria-label="About this page">
<p>{" ".join([escape(made(root, record)), " · ".join(links)])}</p>
{downloads() if page == app.config.root_doc else ""}
{cite(root, page, title)}
{colab(root, page) if record else ""}
</section>"""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("html-page-context", add, priority=600)  # after the theme has made its buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}
