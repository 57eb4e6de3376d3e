"""Whatever is wrong with an argument, the answer is a ValueError that names it, never another exception."""

import functools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dufm_lib import Problem, hessian, metrics, model, structures, theory

NONSENSE = st.sampled_from([None, "3", b"3", "", 1 + 2j, {}, {3}, object(), len, np.bool_(True), True, False])
ARRAYS = st.sampled_from([np.array([1, 2]), np.array([[2.0]]), np.array(["a"]), torch.ones(2), torch.ones(1, 1), [3]])
NOT_FINITE = st.sampled_from([math.nan, math.inf, -math.inf, np.float64("nan"), torch.tensor(math.inf)])
COMPLEX_NUMBERS = st.sampled_from([np.complex64(1), np.complex128(2), torch.tensor(1j)])

no_number = NONSENSE | ARRAYS | NOT_FINITE | COMPLEX_NUMBERS
no_size = no_number | st.integers(max_value=-1) | st.floats() | st.sampled_from([np.float64(3), torch.tensor(3.0)])
no_weight = no_number | st.floats(max_value=-1e-300) | st.integers(max_value=-1) | st.just(10**400)


@st.composite
def no_tensor(draw, shape, sizes_are_free=False, integers=False, finite=True):
    """What is no tensor of that shape: another type, another shape, complex, not finite, labels of no class."""
    good = torch.ones(shape)
    if integers:
        values = [good, good.bool(), good.long() - 2, good.long() * 10**12, 0 * good.long()]
        return draw(
            NONSENSE | st.sampled_from([good.tolist(), good.numpy(), *values, good.long()[:-1], good.long()[None]])
        )
    wrong = [good * (1 + 1j), good.numpy(), good.tolist(), 3, torch.tensor(1.0), good.new_ones(0, *shape[1:])]
    if len(shape) == 2:
        wrong += [good[0], good[:, :0]]
    if not sizes_are_free:
        wrong += [torch.ones(*shape[:-1], shape[-1] + 1)]
    if finite:
        for value in (math.nan, math.inf, -math.inf):
            bad = good.clone()
            bad.view(-1)[-1] = value
            wrong.append(bad)
    return draw(NONSENSE | st.sampled_from(wrong))


def refuses(call, name):
    """The call raises a ValueError whose message has the name of the argument in it, and no traceback of torch."""
    with pytest.raises(ValueError) as caught:
        call()
    message = str(caught.value)
    assert re.search(rf"\b({name})\b", message), message
    assert len(message) < 1000


PROBLEM = Problem(4, 2, 2, 5, 0.01)
GOOD = {"classes": 4, "samples": 2, "depth": 2, "width": 5, "weight_decay": 0.01}


# the problem


@given(st.sampled_from(["classes", "samples", "depth", "width"]), no_size | st.just(0))
def test_sizes_of_a_problem(name, value):
    refuses(lambda: Problem(**{**GOOD, name: value}), name)


@given(no_weight)
def test_weight_decay_of_a_problem(value):
    refuses(lambda: Problem(**{**GOOD, "weight_decay": value}), "weight_decay")
    refuses(lambda: Problem(**{**GOOD, "weight_decay": (0.1, value)}), "weight_decay")
    refuses(lambda: Problem(**{**GOOD, "weight_decay": [value, 0.1]}), "weight_decay")


@given(st.lists(st.floats(0, 1), max_size=6).filter(lambda pair: len(pair) != 2))
def test_weight_decay_is_one_number_or_two(values):
    refuses(lambda: Problem(**{**GOOD, "weight_decay": values}), "weight_decay")


@given(
    st.lists(st.integers(1, 9), max_size=9).filter(lambda counts: len(counts) != 4),
    st.sampled_from([list, tuple, np.array]),
)
def test_samples_are_one_number_or_one_a_class(counts, kind):
    refuses(lambda: Problem(**{**GOOD, "samples": kind(counts)}), "samples")


@given(st.integers(0, 3), no_size | st.just(0))
def test_every_count_is_checked(position, value):
    counts = [1, 2, 3, 4]
    counts[position] = value
    refuses(lambda: Problem(**{**GOOD, "samples": counts}), "samples")


@given(
    st.sampled_from(["loss", "activation"]), NONSENSE | ARRAYS | st.text() | st.sampled_from(["MSE", "ReLU", "linear "])
)
def test_loss_and_activation(name, value):
    refuses(lambda: Problem(**{**GOOD, name: value}), name)


