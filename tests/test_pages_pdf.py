"""The whole book in one PDF. Run after `make book`."""

import json
import re

import pdf
import pypdf
from conftest import PAGES, ROOT


def test_the_whole_book_is_printed_with_its_links(browser, tmp_path):
    pdf.write(tmp_path / "book.pdf", browser)
    book = pypdf.PdfReader(tmp_path / "book.pdf")
    # text and curves, 15 MB; what Chromium can only print as pictures (shadows, many hatched patches) once made it 64
    assert (tmp_path / "book.pdf").stat().st_size < 20_000_000
    # each page of the site begins on a fresh one; longer than this, something stands alone on pages of its own
    assert 5 * len(PAGES) < len(book.pages) < 15 * len(PAGES)
    # a heading that breaks loses the space there
    titles = {item.title.replace(" ", "") for item in book.outline if not isinstance(item, list)}
    for name in PAGES:
        (source,) = (path for path in ROOT.glob(f"{name}.*") if path.suffix in (".ipynb", ".md"))
        text = source.read_text()
        text = "".join(json.loads(text)["cells"][0]["source"]) if source.suffix == ".ipynb" else text
        heading = re.search("^# (.*)", text, re.MULTILINE)[1]
        assert any(title.endswith(heading.replace(" ", "")) for title in titles), heading
    links = [note.get_object() for page in book.pages for note in page.get("/Annots", [])]
    addresses = {link["/A"]["/URI"] for link in links if "/URI" in link.get("/A", {})}
    assert addresses and all(address.startswith("https://") for address in addresses)
    assert sum("/URI" not in link.get("/A", {}) for link in links) > 5 * len(PAGES)  # chapters lead to each other
