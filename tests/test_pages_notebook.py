"""A live figure in Notebook 7: keys, a run with PyTorch, nothing asked of the outside. `make test-extras`.

Left out where the package notebook is missing: the book's environment has JupyterLab.
"""

import re

import pytest
from jupyter_books import serve_book
from playwright.sync_api import expect

pytest.importorskip("notebook", reason="notebook is not in the book's environment: make test-extras")


CELLS = ["from dufm_lib.widgets import puzzle", "puzzle.Puzzle()"]


def test_a_figure_answers_and_runs(tmp_path, browser):
    with serve_book("notebook", tmp_path, browser, CELLS) as server:
        notebook = server.open("figures.ipynb")
        notebook.run_all()
        figure = notebook.figure("Is collapse worth its loss?")
        figure.locator("[data-name=K] input[type=range]").press("ArrowLeft")
        expect(figure.locator(".live-words")).to_contain_text("for K = 5")
        figure.locator(".live-run").click()
        expect(figure.locator(".live-status")).to_contain_text(re.compile(r"^Of \d+ runs at width 20, "))
        assert notebook.wrong == []
        notebook.page.context.close()
