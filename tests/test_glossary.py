"""The glossary: each of its terms is linked where chapters use it, and no chapter links one over and over."""

import json
import re
from collections import Counter

import pytest
from conftest import ROOT

BOOK = ROOT / "book"
GLOSSARY = re.search(r"^:::\{glossary\}\n(.*?)^:::", (BOOK / "reference" / "glossary.md").read_text(), re.M | re.S)[1]
TERMS = re.findall(r"^\S.*$", GLOSSARY, re.MULTILINE)


def links(path):
    """How often a chapter links each term: {term}`word` and {term}`other words <word>`."""
    cells = json.loads(path.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return Counter(re.sub(r".*<(.*)>", r"\1", word) for word in re.findall(r"\{term\}`([^`]+)`", text))


LINKS = {str(path.relative_to(BOOK)): links(path) for path in sorted(BOOK.glob("*/*.ipynb"))}


def test_terms_stand_in_alphabetical_order():
    assert len(TERMS) > 20
    assert sorted(TERMS, key=str.lower) == TERMS


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_linked_from_a_chapter(term):
    assert any(found[term] for found in LINKS.values())


@pytest.mark.parametrize("chapter", LINKS)
def test_a_chapter_links_terms_that_exist_and_none_more_than_twice(chapter):
    assert set(LINKS[chapter]) <= set(TERMS)
    assert max(LINKS[chapter].values(), default=0) <= 2
