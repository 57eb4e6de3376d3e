"""The bibliography: every work has a DOI or a reason to have none, and every citation has its work."""

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
# Neither publisher nor arXiv has registered one; an address has to do.
WITHOUT_DOI = {
    "srebro2004maximum": "NeurIPS gives no DOIs, and it is not on arXiv",
    "dai2021representation": "NeurIPS gives no DOIs, and it is not on arXiv",
    "rangamani2023feature": "PMLR gives no DOIs, and it is not on arXiv",
    "krizhevsky2009learning": "a technical report",
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
def test_every_work_has_an_author_a_title_a_year_and_a_doi(key):
    entry = ENTRIES[key]
    assert {"author", "title", "year"} <= set(entry)
    assert re.fullmatch(r"(19|20)\d\d", entry["year"])
    assert entry.get("url", "https://").startswith("https://")
    if key in WITHOUT_DOI:
        assert "doi" not in entry and "url" in entry, f"{key}: strike it from the list, or give its address"
        return
    assert re.fullmatch(r"10\.\d{4,9}/\S+", entry.get("doi", "")), f"{key} needs a doi"
    if arxiv := re.fullmatch(r"10\.48550/arXiv\.(.*)", entry["doi"]):
        assert re.fullmatch(r"\d{4}\.\d{4,5}", arxiv[1]) and f"arXiv:{arxiv[1]}" in entry["note"]


def test_the_exceptions_are_works_of_the_bibliography():
    assert set(WITHOUT_DOI) <= set(ENTRIES)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_every_citation_has_its_work(path):
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", prose(path)) for key in keys.split(",")}
    assert cited <= set(ENTRIES)
