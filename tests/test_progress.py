"""The bar of `descent.train(progress=True)` in a notebook: a widget, and no text of a terminal."""

import nbformat
from nbclient import NotebookClient

CELL = """
from dufm_lib import Problem, descent
descent.train(Problem(4, 2, 2, 8, 0.01), steps=300, progress=True)
"""


def test_a_notebook_gets_a_bar_of_its_own():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120).execute()
    outputs = notebook.cells[0].outputs
    assert [output.output_type for output in outputs] == ["display_data", "execute_result"]
    assert "application/vnd.jupyter.widget-view+json" in outputs[0].data
    models = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (bar,) = [each["state"] for each in models if each["model_name"] == "FloatProgressModel"]
    assert (bar["value"], bar["max"]) == (300, 300)
    texts = [each["state"]["value"] for each in models if each["model_name"] == "HTMLModel"]
    assert any("300/300" in text and "lowest" in text for text in texts)