def test_the_values_that_the_issue_lists():
    for name, value in [
        ("classes", 1),
        ("width", 3),
        ("weight_decay", -0.1),
        ("samples", 0),
        ("depth", 0),
        ("weight_decay", math.nan),
        ("depth", 2.0),
        ("samples", 5.0),
        ("samples", (2, 2, 2, 0)),
        ("weight_decay", (0.1, -0.1)),
        ("loss", "hinge"),
        ("activation", "tanh"),
    ]:
        refuses(lambda name=name, value=value: Problem(**{**GOOD, name: value}), name)
    message = r"width must be at least 4, the number of classes; got 3"
    with pytest.raises(ValueError, match=message):
        Problem(**{**GOOD, "width": 3})


IMBALANCED = Problem(4, (1, 2, 3, 4), 2, 5, 0.01)
MSE = Problem(4, 2, 2, 5, 0.01, loss="mse")
RELU = Problem(4, 2, 2, 5, 0.01, activation="relu")
ONE_LAYER = Problem(4, 2, 1, 5, 0.01)
FREE = Problem(4, 2, 2, 5, 0.0)
HALF_FREE = Problem(4, 2, 2, 5, (0.01, 0.0))
BALANCED_ONLY = [theory.dnc_critical_scales, theory.dnc_frontier_scale, theory.dnc_stable_scale, theory.dnc_is_excluded]


@pytest.mark.parametrize("function", BALANCED_ONLY)
def test_functions_for_balanced_cross_entropy(function):
    refuses(lambda: function(IMBALANCED), "samples")
    refuses(lambda: function(MSE), "loss")


def test_problems_that_a_function_is_not_for():
    S = structures.simplex_etf(4)
    for problem in (FREE, HALF_FREE):
        refuses(lambda problem=problem: theory.optimal_scale(problem, S), "weight_decay")
        refuses(lambda problem=problem: theory.dnc_critical_scales(problem), "weight_decay")
        refuses(lambda problem=problem: hessian.aligned_spectrum(problem, S), "weight_decay")
    refuses(lambda: model.aligned_point(HALF_FREE, S), "weight_decay")
    refuses(lambda: theory.dnc_frontier_scale(ONE_LAYER), "depth")
    refuses(lambda: theory.dnc_stable_scale(RELU), "activation")
    refuses(lambda: model.aligned_point(RELU, S), "activation")
    refuses(lambda: hessian.aligned_spectrum(RELU, S), "activation")


# numbers


SIZES = {
    "simplex_etf": (structures.simplex_etf, "classes", 2),
    "pairing": (structures.pairing, "classes", 2),
    "polygon": (structures.polygon, "classes", 2),
    "incidence": (structures.incidence, "order", 3),
    "strongly_regular": (structures.strongly_regular, "order", 3),
    "runs": (lambda value: model.random_point(PROBLEM, runs=value), "runs", 1),
    "seed": (lambda value: model.random_point(PROBLEM, seed=value), "seed", 0),
    "last seed": (lambda value: model.random_point(PROBLEM, runs=2, seed=value), "seed", 0),
    "frames": (lambda value: model.aligned_point(PROBLEM, structures.pairing(4), seed=value), "seed", 0),
    "rank": (lambda value: theory.solution_dimension(value, 5, 2), "rank", 0),
    "width": (lambda value: theory.solution_dimension(0, value, 2), "width", 1),
    "depth": (lambda value: theory.solution_dimension(0, 5, value), "depth", 1),
    "paper's rank": (lambda value: theory.solution_dimension_paper(value, 5, 2), "rank", 0),
}


@pytest.mark.parametrize("case", SIZES)
@given(data=st.data())
def test_integers(case, data):
    function, name, smallest = SIZES[case]
    value = data.draw(no_size | st.just(smallest - 1))
    if value is None and name == "runs":
        return  # no batch axis
    refuses(lambda: function(value), name)


def test_integers_that_are_too_large():
    refuses(lambda: model.random_point(PROBLEM, seed=2**63), "seed")
    refuses(lambda: model.random_point(PROBLEM, runs=2, seed=2**63 - 1), "seed")
    refuses(lambda: model.aligned_point(PROBLEM, structures.pairing(4), seed=2**100), "seed")
    refuses(lambda: theory.solution_dimension(6, 5, 2), "rank")


LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
FEATURES = torch.arange(30.0).reshape(5, 6).cos()
LOGITS = FEATURES[:3]
NUMBERS = {
    "init_scale": (lambda value: model.random_point(PROBLEM, init_scale=value), "init_scale"),
    "scale": (lambda value: theory.structure_loss(PROBLEM, structures.pairing(4), value), "scale"),
    "rank": (lambda value: structures.rank(FEATURES, value), "rtol"),
    "spectrum": (lambda value: structures.spectrum(FEATURES, value), "rtol"),
    "nc1": (lambda value: metrics.nc1(FEATURES, LABELS, value), "rtol"),
    "tolerance": (lambda value: metrics.structure_labels(torch.eye(3), tolerance=value), "tolerance"),
    "smallest": (lambda value: metrics.structure_labels(torch.eye(3), smallest=value), "smallest"),
}


@pytest.mark.parametrize("case", NUMBERS)
@given(data=st.data())
def test_numbers(case, data):
    function, name = NUMBERS[case]
    refuses(functools.partial(function, data.draw(no_weight)), name)


def test_tolerances_that_leave_nothing():
    refuses(lambda: structures.rank(FEATURES, 1.0), "rtol")
    refuses(lambda: metrics.nc1(FEATURES, LABELS, rtol=2), "rtol")


@given(NONSENSE | st.sampled_from([torch.int64, torch.complex64, torch.float16, np.float32, float]))
def test_dtypes(value):
    refuses(lambda: model.random_point(PROBLEM, dtype=value), "dtype")


# tensors


POINT = model.random_point(PROBLEM)
WEIGHT = torch.ones(3, 5) + torch.eye(3, 5)
FREE_SIZES = {"sizes_are_free": True}
TENSORS = {  # function of the argument, its name (or that of the one it does not fit), its shape, what is special
    "singular_values": (structures.singular_values, "matrix", (3, 4), FREE_SIZES),
    "rank": (structures.rank, "matrix", (3, 4), FREE_SIZES),
    "spectrum": (structures.spectrum, "matrix", (3, 4), FREE_SIZES),
    "superior": (structures.is_diagonally_superior, "logits", (4, 4), {}),
    "nc1": (lambda value: metrics.nc1(value, LABELS), "features|labels", (5, 6), {}),
    "nc2": (lambda value: metrics.nc2(value, LABELS), "features|labels", (5, 6), {}),
    "equinorm": (lambda value: metrics.nc2_equinorm(value, LABELS), "features|labels", (5, 6), {}),
    "equiangularity": (lambda value: metrics.nc2_equiangularity(value, LABELS), "features|labels", (5, 6), {}),
    "nc3": (lambda value: metrics.nc3(value, LABELS, WEIGHT), "features|labels", (5, 6), {}),
    "nc4": (lambda value: metrics.nc4(value, LABELS, LOGITS), "features|labels", (5, 6), {}),
    "dnc": (lambda value: metrics.dnc([value], [WEIGHT], LABELS), "features|labels", (5, 6), {}),
    "nc1 labels": (lambda value: metrics.nc1(FEATURES, value), "labels", (6,), {"integers": True}),
    "nc4 labels": (lambda value: metrics.nc4(FEATURES, value, LOGITS), "labels", (6,), {"integers": True}),
    "dnc labels": (lambda value: metrics.dnc([FEATURES], [WEIGHT], value), "labels", (6,), {"integers": True}),
    "nc3 weight": (lambda value: metrics.nc3(FEATURES, LABELS, value), "weight", (3, 5), {}),
    "dnc weight": (lambda value: metrics.dnc([FEATURES], [value], LABELS), "weights", (3, 5), {}),
    "nc4 logits": (lambda value: metrics.nc4(FEATURES, LABELS, value), "logits", (3, 6), {}),
    "distance": (lambda value: metrics.distance(value, torch.eye(3)), "matrix|structure", (3, 3), {}),
    "distance to": (lambda value: metrics.distance(torch.eye(3), value), "structure", (3, 3), {}),
    "structure_labels": (metrics.structure_labels, "logits", (3, 3), {}),
    "structure_loss": (lambda value: theory.structure_loss(PROBLEM, value, 1.0), "structure", (4, 4), {}),
    "schatten_penalty": (lambda value: theory.schatten_penalty(PROBLEM, value), "structure", (4, 4), {}),
    "optimal_scale": (lambda value: theory.optimal_scale(PROBLEM, value), "structure", (4, 4), {}),
    "fit": (lambda value: model.fit(PROBLEM, value), "logits", (4, 8), {"finite": False}),
    "expand": (lambda value: model.expand(PROBLEM, value), "class_logits", (4, 4), {"finite": False}),
    "class_means": (lambda value: model.class_means(PROBLEM, value), "signal", (4, 8), {"finite": False}),
    "aligned_point": (lambda value: model.aligned_point(PROBLEM, value), "logits", (4, 4), {}),
    "aligned_spectrum": (lambda value: hessian.aligned_spectrum(PROBLEM, value), "logits", (4, 4), {}),
    "direction": (lambda value: hessian.product(PROBLEM, POINT, value), "direction", (85,), {}),
}


