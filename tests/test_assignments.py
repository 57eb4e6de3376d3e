"""Student notebooks: no solution in them, a check for each answer a program can judge; solutions pass, dots fail."""

import assignments
import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

from dufm_lib import checks

CHAPTERS = assignments.chapters()


def grades(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_release_asks_everything_and_tells_nothing(path):
    chapter = nbformat.read(path, 4)
    release = assignments.assignment(chapter, with_solution=False)
    source = assignments.assignment(nbformat.read(path, 4), with_solution=True)
    nbformat.validate(release)
    nbformat.validate(source)
    text = "\n".join(cell.source for cell in release.cells)
    assert "{solution-" not in text and "### BEGIN" not in text and ".ipynb)" not in text
    exercises = {
        line.split()[1] for cell in chapter.cells for line in cell.source.splitlines() if "{solution-st" in line
    }
    assert {name.removesuffix("-answer") for name in grades(release)} == exercises
    assert grades(release).keys() == grades(source).keys()
    for label in exercises & set(checks.ANSWERS):
        assert grades(release)[label].metadata.nbgrader.locked
        assert grades(release)[f"{label}-answer"].source == "answer = ...  # yours"
        assert "\nanswer = " in grades(source)[f"{label}-answer"].source


def run(notebook):
    """The grade ids of the cells that raise, when all are run."""
    NotebookClient(notebook, allow_errors=True, timeout=120, resources={"metadata": {"path": ROOT / "book"}}).execute()
    failed = [c for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
    return {cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in failed}


def test_solutions_pass_and_empty_answers_fail():
    chapter = nbformat.read(ROOT / "book" / "index.ipynb", 4)
    release = assignments.assignment(chapter, with_solution=False)
    asked = {name for name, cell in grades(release).items() if cell.metadata.nbgrader.locked}
    assert len(asked) == 3
    assert run(release) == asked
    assert run(assignments.assignment(chapter, with_solution=True)) == set()


def test_a_solution_that_forgets_its_check_is_found():
    with pytest.raises(ValueError, match="must call checks"):
        assignments.answered("answer = 2", "ex-index-rank")
