"""The multi-start search against the table of theory.md, the closed forms, and descent on the parameters."""

import math
import re

import numpy as np
import pytest
import torch
from reference import CASES, minimise, near, reduced

from dufm_lib import Problem, model, structures, theory
from dufm_lib.theory.search import _FactorForm

K_OF_TABLE = (4, 5, 6, 8, 10)
TABLE = {  # theory.md section 6, n = 1: {(L, lambda): (loss, rank) for each K}
    (1, 1e-3): [(0.023719, 3), (0.031623, 4), (0.039526, 5), (0.055330, 7), (0.071129, 9)],
    (2, 1e-3): [(0.018895, 3), (0.025052, 3), (0.029568, 3), (0.039806, 4), (0.050017, 5)],
    (3, 3e-4): [(0.005335, 2), (0.007061, 2), (0.008125, 3), (0.010707, 3), (0.013114, 3)],
    (4, 3e-4): [(0.005011, 2), (0.006288, 2), (0.007605, 3), (0.009506, 3), (0.011208, 3)],
    (6, 1e-4): [(0.001725, 2), (0.002034, 2), (0.002341, 2), (0.002943, 2), (0.003454, 3)],
}
LAST_DIGIT = 5.1e-7  # the table is rounded to six decimals
LINEAR = {name: problem for name, problem in CASES.items() if problem.activation == "linear"}


def setting(K, L, weight_decay, n=1, **changes):
    return Problem(K, n, L, K, weight_decay, **changes)


@pytest.mark.parametrize("K", K_OF_TABLE)
@pytest.mark.parametrize(("L", "weight_decay"), TABLE)
def test_matches_or_beats_the_table(K, L, weight_decay):
    entry, rank = TABLE[L, weight_decay][K_OF_TABLE.index(K)]
    loss, logits = theory.search_optimum(setting(K, L, weight_decay), starts=16)
    assert loss < entry + LAST_DIGIT
    if loss > entry - LAST_DIGIT:
        assert int(structures.rank(logits)) == rank


@pytest.mark.parametrize("problem", LINEAR.values(), ids=LINEAR)
def test_never_above_the_named_structures_nor_zero(problem):
    loss, logits = theory.search_optimum(problem, starts=0)
    for shape in (structures.simplex_etf, structures.pairing, structures.polygon):
        assert loss <= theory.optimal_scale(problem, shape(problem.classes))[1]
    assert loss <= theory.structure_loss(problem, logits, 0.0)
    assert loss == near(theory.structure_loss(problem, logits, 1.0), rel=1e-14)  # rounded twice


@pytest.mark.parametrize("problem", LINEAR.values(), ids=LINEAR)
def test_the_end_is_a_critical_point_of_the_parameters(problem):
    loss, logits = theory.search_optimum(problem, starts=4)
    params = [tensor.requires_grad_() for tensor in model.aligned_point(problem, logits)]
    value = model.objective(problem, params)
    assert value.item() == near(loss, rel=1e-12)  # the same number, summed in another order
    assert loss == near(reduced(problem, logits.numpy()), rel=1e-9)  # the loops round sqrt(eigenvalue)
    # L-BFGS ends where the value no longer moves in float64: the slope is then about the root of that.
    assert max(float(slope.abs().max()) for slope in torch.autograd.grad(value, params)) < 1e-6


@pytest.mark.parametrize(
    "problem", [setting(3, 2, 0.02), setting(4, 2, 0.02), setting(4, 3, 3e-3), setting(3, 1, 0.05)]
)
def test_descent_on_the_parameters_finds_nothing_lower(problem):
    loss, logits = theory.search_optimum(problem, starts=8)
    polished = float(model.objective(problem, minimise(problem, model.aligned_point(problem, logits), newton=2)))
    assert polished == near(loss, rel=1e-10)  # both are minima: errors of 1e-6 in the logits are squared
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        start = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in problem.shapes]
        assert float(model.objective(problem, minimise(problem, start, newton=0))) > loss * (1 - 1e-10)


def test_a_seed_gives_one_result_and_more_starts_none_that_is_worse():
    problem = setting(7, 3, 1e-4)
    few, again = (theory.search_optimum(problem, starts=6, seed=3) for _ in range(2))
    assert few[0] == again[0] and few[1].equal(again[1])
    assert theory.search_optimum(problem, starts=24, seed=3)[0] <= few[0] * (1 + 1e-12)
    assert theory.search_optimum(problem, starts=0, near=[few[1]])[0] <= few[0] * (1 + 1e-12)  # both polished


