"""Student notebooks: no solution in them, a check for each answer a program can judge; solutions pass, dots fail."""

import builtins
import re
import symtable

import assignments
import nbformat
import plain_markdown
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from dufm_lib import checks

CHAPTERS = assignments.chapters()
NAMES = assignments.names()
CHEAP = [path for path in CHAPTERS if path.stem in ("index", "deep-model")]  # test_nbgrader runs the others
MYST = re.compile(r"^\s*(?:`{3,}|:{3,})\{|^:\w+:|\{[\w:]+\}`|\$\$ \(", re.MULTILINE)


def versions(path):
    """The student's and the teacher's version of a chapter."""
    return [assignments.assignment(nbformat.read(path, 4), NAMES, with_solution) for with_solution in (False, True)]


def grades(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_release_asks_everything_and_tells_nothing(path):
    release, source = versions(path)
    nbformat.validate(release)
    nbformat.validate(source)
    text = "\n".join(cell.source for cell in release.cells)
    assert "{solution-" not in text and "### BEGIN" not in text and ".ipynb)" not in text and ".md)" not in text
    asked, places, solved = assignments.exercises(nbformat.read(path, 4)), grades(release), grades(source)
    assert asked and places.keys() == solved.keys()
    assert {name.removesuffix("-answer").removesuffix("-work").removesuffix("-words") for name in places} == set(asked)
    for label, exercise in asked.items():
        grade = next(word for word in assignments.POINTS if f"({word})" in exercise.title + exercise.body)
        cells = [places[name].metadata.nbgrader for name in (label, f"{label}-words") if name in places]
        given = {cell.points for cell in cells}
        assert given == {assignments.POINTS[grade]}
        assert (label in places) == (label in checks.ANSWERS)
        if label in checks.ANSWERS:
            assert places[label].metadata.nbgrader.locked
            assert places[f"{label}-answer"].source == "answer = ...  # yours"
            assert "\nanswer = " in solved[f"{label}-answer"].source
        else:
            assert places[f"{label}-words"].cell_type == "markdown" and f"{label}-words" in places
            assert places[f"{label}-work"].cell_type == "code" and places[f"{label}-work"].source == "# your work"
            assert not places[f"{label}-work"].metadata.nbgrader.grade
            assert "assert" in solved[f"{label}-work"].source  # the code of the solution, and not as text:
            assert "assert " not in solved[f"{label}-words"].source


@pytest.mark.parametrize(
    ("label", "asks"), [("ex-landscape-polygon", True), ("ex-imb-weights", True), ("ex-dynamics-cube", False)]
)
def test_what_asks_for_a_reason_has_a_place_for_it(label, asks):
    (path,) = [path for path in CHAPTERS if f":label: {label}\\n" in path.read_text()]
    release, source = map(grades, versions(path))
    assert (f"{label}-words" in release) == asks
    if asks:
        assert release[f"{label}-words"].metadata.nbgrader.grade and len(source[f"{label}-words"].source) > 100


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_any_notebook_shows_the_text(path):
    for notebook in versions(path):
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                assert not MYST.search(cell.source), cell.source
                for line in re.findall(r"^> .*", cell.source, re.MULTILINE):
                    assert line.count("$") % 2 == 0, line  # no formula goes on behind the next >


def test_boxes_become_quotations():
    names = plain_markdown.Names({"thm-a": ("Here", "Theorem (A)"), "eq-a": ("There", "(3)")}, {})
    text = "```{prf:theorem} A\n:label: thm-a\n\nLet\n\n$$\nx\n= 1\n$$\n```\n\nBy {prf:ref}`thm-a` and {eq}`eq-a`."
    assert plain_markdown.plain(text, names, "Here") == (
        "**Theorem (A)**\n\n> Let\n>\n> $$ x = 1 $$\n\nBy Theorem (A) and (3) of the chapter *There*."
    )
    begun = "```{exercise-start} Two\n:label: ex-two\n```\n\nWhy?\n\n```{exercise-end}\n```"
    assert plain_markdown.plain(begun, names, "Here") == "**Exercise ex-two (Two)**\n\n> Why?"


def taken(table):
    """Names that a piece of code takes from outside, inside functions and comprehensions too."""
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and symbol.is_global()}
    return names.union(*map(taken, table.get_children()))


def undefined(cells):
    """Names that code cells use and neither they nor cells before them define."""
    known, missing = set(dir(builtins)), set()
    for cell in cells:
        if cell.cell_type == "code":
            table = symtable.symtable(cell.source, "cell", "exec")
            known |= {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
            missing |= taken(table) - known
    return missing


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_cell_needs_what_only_a_solution_defines(path):
    release, source = versions(path)
    assert not undefined(release.cells) and not undefined(source.cells)


def test_names_of_a_solution_are_missed():
    texts = "import math", "f = lambda x: [y + math.e for y in x]", "def g(): return h"
    cells = [new_code_cell(text) for text in texts]
    assert undefined(cells) == {"h"}
    assert undefined(cells[1:]) == {"h", "math"}


def run(notebook, folder):
    """The grade ids of the cells that raise, when all are run."""
    NotebookClient(notebook, allow_errors=True, timeout=120, resources={"metadata": {"path": folder}}).execute()
    failed = [c for c in notebook.cells if any(o.output_type == "error" for o in c.get("outputs", []))]
    return {cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in failed}


def run_both(path, folder):
    """Run the student's version of a chapter, in which each check must fail and nothing else, and the teacher's."""
    for name in set(re.findall(r"\.\./\.\./results/([\w./-]+)", path.read_text())):
        assignments.carry(name, folder)
    release, source = versions(path)
    asked = {name for name, cell in grades(release).items() if cell.metadata.nbgrader.locked}
    assert asked and run(release, folder) == asked
    assert run(source, folder) == set()


@pytest.mark.parametrize("path", CHEAP, ids=lambda path: path.stem)
def test_solutions_pass_and_empty_answers_fail(path, tmp_path):
    run_both(path, tmp_path)


def test_a_solution_that_forgets_its_check_is_found():
    with pytest.raises(ValueError, match="must call checks"):
        assignments.answered("answer = 2", "ex-index-rank")
