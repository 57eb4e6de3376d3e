"""Slides for each part of the book, made of its chapters: their goals, statements, figures and recaps, in their order.

As a Sphinx extension this writes slides/PART.html into the site at the end of every build of the whole book. Run as
`python tools/slides.py` after `make book`, or by `make slides`, it prints them to _build/slides/PART.pdf, one a page.
A figure whose cell has the tag `slide` is chosen before those that have not.
"""

import math
import posixpath
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import chromium
import yaml
from bs4 import BeautifulSoup, NavigableString, Tag
from playwright.sync_api import Browser, sync_playwright
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
SESSIONS = "book/teach/sessions"

MOST = 15  # slides of a part
FRAME = 3  # of them are the title, the goals and the questions to discuss
KINDS = ("theorem", "proposition", "definition", "lemma")  # statements, the most important first
LINES = 8.5  # that fit on a slide, as `size` counts them
SMALLEST = 0.7  # size of letters
ABLE = "You will be able to"
NOT_SHOWN = ("try-it", "exercises", "quiz")  # sections whose figures are no slides

DECK = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{part}: slides of the book {book}</title>
<link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/structures.css">
<link rel="stylesheet" href="../_static/slides.css">
{mathjax}
<script defer src="../_static/slides.js"></script>
</head>
<body class="tex2jax_ignore mathjax_ignore">
<main>
{slides}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Page:
    """A page of the built site: its name, its title and its article, whose links lead from the folder of the slides."""

    name: str
    title: str
    article: Tag
    mathjax: str

    @property
    def link(self) -> str:
        """The page's title, leading to it."""
        return f'<a href="../{self.name}.html">{self.title}</a>'


@dataclass(frozen=True)
class Slide:
    """One slide: what kind it is, its heading, its body and what stands at its foot, all as HTML."""

    kind: str
    heading: str
    body: str
    foot: str

    def html(self) -> str:
        """The slide as an element."""
        level = "h1" if self.kind == "title" else "h2"
        heading = f"<{level}>{self.heading}</{level}>"
        return f'<section class="{self.kind}">\n{heading}\n{self.body}\n<footer>{self.foot}</footer>\n</section>'


def read(site: Path, name: str) -> Page:
    """A page of the site, without what only a page can use."""
    text = BeautifulSoup((site / f"{name}.html").read_text(), "html.parser")
    mathjax = [str(script) for script in text.find_all("script") if "mathjax" in str(script).lower()]
    article = text.select_one("article.bd-article")
    for tag in article.select(".headerlink, script, .section-number, button"):
        tag.decompose()
    for attribute in ("href", "src"):
        for tag in article.select(f"[{attribute}]"):
            if not re.match(r"[a-z]+:", tag[attribute]):
                path, mark, anchor = tag[attribute].partition("#")
                target = posixpath.join(posixpath.dirname(name), path) if path else f"{name}.html"
                tag[attribute] = posixpath.join("..", posixpath.normpath(target)) + mark + anchor
    for tag in article.select("[id]"):
        del tag["id"]  # two pages may use the same
    depth = len(Path(name).parts) - 1
    scripts = "\n".join(mathjax).replace("../" * depth + "_static", "../_static")
    return Page(name, article.h1.decode_contents().strip(), article, scripts)


def size(html: str) -> float:
    """The size of letters, at most 1, in which a block fits on a slide, by its number of lines."""
    block = BeautifulSoup(html, "html.parser")
    paragraphs = len(block.select("li, tr, p:not(li p, td p, th p)")) + 4 * len(block.select("div.math"))
    letters = re.sub(r"\\[A-Za-z]+|[{}$_^\\]", "", block.get_text())  # not the commands of TeX
    return min(1, math.sqrt(LINES / (len(letters) / 58 + 0.6 * paragraphs)))


def fitted(html: str) -> str:
    """A block in letters in which it fits."""
    return f'<div class="fitted" style="font-size: {size(html):.2f}em">{html}</div>'


def goals(page: Page) -> list[str]:
    """What a reader of the page will be able to do, point by point."""
    box = first((box for box in page.article.select(".admonition") if ABLE in box.get_text()), page, f"a box {ABLE!r}")
    if points := box.select("li"):
        return [plain(point.decode_contents()) for point in points]
    sentence = next(p for p in box.select("p") if ABLE in p.get_text())
    parts = [""]
    for node in sentence.contents[1:]:
        start, *others = str(node).split(";") if type(node) is NavigableString else [str(node)]
        parts[-1] += start
        parts += others
    return [plain(part) for part in parts]


def plain(point: str) -> str:
    """A point of a list without what joins it to the others.

    >>> plain(" and count them.")
    'count them'
    """
    return re.sub(r"^and |[.;]$", "", re.sub(r"</?p>", "", point).strip())


def statements(page: Page) -> list[tuple[Tag, Slide]]:
    """The theorems, then the propositions, ..., each with its place in the article; not those of many lines."""
    boxes = [box for kind in KINDS for box in page.article.select(f".proof.{kind}") if size(str(box)) > SMALLEST]
    return [(box, Slide("statement", heading(box), fitted(str(box)), page.link)) for box in boxes]


