"""Every student notebook run, and nbgrader itself on a chapter that reads results of long runs: `make test-extras`.

Left out where nbgrader is missing.
"""

import shutil
import subprocess
import sys

import assignments
import nbformat
import pytest
from test_assignments import CHAPTERS, CHEAP, run_both

api = pytest.importorskip("nbgrader.api", reason="nbgrader is not in the book's environment: make test-extras")
CHAPTER = "where-descent-ends"


def answers(course, student, solved):
    """Hand in the released notebook with the teacher's answers, or as it came."""
    released = course / "release" / CHAPTER
    shutil.copytree(released, course / "submitted" / student / CHAPTER)
    if solved:
        notebook = nbformat.read(released / f"{CHAPTER}.ipynb", 4)
        source = nbformat.read(course / "source" / CHAPTER / f"{CHAPTER}.ipynb", 4)
        for mine, right in zip(notebook.cells, source.cells, strict=True):
            if mine.metadata.get("nbgrader", {}).get("solution"):
                mine.source = right.source
        nbformat.write(notebook, course / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb")


@pytest.mark.timeout(1800)  # five notebooks are run or turned into pages, each by a process of its own
def test_solutions_get_full_marks_and_empty_answers_none(tmp_path, monkeypatch):
    monkeypatch.setattr(assignments, "TARGET", tmp_path)
    assignments.main()

    def grader(*command):
        subprocess.run([sys.executable, "-m", "nbgrader", *command, CHAPTER], cwd=tmp_path, check=True)

    grader("generate_assignment", "--force")  # in place of what we released ourselves
    answers(tmp_path, "ada", solved=True)
    answers(tmp_path, "bob", solved=False)
    grader("autograde")
    grader("generate_feedback")
    with api.Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        ada, bob = (book.find_submission(CHAPTER, student).notebooks[0].grades for student in ("ada", "bob"))
        judged = [grade for grade in ada if grade.auto_score is not None]
        assert judged and all(grade.auto_score == grade.max_score for grade in judged)
        assert all(grade.needs_manual_grade for grade in ada if grade not in judged)  # words are for the teacher
        assert len(ada) == len(bob) and all(grade.score == 0 for grade in bob)
    for student in ("ada", "bob"):
        assert (tmp_path / "feedback" / student / CHAPTER / f"{CHAPTER}.html").exists()


@pytest.mark.timeout(1800)  # two notebooks, of which the longest takes minutes on a busy machine
@pytest.mark.parametrize("path", [path for path in CHAPTERS if path not in CHEAP], ids=lambda path: path.stem)
def test_solutions_pass_and_empty_answers_fail_in_every_chapter(path, tmp_path):
    run_both(path, tmp_path)
