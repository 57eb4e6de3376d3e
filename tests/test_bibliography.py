"""The bibliography: every work can be found by an address, and every citation has its work."""

import json
import re

import pytest
from conftest import ROOT

BOOK = ROOT / "book"
ENTRIES = {
    key: dict(re.findall(r"^\s*(\w+)\s*=\s*[{\"](.*?)[}\"],?\s*$", body, re.MULTILINE))
    for key, body in re.findall(
        r"^@\w+\{(\w+),\n(.*?)^\}", (BOOK / "references.bib").read_text(), re.MULTILINE | re.DOTALL
    )
}
PAGES = sorted([*BOOK.rglob("*.ipynb"), *BOOK.rglob("*.md")])


def prose(path):
    if path.suffix == ".md":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_every_entry_is_read():
    text = (BOOK / "references.bib").read_text()
    assert len(ENTRIES) == len(re.findall(r"^@", text, re.MULTILINE)) > 20


@pytest.mark.parametrize("key", ENTRIES)
def test_every_work_has_an_author_a_title_a_year_and_an_address(key):
    entry = ENTRIES[key]
    assert {"author", "title", "year"} <= set(entry)
    assert re.fullmatch(r"(19|20)\d\d", entry["year"])
    assert {"doi", "url", "eprint"} & set(entry), f"{key} needs a doi, an eprint or a url"
    assert re.fullmatch(r"10\.\d{4,9}/\S+", entry.get("doi", "10.1000/182"))
    assert entry.get("url", "https://").startswith("https://")
    if arxiv := re.search(r"arXiv:(\d{4}\.\d{4,5})", entry.get("note", "")):
        assert arxiv[1] in entry.get("url", arxiv[1]) or "arxiv" not in entry["url"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_every_citation_has_its_work(path):
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", prose(path)) for key in keys.split(",")}
    assert cited <= set(ENTRIES)