def figures(page: Page) -> list[tuple[Tag, Slide]]:
    """The figures, those with the tag `slide` first, each with its place in the article."""
    cells = [cell for cell in page.article.select(".cell") if cell.select_one(".cell_output img")]
    cells = [cell for cell in cells if slug(heading(cell)) not in NOT_SHOWN]
    slides = []
    for cell in sorted(cells, key=lambda cell: "tag_slide" not in cell["class"]):
        image = cell.select_one(".cell_output img")
        text = escape(image["alt"])
        caption = f'<figcaption aria-hidden="true">{text}</figcaption>'  # the picture itself tells it to screen readers
        body = f'<figure><img src="{image["src"]}" alt="{text}">{caption}</figure>'
        slides.append((cell, Slide("figure", heading(cell), body, page.link)))
    return slides


def first(found: Iterator[Tag], page: Page, what: str) -> Tag:
    """The first of what a chapter must have for its slides.

    Raises:
        ValueError: it has none.
    """
    if (tag := next(found, None)) is None:
        raise ValueError(f"{page.name} must have {what} for the slides, and has none; see CONTRIBUTING.md")
    return tag


def heading(tag: Tag) -> str:
    """The heading of the section that a tag stands in, or of the page."""
    return tag.find_previous(("h1", "h2")).decode_contents().strip()


def slug(text: str) -> str:
    """Words in the form of an anchor.

    >>> slug("Try it")
    'try-it'
    """
    return "-".join(re.findall(r"\w+", text.lower()))


def recap(page: Page) -> Slide:
    """The recap of a chapter."""
    title = first((h2 for h2 in page.article.select("h2") if slug(h2.get_text()) == "recap"), page, "a section 'Recap'")
    return Slide("recap", page.title, fitted(str(title.find_next("ul"))), f"<span>Recap of {page.link}</span>")


def chapter(page: Page, most: int) -> list[Slide]:
    """At most so many slides of a chapter: its first statements and figures, in reading order, and the recap."""
    ranked = [(rank, *found) for kind in (statements, figures) for rank, found in enumerate(kind(page))]
    chosen = sorted(ranked, key=lambda item: item[0])[: most - 1]
    place = {id(tag): index for index, tag in enumerate(page.article.find_all(True))}
    return [*(slide for _, tag, slide in sorted(chosen, key=lambda item: place[id(item[1])])), recap(page)]


def questions(sessions: Page, names: list[str]) -> list[str]:
    """What the plans of the sessions that treat these pages give to discuss."""
    asked = []
    for section in sessions.article.select("section section"):
        links = {link["href"] for link in section.p.select("a")}
        if links & {f"../{name}.html" for name in names}:
            (text,) = (p for p in section.select("p") if p.get_text().startswith("To discuss."))
            asked.append(re.sub(r"<strong>.*?</strong>", "", text.decode_contents()))
    return asked


def deck(site: Path, part: dict, book: str) -> str:
    """The slides of a part, as one HTML page."""
    names = [entry["file"] for entry in part["chapters"]]
    pages = [read(site, name) for name in names]
    listed = "\n".join(f"<li>{page.link}</li>" for page in pages)
    able = [goal for page in pages for goal in goals(page)[: max(1, 6 // len(pages))]]
    discussed = questions(read(site, SESSIONS), names)
    made = escape(book)
    slides = [
        Slide("title", escape(part["caption"]), f"<ul>{listed}</ul>", made),
        Slide("goals", ABLE, fitted(bullets(able)), made),
        *(slide for page in pages for slide in chapter(page, (MOST - FRAME) // len(pages))),
        Slide("discussion", "To discuss", fitted(bullets(discussed)), made),
    ]
    html = "\n".join(slide.html() for slide in slides)
    return DECK.format(part=escape(part["caption"]), book=made, mathjax=pages[0].mathjax, slides=html)


def bullets(points: list[str]) -> str:
    """A list."""
    return "<ul>" + "\n".join(f"<li>{point.strip()}</li>" for point in points) + "</ul>"


def parts(site: Path) -> Iterator[tuple[str, dict]]:
    """The parts with numbered chapters whose pages are all there, by the names of their folders."""
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]:
        names = [entry["file"] for entry in part["chapters"]]
        if part.get("numbered") and all((site / f"{name}.html").exists() for name in (*names, SESSIONS)):
            yield Path(names[0]).parent.name, part


def write(site: Path, book: str) -> None:
    """Write the slides of all parts into a built site."""
    for name, part in parts(site):
        (site / "slides").mkdir(exist_ok=True)
        (site / "slides" / f"{name}.html").write_text(deck(site, part, book))


def print_deck(browser: Browser, source: Path, target: Path) -> None:
    """Print slides to a PDF of one slide a page."""
    page = browser.new_page()
    page.goto(source.as_uri(), wait_until="load")
    page.evaluate("() => MathJax.startup.promise")
    page.pdf(path=target, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    page.close()


def main() -> None:
    """Print the slides of the built book."""
    if not (SITE / "slides").exists():
        sys.exit("the book is not built yet: run 'make book' first")
    executable = chromium.find() or sys.exit(chromium.HELP)
    folder = ROOT / "_build" / "slides"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for name, _ in parts(SITE):
            print_deck(browser, SITE / "slides" / f"{name}.html", folder / f"{name}.pdf")
        browser.close()
    print(f"{len(list(parts(SITE)))} parts in {folder.relative_to(ROOT)}, and as pages in _build/html/slides")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write the slides at the end of a build of the site."""
    if error is None and app.builder.format == "html":
        write(Path(app.outdir), app.config.html_title)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    main()
