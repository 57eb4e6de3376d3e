"""The checkers of the exercises: right answers pass, others learn what is wrong, and none learns the answer."""

import json
import math
import re
from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from dufm_lib import checks
from dufm_lib.checks import judges

NUMBER = judges.Number(lambda: 12.5, mistakes={"forgot the root": lambda: 156.25})
WHOLE = judges.Whole(lambda: 27, mistakes={"one layer only": lambda: 9})
MATRIX = judges.Matrix(lambda: torch.eye(2))
FUNCTION = judges.Function(lambda K, L: K / L, [(4, 2), (5, 3)])
CONSTRUCTION = judges.Construction((2, 2), {"it is singular": lambda matrix: torch.linalg.det(matrix) == 0})


@pytest.mark.parametrize(
    ("judge", "answer"),
    [
        (NUMBER, 12.5),
        (NUMBER, torch.tensor(12.505)),
        (NUMBER, np.float32(12.5)),
        (WHOLE, 27),
        (WHOLE, np.int64(27)),
        (WHOLE, torch.tensor(27)),
        (MATRIX, [[1, 0], [0, 1]]),
        (MATRIX, np.eye(2)),
        (FUNCTION, lambda classes, depth: classes / depth),
        (CONSTRUCTION, [[1, 0], [0, 1]]),
        (CONSTRUCTION, torch.tensor([[2.0, 1.0], [0.0, 3.0]])),
    ],
)
def test_right_answers_have_no_fault(judge, answer):
    assert judge.fault(answer) is None


@pytest.mark.parametrize(
    ("judge", "answer", "said"),
    [
        (NUMBER, "12.5", "a number is expected"),
        (NUMBER, True, "a number is expected"),
        (NUMBER, 1j, "a number is expected"),
        (NUMBER, math.nan, "finite"),
        (NUMBER, -12.5, "sign"),
        (NUMBER, 0, "not zero"),
        (NUMBER, 1250, "too large"),
        (NUMBER, 1e-9, "too small"),
        (NUMBER, 156.25, "forgot the root"),
        (NUMBER, 12.6, "close"),
        (WHOLE, 27.0, "a whole number"),
        (WHOLE, 9, "one layer only"),
        (WHOLE, 28, "not the number"),
        (MATRIX, "eye", "shape (2, 2)"),
        (MATRIX, [1, 2], "has shape (2,)"),
        (MATRIX, [[1, 0], [math.nan, 1]], "1 of 4 entries are wrong, the first at index (1, 0)"),
        (FUNCTION, 2, "a function is expected"),
        (FUNCTION, lambda classes: classes, "raises TypeError"),
        (FUNCTION, lambda classes, depth: 2.0, "called with (5, 3) it returns 2.0"),
        (CONSTRUCTION, {1, 2}, "shape (2, 2)"),
        (CONSTRUCTION, [1, 2], "has shape (2,)"),
        (CONSTRUCTION, [[1, 0], [math.inf, 1]], "finite"),
        (CONSTRUCTION, [[1, 2], [2, 4]], "it is singular"),
    ],
)
def test_wrong_answers_hear_why(judge, answer, said):
    assert said in judge.fault(answer)


@given(st.one_of(st.none(), st.booleans(), st.text(), st.floats(), st.integers(), st.lists(st.floats())))
def test_no_answer_breaks_a_judge_or_gives_itself_away(answer):
    for judge in (NUMBER, WHOLE, MATRIX, FUNCTION, CONSTRUCTION):
        fault = judge.fault(answer)
        assert fault is None or (fault and "12.5" not in fault.replace(repr(answer), ""))


def test_unknown_exercises_are_refused():
    with pytest.raises(ValueError, match="must be the label of an exercise"):
        checks.check("ex-none", 1)


@pytest.mark.parametrize("exercise", sorted(checks.ANSWERS))
@pytest.mark.parametrize("answer", [None, ..., "", [], 0.123456789, lambda *_: None])
def test_empty_answers_fail(exercise, answer):
    assert not checks.check(exercise, answer)


def markdown_and_solutions() -> tuple[str, dict[str, str]]:
    """All prose of the book, and the code of each folded solution by the label of its exercise."""
    prose, solutions, inside = "", defaultdict(str), ""
    for path in sorted(ROOT.glob("book/**/*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            text = "".join(cell["source"])
            if cell["cell_type"] == "code":
                solutions[inside] += text  # "" is the code outside of solutions
            elif marks := re.findall(r"\{solution-(?:start\} (\S+)|end\})", text):
                inside = marks[-1]
            prose += f"{text}\n" if cell["cell_type"] == "markdown" else ""
    return prose, solutions


def test_every_checker_has_an_exercise_and_is_used_in_its_solution_alone():
    prose, solutions = markdown_and_solutions()
    labels = re.findall(r"^:label: (\S+)", prose, re.MULTILINE)
    assert set(checks.ANSWERS) <= set(labels)
    for label, code in solutions.items():
        assert re.findall(r'checks\.check\(\s*"([^"]+)"', code) == ([label] if label in checks.ANSWERS else []), label


def test_every_exercise_has_a_grade_and_a_folded_solution_that_is_run():
    prose, solutions = markdown_and_solutions()
    exercises = re.findall(r"(`{3,})\{exercise(?:-start)?\}(.*?)\n:label: (\S+)(.*?)\n\1", prose, re.DOTALL)
    grades = Counter(re.search(r"\((warm-up|core|challenge)\)", title + text)[1] for _, title, _, text in exercises)
    assert grades.total() >= 40 and min(grades[name] for name in ("warm-up", "core", "challenge")) >= 10
    folded = re.findall(r"\{solution-start\} (\S+)\n:class: dropdown\n", prose)
    assert folded == [label for _, _, label, _ in exercises]
    assert all(solutions[label] for label in folded)