@pytest.mark.parametrize("case", TENSORS)
@given(data=st.data())
def test_tensors(case, data):
    function, name, shape, special = TENSORS[case]
    refuses(functools.partial(function, data.draw(no_tensor(shape, **special))), name)


def test_batches_where_one_matrix_belongs():
    batch = torch.ones(2, 4, 4)
    refuses(lambda: structures.spectrum(batch), "matrix")
    refuses(lambda: theory.optimal_scale(PROBLEM, batch), "structure")
    refuses(lambda: model.aligned_point(PROBLEM, batch), "logits")
    refuses(lambda: hessian.aligned_spectrum(PROBLEM, batch), "logits")
    refuses(lambda: metrics.structure_labels(batch[None]), "logits")


PARAMETERS = {
    "logits": model.logits,
    "activations": model.activations,
    "penalty": model.penalty,
    "objective": model.objective,
    "gradient": hessian.gradient,
    "matrix": hessian.matrix,
    "spectrum": hessian.spectrum,
    "product": lambda problem, params: hessian.product(problem, params, torch.ones(85)),
}


@pytest.mark.parametrize("function", PARAMETERS)
@given(value=NONSENSE | st.sampled_from([[], (), POINT[:2], [*POINT, POINT[0]], POINT[0], torch.ones(3, 4, 4), "abc"]))
def test_parameter_lists(function, value):
    refuses(lambda: PARAMETERS[function](PROBLEM, value), "params")


@pytest.mark.parametrize("function", PARAMETERS)
@given(position=st.integers(0, 2), data=st.data())
def test_parameters(function, position, data):
    value = data.draw(no_tensor(PROBLEM.shapes[position], finite=False))
    params = list(POINT)
    params[position] = value
    refuses(lambda: PARAMETERS[function](PROBLEM, params), ["H_1", "W_1", "W_2"][position])


@pytest.mark.parametrize("function", PARAMETERS)
def test_parameters_that_do_not_fit_together(function):
    call = PARAMETERS[function]
    features, first, last = POINT
    refuses(lambda: call(PROBLEM, [features[None], first, last]), "W_1")
    refuses(lambda: call(PROBLEM, [features.expand(2, 5, 8), first.expand(3, 5, 5), last.expand(2, 4, 5)]), "W_1")
    refuses(lambda: call(PROBLEM, [features, first, last.float()]), "W_2")
    refuses(lambda: call(PROBLEM, [tensor.long() for tensor in POINT]), "H_1")
    if function in ("gradient", "matrix", "spectrum", "product"):
        refuses(lambda: call(PROBLEM, [tensor[None] for tensor in POINT]), "params")


def test_features_without_spread_and_matrices_without_direction():
    same = torch.full((5, 6), 0.1)
    for metric in (metrics.nc1, metrics.nc2, metrics.nc2_equinorm, metrics.nc2_equiangularity):
        for flat in (same, 0 * same, torch.stack([FEATURES, same]), 1e6 + torch.zeros(5, 6).double()):
            refuses(lambda metric=metric, flat=flat: metric(flat, LABELS), "features")
    refuses(lambda: metrics.nc3(same, LABELS, WEIGHT), "features")
    refuses(lambda: metrics.nc3(FEATURES, LABELS, 0 * WEIGHT), "weight")
    refuses(lambda: metrics.dnc([FEATURES], [0 * WEIGHT], LABELS), "weights")
    refuses(lambda: metrics.dnc([FEATURES], [], LABELS), "layers")
    refuses(lambda: metrics.dnc([], [], LABELS), "layers")
    refuses(lambda: metrics.distance(torch.zeros(3, 3), torch.eye(3)), "matrix")
    refuses(lambda: metrics.distance(torch.eye(3), torch.zeros(3, 3)), "structure")
    refuses(lambda: theory.optimal_scale(PROBLEM, torch.zeros(4, 4)), "structure")
    refuses(lambda: metrics.structure_labels(torch.ones(1, 1)), "logits")
    refuses(lambda: metrics.share([], "dnc"), "labels")
