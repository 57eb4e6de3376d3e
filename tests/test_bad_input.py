"""Whatever is wrong with an argument, the answer is a ValueError that names it; what means the same gives the same.

The table of tests/public_api.py has a row for each public name and a kind for each argument: a new function without
one fails here. One argument at a time is spoiled.
"""

import dataclasses
import inspect
import math
import re
import time
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from public_api import API, arguments, public

import dufm_lib
from dufm_lib import Problem, descent, hessian, model, theory
from dufm_lib._arguments import LARGEST_NUMBER

PUBLIC = public()
LIBRARY = str(Path(dufm_lib.__file__).parent)
NOT_CALLED = {"data.mnist", "data.cifar10"}  # they would fetch megabytes
SPOILED = [(name, argument) for name, row in API.items() for argument, kind in row.items() if kind.bad is not None]
LISTS = [(name, argument) for name, argument in SPOILED if isinstance(API[name][argument].value(), (list, tuple))]
LISTS = [(name, argument) for name, argument in LISTS if name not in NOT_CALLED]
SAME = [(name, argument) for name, argument in SPOILED if API[name][argument].same and name not in NOT_CALLED]
EXTREME = [(name, argument) for name, argument in SPOILED if API[name][argument].extreme and name not in NOT_CALLED]
LONGEST = 20  # seconds until a refusal: a hang, and no busy machine


def test_every_public_name_and_every_argument_has_a_kind():
    assert set(API) == set(PUBLIC)
    for name, row in API.items():
        assert set(row) == arguments(PUBLIC[name]), name


def call(name, /, **changes):
    """Call with good arguments, but for the changes; *questions and **options are spread."""
    given = {argument: kind.value() for argument, kind in API[name].items()} | changes
    positional, named = given.pop(spread(name, "VAR_POSITIONAL"), ()), given.pop(spread(name, "VAR_KEYWORD"), {})
    torch.manual_seed(0)  # a Classifier starts where torch's own generator is
    return PUBLIC[name](*positional, **given, **named)


def spread(name, kind):
    """The argument that stands for any number of them, `*questions` or `**options`; None if there is none."""
    parameters = inspect.signature(PUBLIC[name]).parameters.values()
    return next((each.name for each in parameters if each.kind.name == kind), None)


@pytest.mark.parametrize("name", sorted(set(API) - NOT_CALLED))
def test_good_arguments_are_good(name):
    call(name)


