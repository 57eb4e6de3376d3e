"""Student notebooks from the chapters: `python tools/assignments.py`, or `make assignments`.

_build/assignments                  the course folder of nbgrader, with its settings
_build/assignments/release/CHAPTER  without solutions, each exercise followed by a place for the answer
_build/assignments/source/CHAPTER   the same with solutions, as nbgrader's generate_assignment expects them

Each folder can be moved: the results of long runs that a chapter reads lie beside its notebook.

Where an exercise has a checker in `dufm_lib.checks`, a locked cell below the answer calls it and gives the points.
Where it has none, or asks to show or to explain something too, there is a cell for words, graded by hand; without a
checker there is a cell, not graded, for the work that the words rest on. A graded cell of a warm-up gives one point, of
a core exercise two, of a challenge three. The text is Markdown that any notebook shows, Colab's too.
"""

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import plain_markdown
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell

from dufm_lib import checks

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "_build" / "assignments"

SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "book"
c.Execute.timeout = c.Execute.iopub_timeout = 120  # importing torch alone may take longer than the 4 seconds it grants
"""

START = re.compile(r"^(`{3,})\{solution-start\} (\S+)\n(?::.*\n)*\1\s*?$", re.MULTILINE)
END = re.compile(r"^(`{3,})\{solution-end\}\n\1\s*?$", re.MULTILINE)
RESULTS = "../../results/"  # of the repository, as chapters read them
LINK = re.compile(r"\[([^\]]*)\]\([^)\s]*\.(?:ipynb|md)(?:#[^)]*)?\)")  # to chapters, which lie elsewhere
POINTS = {"warm-up": 1, "core": 2, "challenge": 3}
WORDS = re.compile(r"(?i:\b(?:show that|prove|proof|explain|why|deduce|say)\b)|\bShow\b")  # asked for by an exercise


def split(cells: list) -> Iterator[tuple[str | None, nbformat.NotebookNode]]:
    """Every piece of a chapter, with the label of the exercise whose solution it belongs to, or None."""
    solving = None
    for cell in cells:
        text = cell.source
        while cell.cell_type == "markdown" and (found := (END if solving else START).search(text)):
            if before := text[: found.start()].strip():
                yield solving, new_markdown_cell(before)
            if solving:
                yield solving, new_markdown_cell("")  # the solution ends here
            solving, text = (None if solving else found[2]), text[found.end() :].strip()
        if text:
            yield solving, nbformat.from_dict({**cell, "source": text})


def graded(cell: nbformat.NotebookNode, label: str, **settings: object) -> nbformat.NotebookNode:
    """The cell with the metadata that nbgrader reads."""
    plain = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    cell.metadata["nbgrader"] = {**plain, "grade_id": label, **settings}
    return cell


def answered(code: str, label: str) -> str:
    """The code of a solution that leaves what it hands to the checker in `answer`."""
    tree = ast.parse(code)
    for statement in tree.body:
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "checks.check" and call.args[0].value == label:
                kept = [ast.get_source_segment(code, other) for other in tree.body if other is not statement]
                return "\n".join([*kept, f"answer = {ast.get_source_segment(code, call.args[1])}"])
    raise ValueError(f"the solution of {label} must call checks.check({label!r}, ...), and does not")


def exercises(chapter: nbformat.NotebookNode) -> dict[str, plain_markdown.Box]:
    """The exercises of a chapter by their labels."""
    text = plain_markdown.in_one_way(plain_markdown.markdown(chapter))
    boxes = map(plain_markdown.Box.of, plain_markdown.BOX.finditer(text))
    return {box.label: box for box in boxes if box.kind == "exercise"}


def answer_cells(exercise: plain_markdown.Box, solution: list, with_solution: bool) -> list:
    """Where the answer to an exercise goes, and the check of it."""
    label, judged = exercise.label, exercise.label in checks.ANSWERS
    points = POINTS[re.search(r"\((warm-up|core|challenge)\)", exercise.title + exercise.body)[1]]
    words, code = (
        "\n\n".join(cell.source for cell in solution if cell.cell_type == kind and cell.source)
        for kind in ("markdown", "code")
    )
    place = "answer = ...  # yours" if judged else "# your work"
    if with_solution:
        place = f"### BEGIN SOLUTION\n{answered(code, label) if judged else code}\n### END SOLUTION"
    cells = [graded(new_code_cell(place), f"{label}-{'answer' if judged else 'work'}", solution=True)]
    if judged:
        check = f'from dufm_lib import checks\n\nverdict = checks.check("{label}", answer)\nassert verdict, verdict'
        cells.append(graded(new_code_cell(check), label, grade=True, locked=True, points=points))
    if not judged or WORDS.search(exercise.body):
        text = (words or "*See the code.*") if with_solution else "*Your answer, in words.*"
        cells.append(graded(new_markdown_cell(text), f"{label}-words", grade=True, solution=True, points=points))
    return cells


def names() -> plain_markdown.Names:
    """What the references of the chapters stand for."""
    pages = [nbformat.read(path, 4) for path in sorted(ROOT.glob("book/**/*.ipynb"))]
    return plain_markdown.Names.of(pages, (ROOT / "book" / "references.bib").read_text())


def assignment(
    chapter: nbformat.NotebookNode, named: plain_markdown.Names, with_solution: bool
) -> nbformat.NotebookNode:
    """The student's version of a chapter, or with its solutions the teacher's."""
    asked, home = exercises(chapter), plain_markdown.title(chapter)
    cells, solution, label = [], [], None
    for solving, cell in split(chapter.cells):
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1", plain_markdown.plain(cell.source, named, home))
        if solving and cell.source:
            label = solving
            solution.append(cell)
        elif solving:
            cells += answer_cells(asked[solving], solution, with_solution)
            solution = []
        else:
            cells.append(cell)
    if solution:
        raise ValueError(f"the solution of {label} must end with a solution-end directive, and does not")
    for index, cell in enumerate(cells):
        cell["id"], cell["source"] = f"cell-{index}", cell.source.replace(RESULTS, "results/")
    return nbformat.from_dict({**chapter, "cells": cells})


def chapters() -> list[Path]:
    """The chapters that have exercises, in reading order."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [contents["root"], *(c["file"] for part in contents["parts"] for c in part["chapters"])]
    paths = [ROOT / f"{file}.ipynb" for file in files]
    return [path for path in paths if path.exists() and "{solution-start}" in path.read_text()]


def carry(name: str, home: Path) -> None:
    """Put a file or a folder of the repository's results, if it is there, into an assignment."""
    source, target = ROOT / "results" / name, home / "results" / name
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)


def main() -> None:
    """Write both versions of every chapter, and what they read, anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    named = names()
    for path in chapters():
        for folder, with_solution in (("release", False), ("source", True)):
            home = TARGET / folder / path.stem
            home.mkdir(parents=True)
            nbformat.write(assignment(nbformat.read(path, 4), named, with_solution), home / path.name)
            for name in set(re.findall(rf"{re.escape(RESULTS)}([\w./-]+)", path.read_text())):
                carry(name, home)
    (TARGET / "nbgrader_config.py").write_text(SETTINGS)
    print(f"{len(chapters())} assignments in {TARGET}")


if __name__ == "__main__":
    main()
