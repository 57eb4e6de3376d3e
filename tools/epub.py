"""Turn the built book into an EPUB by pandoc: `make epub`, after which it is _build/book.epub.

All pages are put into one document, in order, from which pandoc makes chapters, contents and formulas (MathML). As in
the PDF, solutions are unfolded, and live figures leave their place to the static figure beside each. Sphinx's own
builder was tried: with widgets in them its pages are not well-formed, and formulas stay TeX.
"""

import posixpath
import re
import sys
import tempfile
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag
from pdf import ROOT, SITE, pages

GONE = "script, style, button, .headerlink, details.hide, .widget-subarea, .page-notes, section#quiz"
STYLE = """
body { line-height: 1.4; }
pre { font-size: 0.8em; white-space: pre-wrap; }
img { max-width: 100%; }
table { border-collapse: collapse; font-size: 0.85em; }
td, th { padding: 0.1em 0.5em; border-bottom: 1px solid #888; text-align: left; }
.admonition { margin: 1em 0; padding: 0.1em 1em; border-left: 0.25em solid #0a7d91; }
.admonition-title { font-weight: bold; }
"""


def bound(site: Path, name: str, places: dict[str, str]) -> Tag:
    """The article of a page, made fit to stand in one document with the others; `places` are the ids of all pages."""
    text = BeautifulSoup((site / f"{name}.html").read_text(), "html.parser")
    article = text.select_one("article.bd-article")
    for tag in article.select(GONE):
        tag.decompose()
    own = places[name]
    seen = set()
    for tag in article.select("[id]"):
        if tag["id"] in seen:  # sphinx-proof calls every proof "proof"
            del tag["id"]
        else:
            seen.add(tag["id"])
            tag["id"] = f"{own}-{tag['id']}"
    for tag in article.select("[role]"):
        del tag["role"]
    for title in article.select(".admonition-title, dt[id]"):  # pandoc drops the attributes of these
        title.wrap(text.new_tag("dt" if title.name == "dt" else "div"))
        title.name = "span" if title.name == "dt" else "strong"
    for tag in article.select("a[href]"):
        path, _, anchor = tag["href"].partition("#")
        if "://" not in path:
            page = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else f"{name}.html"
            place = places.get(page.removesuffix(".html"))
            if place and not anchor.startswith("fig-"):
                tag["href"] = f"#{place}-{anchor}" if anchor else f"#{place}"
            else:
                tag.unwrap()  # to what only the site has, such as a setting of a live figure
    for image in article.select("img"):
        image["src"] = posixpath.normpath(posixpath.join(posixpath.dirname(name), image["src"]))
    for formula in article.select(".math"):
        number = formula.select_one(".eqno")
        if number:
            number.extract()
        display = formula.name == "div"
        tex = text.new_tag("script", type="math/tex; mode=display" if display else "math/tex")
        tex.string = re.sub(r"{\\rm (\w+)}", r"\\mathrm{\1}", formula.get_text().strip()[2:-2])  # pandoc knows no \rm
        formula.replace_with(tex)
        if formula.get("id"):
            tex.wrap(text.new_tag("div", id=formula["id"]))
        if number:
            tex.insert_after(number)
    for block in article.select(".highlight-ipython3 pre"):
        block["class"] = "python"
    for section in reversed(article.select("section")):
        section.name = "div"
        if (title := section.find(["h1", "h2", "h3"], recursive=False)) and section.get("id"):
            title["id"] = section["id"]
        section.unwrap()
    article.h1["id"] = own
    return article


def document(site: Path) -> str:
    """The whole book as one HTML document."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    names = [name for _, name in pages(contents)]
    places = {name: f"page{i}" for i, name in enumerate(names)}
    return "\n".join(bound(site, name, places).decode_contents() for name in names)


def write(site: Path, path: Path) -> None:
    """Write the built book to `path`."""
    import pypandoc  # in an environment of its own, made by `make epub`

    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "style.css").write_text(STYLE)
        (folder / "_images").mkdir()
        for image in (site / "_images").glob("*.svg"):
            # matplotlib gives two equal pictures in one figure one id
            plain = re.sub(r' id="image\w+"', "", image.read_text())
            (folder / "_images" / image.name).write_text(plain)
        options = ["--mathml", "--fail-if-warnings", "--split-level=1", "--toc-depth=2", "--metadata=lang=en"]
        options += [f"--metadata={key}={config[key]}" for key in ("title", "author")]
        options += [f"--css={folder / 'style.css'}", f"--resource-path={folder}:{site}"]
        pypandoc.convert_text(document(site), "epub3", "html", outputfile=str(path), extra_args=options)


if __name__ == "__main__":
    if not (SITE / "index.html").exists():
        sys.exit("the book is not built yet: run 'make book' first")
    write(SITE, ROOT / "_build" / "book.epub")
