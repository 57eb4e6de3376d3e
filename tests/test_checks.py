"""The checkers of the exercises: right answers pass, others learn what is wrong, and none learns the answer."""

import json
import math
import re
import sys
import time
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from dufm_lib import checks
from dufm_lib.checks import judges

NUMBER = judges.Number(lambda: 12.5, mistakes={"forgot the root": lambda: 156.25})
ROUGH = judges.Number(lambda: 12.5, rtol=0.1)
WHOLE = judges.Whole(lambda: 27, mistakes={"one layer only": lambda: 9})
FEW = judges.Whole(lambda: 3)
MATRIX = judges.Matrix(lambda: torch.eye(2))
FUNCTION = judges.Function(lambda K, L: K / L, [(4, 2), (5, 3)])
CONSTRUCTION = judges.Construction((2, 2), {"it is singular": lambda matrix: torch.linalg.det(matrix) == 0})


@pytest.mark.parametrize(
    ("judge", "answer"),
    [
        (NUMBER, 12.5),
        (NUMBER, torch.tensor(12.505)),
        (NUMBER, np.float32(12.5)),
        (NUMBER, np.array([[12.5]])),
        (NUMBER, Fraction(25, 2)),
        (NUMBER, Decimal("12.5")),
        (NUMBER, torch.tensor([12.5], requires_grad=True)),
        (WHOLE, 27),
        (WHOLE, np.int64(27)),
        (WHOLE, torch.tensor(27)),
        (WHOLE, 27.0),
        (WHOLE, np.array([27])),
        (MATRIX, [[1, 0], [0, 1]]),
        (MATRIX, np.eye(2)),
        (MATRIX, np.eye(2, dtype=bool)),
        (MATRIX, torch.eye(2, requires_grad=True)),
        (MATRIX, torch.eye(2, dtype=torch.bfloat16)),
        (FUNCTION, lambda classes, depth: classes / depth),
        (FUNCTION, lambda classes, depth: torch.tensor(classes / depth, dtype=torch.float64, requires_grad=True)),
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
        (NUMBER, np.array([12.5, 12.5]), "a number is expected, and this is ndarray of shape (2,)"),
        (NUMBER, np.complex64(12.5), "a number is expected"),
        (NUMBER, math.nan, "finite"),
        (NUMBER, 10**400, "finite"),
        (NUMBER, 10**25, "too large by more than a factor of two"),
        (NUMBER, -12.5, "sign"),
        (NUMBER, 0, "not zero"),
        (NUMBER, 25.1, "it is too large by more than a factor of two"),
        (NUMBER, Fraction(1, 7), "it is too small by more than a factor of two"),
        (NUMBER, 5e-324, "too small"),
        (NUMBER, 156.25, "forgot the root"),
        (NUMBER, 13.1, "close, but not within a relative error of 0.001"),
        (NUMBER, 13.2, "it is of the right size, but off by more than 5%"),
        (ROUGH, 14.0, "it is of the right size, but off by more than 10%"),
        (WHOLE, 27.5, "a whole number is expected, and this is 27.5"),
        (WHOLE, math.inf, "a whole number"),
        (WHOLE, list(range(10**5)), "a whole number is expected, and this is [0, 1, 2,"),
        (WHOLE, 9, "one layer only"),
        (WHOLE, 28, "not the number"),
        (WHOLE, -27, "not the number"),
        (WHOLE, 13, "it is too small by more than a factor of two"),
        (WHOLE, 10**25, "it is too large by more than a factor of two"),
        (FEW, 1, "not the number"),  # too small: then it could be 3 alone
        (FEW, 9, "not the number"),
        (FEW, 20, "too large"),
        (MATRIX, "eye", "shape (2, 2)"),
        (MATRIX, [["1", "0"], ["0", "1"]], "real numbers of shape (2, 2)"),
        (MATRIX, np.eye(2) * 1j, "real numbers of shape (2, 2)"),
        (MATRIX, torch.eye(2) * 1j, "real numbers of shape (2, 2)"),
        (MATRIX, 10**400, "real numbers of shape (2, 2)"),
        (MATRIX, [[1], [1, 2]], "real numbers of shape (2, 2)"),
        (MATRIX, [1, 2], "has shape (2,)"),
        (MATRIX, [[1, 0], [math.nan, 1]], "1 of 4 entries are wrong, the first at index (1, 0)"),
        (FUNCTION, 2, "a function is expected"),
        (FUNCTION, lambda classes: classes, "raises TypeError"),
        (FUNCTION, lambda classes, depth: 2.0, "called with (5, 3) it returns 2.0"),
        (FUNCTION, lambda classes, depth: sys.exit(3), "called with (4, 2) it raises SystemExit(3)"),
        (FUNCTION, lambda classes, depth: torch.ones(3), "it returns Tensor of shape (3,)"),
        (CONSTRUCTION, {1, 2}, "shape (2, 2)"),
        (CONSTRUCTION, [1, 2], "has shape (2,)"),
        (CONSTRUCTION, [[1, 0], [math.inf, 1]], "finite"),
        (CONSTRUCTION, [[1, 2], [2, 4]], "it is singular"),
        (checks.ANSWERS["ex-layers-relu"], np.zeros((6, 6)), "class means that differ"),  # the library's own words
    ],
)
def test_wrong_answers_hear_why(judge, answer, said):
    assert said in judge.fault(answer)