def test_samples_and_weight_decay_enter_by_one_number():
    n, K, L, weight_decay = 7, 5, 2, 1e-3
    many = theory.search_optimum(setting(K, L, weight_decay, n), starts=6)
    one = theory.search_optimum(setting(K, L, weight_decay * n ** (1 / (L + 1))), starts=6)
    unequal = (weight_decay * 9 ** (L + 1), weight_decay / 9 ** ((L + 1) / L))  # of this geometric mean
    other = theory.search_optimum(setting(K, L, unequal, n), starts=6)
    assert many[0] == near(one[0], rel=1e-10) and many[0] == near(other[0], rel=1e-10)


def test_the_order_of_the_class_sizes_does_not_matter():
    losses = {theory.search_optimum(setting(4, 2, 3e-3, sizes), starts=12)[0] for sizes in ((1, 2, 5, 9), (9, 1, 5, 2))}
    assert max(losses) == near(min(losses), rel=1e-9)


@pytest.mark.parametrize("K", [3, 5, 7])
def test_columns_sum_to_zero_and_so_the_rank_is_at_most_one_less_than_the_classes(K):
    # The gradient of cross-entropy has columns that sum to zero, and at a critical point the penalty's equals it.
    _, logits = theory.search_optimum(setting(K, 2, 1e-3), starts=6)
    assert float(logits.sum(0).abs().max()) < 1e-5 * float(logits.abs().max())
    assert int(structures.rank(logits)) <= K - 1


def test_mse_finds_the_identity_at_one_layer():
    K, weight_decay = 4, 0.01
    loss, logits = theory.search_optimum(setting(K, 1, weight_decay, loss="mse"), starts=0)
    gamma = 1 - K * weight_decay  # of min (1 - gamma)^2 / 2 + weight_decay K gamma
    assert loss == near((1 - gamma) ** 2 / 2 + weight_decay * K * gamma, rel=1e-12)
    assert torch.allclose(logits, gamma * torch.eye(K, dtype=torch.float64), atol=1e-6)


@pytest.mark.parametrize("L", [1, 2, 5])
def test_with_too_much_weight_decay_zero_is_best(L):
    loss, logits = theory.search_optimum(setting(4, L, 3.0), starts=4)
    assert loss == near(math.log(4), rel=1e-12) and not logits.any()


@pytest.mark.parametrize("problem", LINEAR.values(), ids=LINEAR)
def test_the_factor_form_is_an_upper_bound_with_the_right_slope(problem):
    form, rng = _FactorForm(problem), np.random.default_rng(0)
    for _ in range(10):
        point = rng.standard_normal(2 * problem.classes * 2)
        value, slope = form(point)
        bound = reduced(problem, form.logits(point)) / form.price
        assert value > bound
        assert form(form.factors(form.logits(point)))[0] == near(bound, rel=1e-9)  # sqrt(eigenvalue) in the loops
        direction = rng.standard_normal(point.size)
        step = 1e-6 * direction
        # central differences: an error of step^2 and one of rounding / step, both 1e-9 of values near 1e3
        assert slope @ direction == pytest.approx((form(point + step)[0] - form(point - step)[0]) / 2e-6, rel=1e-5)


def test_the_search_reports_and_stops_when_told():
    seen = []
    theory.search_optimum(setting(4, 2, 1e-3), starts=2, report=lambda share, text: seen.append(share) or True)
    assert seen == [0.2, 0.4, 0.6, 0.8, 1.0]  # three structures and two starts
    seen.clear()
    theory.search_optimum(setting(4, 2, 1e-3), starts=2, report=lambda share, text: seen.append(share))
    assert len(seen) == 5  # None is not False
    seen.clear()
    loss, _ = theory.search_optimum(setting(4, 2, 1e-3), starts=9, report=lambda share, text: bool(seen.append(share)))
    assert len(seen) == 1 and loss < 0.02


@pytest.mark.parametrize(
    ("problem", "changes", "message"),
    [
        (setting(4, 3, 1e-3, activation="relu"), {}, "'linear', got 'relu'"),
        (setting(4, 3, 0.0), {}, "weight_decay must be positive"),
        (setting(4, 3, 1e-3), {"starts": -1}, "starts must be at least 0"),
        (setting(4, 3, 1e-3), {"seed": 0.5}, "seed must be an integer"),
        (setting(4, 3, 1e-3), {"near": [torch.eye(3)]}, "near must be"),
        (setting(4, 3, 1e-3), {"near": [torch.zeros(4, 4)]}, "near must not be zero"),
    ],
)
def test_bad_input_is_said_in_words(problem, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        theory.search_optimum(problem, **changes)
