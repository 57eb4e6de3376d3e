"""Lemma 1 measured on factors: equal singular values, and balanced neighbours at aligned points only."""

import numpy as np
import pytest
import torch

from dufm_lib import Problem, descent, model, structures
from dufm_lib.balance import factor_singular_values, imbalance

SETTINGS = {
    "equal penalties": Problem(4, 3, 3, 6, 0.01),
    "unequal penalties": Problem(4, 3, 2, 6, (0.002, 0.03)),
    "imbalanced classes": Problem(3, (4, 2, 1), 2, 5, 0.01),
    "one layer": Problem(4, 2, 1, 4, 0.05),
}


@pytest.mark.parametrize("problem", SETTINGS.values(), ids=SETTINGS.keys())
def test_an_aligned_point_is_balanced_and_a_random_one_is_not(problem):
    aligned = model.aligned_point(problem, 3 * structures.simplex_etf(problem.classes))
    assert imbalance(problem, aligned).max() < 1e-12  # rounding, in products of matrices with norms up to 10
    assert imbalance(problem, model.random_point(problem)).min() > 0.5


@pytest.mark.parametrize("problem", SETTINGS.values(), ids=SETTINGS.keys())
def test_against_numpy_loops(problem):
    batch = model.random_point(problem, runs=2, seed=3)
    values, gaps = factor_singular_values(problem, batch), imbalance(problem, batch)
    decays = [problem.penalties[0]] + [problem.penalties[1]] * problem.depth
    for run in range(2):
        factors = [tensor[run].numpy() for tensor in batch]
        for layer, factor in enumerate(factors):
            eigenvalues = np.linalg.eigvalsh(factor @ factor.T)[::-1][: problem.classes]
            # squares of singular values of order 1, exact to a few units in the last place
            assert np.allclose(values[run, layer].numpy() ** 2, eigenvalues, atol=1e-13)
        for layer in range(problem.depth):
            above = decays[layer + 1] * factors[layer + 1].T @ factors[layer + 1]
            below = decays[layer] * factors[layer] @ factors[layer].T
            expected = np.linalg.norm(above - below) / problem.mean_weight_decay
            assert gaps[run, layer].item() == pytest.approx(expected, rel=1e-12)


def test_factors_of_an_aligned_point_share_the_root_of_the_logits_singular_values():
    problem = SETTINGS["equal penalties"]
    logits = structures.pairing(4) + 0.5 * structures.simplex_etf(4)
    values = factor_singular_values(problem, model.aligned_point(problem, logits))
    roots = structures.singular_values(model.expand(problem, logits)) ** (1 / 4)
    roots[roots < 1e-3] = 0  # the fourth root of a rounded zero, 1e-16, is 1e-4
    assert torch.allclose(values, roots.expand(4, 4), atol=1e-12)


def test_both_measures_say_what_was_wrong():
    problem = Problem(4, 3, 2, 6, 0.01, activation="relu")
    with pytest.raises(ValueError, match="'linear', got 'relu'"):
        imbalance(problem, model.random_point(problem))
    with pytest.raises(ValueError, match="3 tensors"):
        factor_singular_values(problem, model.random_point(problem)[:2])


def test_a_factor_made_larger_is_out_of_balance_with_its_two_neighbours():
    problem = SETTINGS["equal penalties"]
    params = model.aligned_point(problem, 3 * structures.simplex_etf(4))
    size = (3 * 3**0.5) ** (1 / 4)  # three equal singular values of every factor
    params[1] = params[1] * 1.1
    gap = 0.21 * size**2 * 3**0.5
    assert imbalance(problem, params).tolist() == pytest.approx([gap, gap, 0], abs=1e-12)


def test_the_imbalance_of_gradient_flow_decays_like_exp_minus_two_lambda_t():
    problem = Problem(3, 2, 2, 4, 0.05)
    start = model.random_point(problem, runs=1, seed=1)
    runs = descent.train(problem, start=start, learning_rate=1e-3, steps=10_000, dtype=torch.float64)
    ratio = imbalance(problem, runs.params) / imbalance(problem, start)
    # time 10; a step of descent differs from the flow by 1e-3 times the squared gradients on the way
    assert ratio.flatten().tolist() == pytest.approx([np.exp(-2 * 0.05 * 10)] * 2, rel=5e-3)


def test_without_weight_decay_the_measure_is_that_of_equal_penalties():
    free, decayed = Problem(3, 2, 2, 4, 0.0), Problem(3, 2, 2, 4, 0.3)
    params = model.random_point(free)
    assert torch.equal(imbalance(free, params), imbalance(decayed, params))
    with pytest.raises(ValueError, match="weight_decay must be positive"):
        imbalance(Problem(3, 2, 2, 4, (0.0, 0.1)), params)