@pytest.mark.parametrize(("name", "argument"), SPOILED, ids=lambda part: part)
@settings(max_examples=settings.default.max_examples // 2, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_bad_argument_is_refused_by_name(name, argument, data):
    kind = API[name][argument]
    value = data.draw(kind.bad)
    for of_python, type_ in (("VAR_POSITIONAL", tuple), ("VAR_KEYWORD", dict)):
        assume(argument != spread(name, of_python) or isinstance(value, type_))  # anything else it refuses itself
    began = time.monotonic()
    with pytest.raises(ValueError) as caught:
        call(name, **{argument: value})
    message = str(caught.value)
    assert re.search(rf"\b({kind.words or argument})\b", message), message
    assert len(message) < 1500 and time.monotonic() - began < LONGEST
    raised_in = traceback.extract_tb(caught.tb)[-1].filename
    assert raised_in.startswith(LIBRARY), f"from deep inside, {raised_in}: {message}"


@pytest.mark.parametrize(("name", "argument"), SAME, ids=lambda part: part)
def test_what_means_the_same_gives_the_same(name, argument):
    expected = call(name)
    for value in API[name][argument].same:
        assert_same(call(name, **{argument: value}), expected)


@pytest.mark.parametrize(("name", "argument"), EXTREME, ids=lambda part: part)
def test_an_extreme_value_is_answered_or_refused(name, argument):
    """No overflow (warnings are errors here), no NaN, no error from deep inside."""
    for value in API[name][argument].extreme:
        try:
            answer = call(name, **{argument: value})
        except ValueError as error:
            assert traceback.extract_tb(error.__traceback__)[-1].filename.startswith(LIBRARY), error
        else:
            assert all(map(is_finite, answer if isinstance(answer, (tuple, list)) else [answer])), value


def is_finite(answer):
    if isinstance(answer, torch.Tensor):
        return bool(answer.isfinite().all())
    return not isinstance(answer, float) or math.isfinite(answer)


@pytest.mark.parametrize(("name", "argument"), LISTS, ids=lambda part: part)
def test_an_iterator_gives_the_same_or_is_refused(name, argument):
    """What can be gone through once only, in place of a list."""
    once, words = iter(API[name][argument].value()), API[name][argument].words or argument
    try:
        answer = call(name, **{argument: once})
    except ValueError as error:
        assert re.search(rf"\b({words})\b", str(error)), error
        assert traceback.extract_tb(error.__traceback__)[-1].filename.startswith(LIBRARY), error
    else:
        assert_same(answer, call(name))


def assert_same(found, expected):
    """Equal up to rounding: another layout in memory may be summed in another order."""
    if isinstance(expected, torch.Tensor):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    elif isinstance(expected, torch.nn.Module):
        assert_same(list(found.parameters()), list(expected.parameters()))
    elif isinstance(expected, float) or (isinstance(expected, np.ndarray) and expected.dtype != object):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    elif dataclasses.is_dataclass(expected):
        assert_same(list(vars(found).values()), list(vars(expected).values()))
    elif isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected)
    elif not type(expected).__module__.startswith(
        ("matplotlib", "ipywidgets", "numpy", "dufm_lib.widgets")
    ):  # pictures
        assert found == expected


OF_A_PROBLEM = [name for name, row in API.items() if set(row) == {"problem"}]


