"""The notes at the foot of every built page, and the table of executions. Run after `make book`."""

import re
from html import unescape

import nbformat
import pytest
from conftest import DESK, PAGES, PHONE, ROOT, SITE
from page_notes import COLAB_HINT
from playwright.sync_api import expect
from test_pages import OVERFLOWING, violations

NOTES = re.compile(r'<section class="page-notes".*?</section>', re.DOTALL)
MADE = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}.*, with Python 3\.\d+\.\d+, PyTorch \d.*, dufm_lib \d+\.\d+\.\d+")
NOTEBOOKS = [page for page in PAGES if (ROOT / f"{page}.ipynb").exists()]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_when_and_with_what_it_was_made_and_how_to_cite_it(name):
    text = (SITE / f"{name}.html").read_text()
    (notes,) = NOTES.findall(text)
    words = unescape(re.sub(r"<[^>]+>", "", notes))
    assert MADE.search(words)
    assert ("Executed on" in words) == (name in NOTEBOOKS)
    assert "@incollection{dufm-book-" in words and "@inproceedings{garrod2025persistence," in words
    # who opens the page on Colab is told of the cell, and the cell is there
    assert ("//colab." in text) == ("Run this page on Colab" in words) == (COLAB_HINT in text)
    for linked in ("glossary.html", "status.html", "accessibility.html"):
        assert linked in notes or name.endswith(linked.removesuffix(".html"))


def test_every_notebook_is_in_the_table_of_executions(visit, site):
    page, wrong = visit(f"{site}/book/reference/status.html", site, **DESK)
    table = page.locator("table.executions")
    lines = [row.locator("th, td").all_inner_texts() for row in table.locator("tbody tr").all()]
    links = [link.get_attribute("href") for link in table.locator("tbody a").all()]
    assert len(links) == len(NOTEBOOKS) == len(lines) - 1
    assert all(f"/{name}.html".endswith(link.replace("..", "")) for name, link in zip(NOTEBOOKS, links, strict=True))
    assert {line[1] for line in lines[:-1]} == {"passed"}
    cells = [[int(number) for number in line[2:]] for line in lines]
    assert [sum(column) for column in zip(*cells[:-1], strict=True)] == cells[-1]
    for name, (_, code, _) in zip(NOTEBOOKS, cells, strict=False):
        notebook = nbformat.read(ROOT / f"{name}.ipynb", 4)
        assert code == sum(cell.cell_type == "code" for cell in notebook.cells)
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_boxes_open_by_the_keyboard_and_stay_accessible(visit, site, scheme):
    page, wrong = visit(f"{site}/{NOTEBOOKS[1]}.html", site, color_scheme=scheme, **PHONE)
    for summary in page.locator(".page-notes summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    cite = page.locator(".page-notes details").first
    expect(cite.locator("pre")).to_be_visible()
    expect(cite.locator("button.copybtn")).to_be_attached()
    assert page.evaluate(OVERFLOWING) == []
    assert violations(page) == []
    assert wrong == []