class Unprintable:
    def __repr__(self):
        raise RuntimeError


ODD = [
    "", "3", b"3", "x" * 10**5, (), [], {}, {1: 2}, {1, 2}, range(10**5), object(), Unprintable(), int, slice(3),
    True, 1j, math.nan, -math.inf, 1e308, 5e-324, -1, 0, 10**25, -(10**25), 10**400, -(10**400), 10**5000,
    Fraction(1, 1013), Fraction(10**400), Decimal("0.3"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"),
    np.nan, np.bool_(True), np.complex64(1j), np.longdouble(0.3), np.datetime64("2020"), np.array([0.3]), np.array([]),
    np.full((6, 12), np.nan), np.ones((6, 6)) * 1j, np.full((6, 6), "a"), np.full(11, None), np.array(Unprintable()),
    np.zeros((6, 6)), np.full((6, 6), 1e308), np.full((6, 12), 1e-308), np.ones((6, 6), bool), [[1], [1, 2]],
    [10**400] * 11, [None] * 11, [Fraction(1, 3)] * 11, [torch.ones((), requires_grad=True)] * 11,
    torch.tensor(0.3, requires_grad=True), torch.ones(6, 6, requires_grad=True),
    torch.ones(6, 12, dtype=torch.bfloat16), torch.ones(6, 6, dtype=torch.complex64, requires_grad=True),
    torch.eye(6).to_sparse(), torch.ones(6, 6, device="meta"), torch.ones(1, device="meta"), torch.tensor([]),
    pd.Series([1, 2]), pd.Series([0.3]), pd.DataFrame({"a": [1]}),
    lambda: 0, lambda *_: "x", lambda *_: math.nan, lambda *_: 10**400, lambda *_: np.ones(3), lambda *_: Unprintable(),
    lambda *_: sys.exit(3), lambda *_: 1 / 0, lambda *_: ["x"] * 10**5,
]  # fmt: skip


def names_its_fault(exercise, answer):
    """Any answer whatever gets a verdict in a few words; whether it is right."""
    verdict = checks.check(exercise, answer)
    assert verdict.message and len(verdict.message) < 400
    return verdict.right


@pytest.mark.parametrize("exercise", sorted(checks.ANSWERS))
def test_odd_answers_are_wrong_and_hear_why(exercise):
    for answer in ODD:
        assert not names_its_fault(exercise, answer), answer


SCALARS = st.one_of(st.floats(), st.integers(), st.fractions(), st.decimals(), st.complex_numbers(), st.booleans())
LISTS = st.recursive(st.one_of(SCALARS, st.text(), st.none()), st.lists, max_leaves=12)
SHAPES = st.sampled_from([(), (1,), (11,), (6, 6), (6, 12)])  # the last three are those that exercises ask for
ARRAYS = numpy_strategies.arrays(numpy_strategies.scalar_dtypes(), SHAPES)
TENSORS = numpy_strategies.arrays(numpy_strategies.floating_dtypes(sizes=(32, 64), endianness="="), SHAPES)
FUNCTIONS = st.one_of(SCALARS, LISTS).map(lambda value: lambda *_: value)


@settings(derandomize=False, max_examples=200)  # other answers in every run, as each reader gives others
@given(st.sampled_from(sorted(checks.ANSWERS)), st.one_of(LISTS, ARRAYS, TENSORS.map(torch.tensor), FUNCTIONS))
def judge_any(exercise, answer):
    names_its_fault(exercise, answer)


def test_no_answer_breaks_a_judge():
    end = time.monotonic() + 6  # seconds
    while time.monotonic() < end:
        judge_any()


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
