"""Two sizes of classes: the SEL matrix, the symmetric optimum, and the threshold of minority collapse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import near

from dufm_lib import Problem, descent, metrics, model, theory
from dufm_lib.structures import simplex_etf


def step(K, minority, ratio, depth=1, weight_decay=0.01, smallest=1, width=None):
    return Problem(K, theory.step_sizes(K, minority, ratio, smallest), depth, width or K, weight_decay)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 9), st.data(), st.integers(2, 50), st.integers(1, 4))
def test_singular_values_of_sel(K, data, ratio, smallest):
    problem = step(K, data.draw(st.integers(1, K - 1)), ratio, smallest=smallest)
    expected = [value for value, times in theory.sel_singular_values(problem) for _ in range(times)]
    repeated = np.repeat(simplex_etf(K).numpy(), problem.class_sizes, axis=1)
    found = np.linalg.svd(repeated, compute_uv=False)[:K]
    assert found[:-1].tolist() == pytest.approx(expected, rel=1e-10)
    assert found[-1] == pytest.approx(0, abs=1e-10 * found[0])  # rank K - 1


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(("K", "minority", "ratio"), [(4, 2, 9), (5, 3, 4), (5, 1, 6), (4, 3, 20)])
def test_the_loss_is_the_reduced_objective_of_the_logits(K, minority, ratio, depth):
    problem = step(K, minority, ratio, depth, (2e-3, 8e-3), smallest=2)
    for merged in (False, True):
        found = theory.step_optimum(problem, merged)
        assert found.loss == near(theory.structure_loss(problem, found.logits, 1.0), rel=1e-10)
    assert float(found.logits[:, -minority:].std(1).max() if minority > 1 else 0) == pytest.approx(0, abs=1e-9)


def test_sizes_may_stand_in_any_order():
    sorted_sizes, mixed = Problem(4, (9, 9, 1, 1), 1, 4, 0.01), Problem(4, (1, 9, 1, 9), 1, 4, 0.01)
    order = [1, 3, 0, 2]  # the large classes first
    first, second = theory.step_optimum(sorted_sizes), theory.step_optimum(mixed)
    # L-BFGS stops when the loss, of size 0.3, changes by rounding: logits to the root of that
    assert torch.allclose(first.logits, second.logits[order][:, order], atol=1e-6)


@pytest.mark.parametrize("weight_decay", [0.08, 0.03, 0.004])
@pytest.mark.parametrize(("minority", "ratio"), [(2, 9), (1, 5), (3, 12)])
def test_one_layer_descends_to_the_symmetric_optimum(minority, ratio, weight_decay):
    problem = step(4, minority, ratio, weight_decay=weight_decay, width=6)
    runs = descent.train(problem, 2, steps=20_000, learning_rate=2.0, tolerance=1e-8, dtype=torch.float64)
    found = theory.step_optimum(problem)
    # the gradient is below 1e-8 and the loss quadratic in the distance; near a threshold descent is slower
    assert runs.loss.tolist() == [pytest.approx(found.loss, abs=1e-7)] * 2
    assert (runs.loss >= found.loss - 1e-9).all()


@pytest.mark.parametrize(("K", "minority", "ratio", "smallest"), [(4, 2, 9, 1), (6, 3, 20, 2), (5, 4, 2, 3)])
def test_small_classes_merge_exactly_at_the_threshold(K, minority, ratio, smallest):
    decay = theory.merging_decay(step(K, minority, ratio, smallest=smallest))
    below = theory.step_optimum(step(K, minority, ratio, weight_decay=0.99 * decay, smallest=smallest))
    above = theory.step_optimum(step(K, minority, ratio, weight_decay=1.01 * decay, smallest=smallest))
    assert below.small > 1e-3 and above.small < 1e-5  # c leaves zero linearly; one part in a hundred is 0.05 at least
    assert decay == near(math.sqrt(smallest) / (smallest * (minority + (K - minority) * ratio)), rel=1e-12)


def test_the_threshold_holds_in_balance_too():
    """With equal sizes everything merges at K lambda sqrt(n) = 1: the threshold of the chapter on one layer."""
    problem = Problem(5, 4, 1, 5, 0.01)
    assert theory.merging_decay(problem) == near(1 / (5 * math.sqrt(4)), rel=1e-12)


def test_one_layer_tends_to_sel_as_the_weight_decay_vanishes():
    distances = []
    for exponent in (2, 4, 8, 16, 32):
        problem = step(4, 2, 9, weight_decay=10.0**-exponent)
        found = model.expand(problem, theory.step_optimum(problem).logits)
        distances.append(float(metrics.distance(found, model.expand(problem, simplex_etf(4)))))
    assert distances == sorted(distances, reverse=True) and distances[-1] < 0.011
    # like 1 / log(1 / lambda): doubling the exponent halves the distance, but for lower orders
    assert distances[-1] / distances[-2] == pytest.approx(0.5, abs=0.02)


def test_deeper_optima_leave_the_frame_of_one_layer():
    """Theorem A3: at (R, rho) = (10, 1/2) and four classes from depth 3 on."""
    for weight_decay in (1e-3, 1e-6, 1e-9):
        frame = theory.step_optimum(step(4, 2, 10, 1, weight_decay)).logits
        for depth in (3, 4, 6):
            problem = step(4, 2, 10, depth, weight_decay)
            assert theory.step_optimum(problem).loss < 0.999 * theory.optimal_scale(problem, frame)[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.step_sizes(4, 4, 2), "minority must be less"),
        (lambda: theory.step_sizes(4, 2, 0), "ratio"),
        (lambda: theory.sel_singular_values(Problem(4, 2, 1, 4, 0.1)), "two sizes"),
        (lambda: theory.step_optimum(Problem(3, (3, 2, 1), 1, 3, 0.1)), "two sizes"),
        (lambda: theory.step_optimum(Problem(3, (3, 1, 1), 1, 3, 0.1, "mse")), "cross_entropy"),
        (lambda: theory.step_optimum(Problem(3, (3, 1, 1), 1, 3, 0.0)), "weight_decay must be positive"),
        (lambda: theory.merging_decay(Problem(3, (3, 1, 1), 2, 3, 0.1)), "depth 1"),
        (lambda: theory.merging_decay(Problem(3, (3, 3, 1), 1, 3, 0.1)), "two classes of the smallest size"),
    ],
)
def test_bad_problems_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