@pytest.mark.parametrize("name", OF_A_PROBLEM)
@settings(max_examples=50)
@given(data=st.data())
def test_any_problem_has_a_finite_answer_or_a_refusal(name, data):
    """Extreme sizes and penalties: no overflow (warnings are errors here), no NaN, no endless loop."""
    K = data.draw(st.integers(2, 12) | st.integers(2, 10**6))
    sizes = st.integers(1, 10**9)
    samples = data.draw(sizes | st.just((9,) * (K // 2) + (2,) * (K - K // 2)) if K < 100 else sizes)
    decay = data.draw(st.floats(1e-300, LARGEST_NUMBER) | st.floats(1e-9, 1))
    problem = Problem(K, samples, data.draw(st.integers(1, 9) | st.integers(1, 10**6)), 10**6, decay)
    began = time.monotonic()
    try:
        answer = call(name, problem=problem)
    except ValueError as error:
        assert traceback.extract_tb(error.__traceback__)[-1].filename.startswith(LIBRARY), error
    else:
        assert_finite(answer)
    assert time.monotonic() - began < LONGEST


def assert_finite(answer):
    for each in answer if isinstance(answer, (tuple, list)) else [answer]:
        if isinstance(each, (tuple, list)):
            assert_finite(each)
        elif not isinstance(each, str):
            assert np.isfinite(np.asarray(each)).all(), answer


# what one argument at a time does not reach


def refuses(call, words):
    with pytest.raises(ValueError) as caught:
        call()
    assert re.search(rf"\b({words})\b", str(caught.value)), caught.value


SMALL = Problem(4, 2, 2, 5, 0.01)
POINT = model.random_point(SMALL)


@pytest.mark.parametrize("name", [name for name, row in API.items() if "params" in row])
def test_parameters_that_do_not_fit_together(name):
    features, first, last = POINT
    refuses(lambda: call(name, params=[features[None], first, last]), "W_1")
    refuses(lambda: call(name, params=[features.expand(2, 5, 8), first.expand(3, 5, 5), last.expand(2, 4, 5)]), "W_1")
    refuses(lambda: call(name, params=[features, first, last.float()]), "W_2")
    if name.startswith("hessian"):
        refuses(lambda: call(name, params=[tensor[None] for tensor in POINT]), "params")


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("structures.spectrum", "matrix"),
        ("theory.optimal_scale", "structure"),
        ("model.aligned_point", "logits"),
        ("hessian.aligned_spectrum", "logits"),
        ("symmetry.symmetry", "logits"),
        ("shapes.shape", "logits"),
    ],
)
def test_batches_where_one_matrix_belongs(name, argument):
    refuses(lambda: call(name, **{argument: torch.ones(2, 4, 4)}), argument)


@pytest.mark.parametrize("name", ["nc1", "nc2", "nc2_equinorm", "nc2_equiangularity", "nc3"])
def test_features_without_spread(name):
    features = API["metrics.nc1"]["features"].good
    same = torch.full((5, 6), 0.1)
    for flat in (same, 0 * same, torch.stack([features.float(), same]), 1e6 + torch.zeros(5, 6).double()):
        refuses(lambda flat=flat: call(f"metrics.{name}", features=flat), "features")


def test_matrices_without_direction():
    weight = API["metrics.nc3"]["weight"].good
    refuses(lambda: call("metrics.nc3", weight=0 * weight), "weight")
    refuses(lambda: call("metrics.dnc", weights=[0 * weight]), "weights")
    refuses(lambda: call("metrics.distance", matrix=torch.zeros(4, 4)), "matrix")


def test_what_does_not_fit_into_memory():
    huge = Problem(10, 10**9, 2, 10**9, 0.01)
    refuses(lambda: model.random_point(huge), "problem")
    refuses(lambda: model.expand(huge, torch.eye(10)), "samples")
    refuses(lambda: call("descent.train", problem=huge, start=None, seed=0), "problem")
    refuses(lambda: call("networks.mlp", width=10**9), "width")
    refuses(lambda: theory.search_optimum(Problem(10**6, 1, 2, 10**6, 0.01)), "classes")
    deep = Problem(10, 1, 10**6, 10, 1e-9)
    refuses(lambda: call("hessian.aligned_spectrum", problem=deep, logits=torch.eye(10)), "logits|depth")


RUNS = descent.train(SMALL, runs=3, steps=2)


@pytest.mark.parametrize(
    "index", [1, -2, slice(1, 3), slice(None, None, -1), [2, 0], (2, 0), [], range(2), np.int64(1), np.array([1, 1])]
)
def test_runs_are_chosen_as_a_list_chooses(index):
    numbers = np.arange(3)[np.array(index, dtype=int) if isinstance(index, (list, tuple, range)) else index]
    chosen = RUNS[index]
    assert chosen.loss.tolist() == RUNS.loss[np.atleast_1d(numbers).copy()].tolist()
    assert chosen.history.loss.shape == (len(RUNS.history.steps), np.size(numbers))


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list], ids=lambda kind: kind.__name__)
def test_runs_are_chosen_by_a_mask(kind):
    assert RUNS[kind([True, False, True])].loss.tolist() == RUNS.loss[[0, 2]].tolist()


NO_INDEX = ["a", "", None, True, 0.5, 1j, [0.5], [[0]], [True], ["a"], {}, slice("a"), torch.tensor([1j]), object()]


@pytest.mark.parametrize("index", NO_INDEX, ids=lambda index: type(index).__name__)
def test_what_chooses_no_runs(index):
    refuses(lambda: RUNS[index], "index must be an integer, a slice")
    refuses(lambda: RUNS.point(index), "run")


def test_runs_beyond_the_end():
    for index in (3, -4, [0, 3]):
        with pytest.raises(IndexError):
            RUNS[index]
    refuses(lambda: RUNS.point(3), "run")


def test_both_ends_of_a_spectrum_are_not_all_of_it():
    refuses(hessian.extreme_spectrum(SMALL, RUNS.point(0), count=2).expand, "expand")
