"""The bound by singular values: below every point, attained by a simplex, and useless from depth 2 on."""

import math

import pytest
import torch
from scipy.optimize import minimize

from dufm_lib import Problem, model, theory
from dufm_lib.structures import pairing, simplex_etf

PAPER = {L: Problem(10, 5, L, 70, 2**-10) for L in (1, 2, 3)}  # Figure 1, and its neighbours


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_it_lies_below_the_objective_of_random_points(depth):
    problem = Problem(5, 3, depth, 7, 0.01)
    for seed in range(20):
        params = model.random_point(problem, seed=seed, init_scale=0.5 + seed % 4)
        sigma = torch.linalg.svdvals(model.logits(problem, params))
        assert theory.spectral_bound(problem, sigma) <= float(model.objective(problem, params))


@pytest.mark.parametrize("depth", PAPER)
def test_a_simplex_attains_it(depth):
    scale, loss = theory.optimal_scale(PAPER[depth], simplex_etf(10))
    sigma = torch.tensor([scale * math.sqrt(5)] * 9 + [0.0])
    assert theory.spectral_bound(PAPER[depth], sigma) == pytest.approx(loss, rel=1e-12)  # rounding
    assert theory.least_spectral_bound(PAPER[depth], 9) == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("depth", PAPER)
@pytest.mark.parametrize("rank", [1, 4, 9])
def test_the_least_bound_is_that_of_a_search_over_the_size(depth, rank):
    problem = PAPER[depth]

    def bound(log_size):
        return theory.spectral_bound(problem, torch.tensor([math.exp(log_size)] * rank + [0.0] * (10 - rank)))

    found = min(bound(start / 20) for start in range(-40, 140))  # e^-2 to e^7, in steps of five per cent
    found = min(found, theory.spectral_bound(problem, torch.zeros(10)))
    least = theory.least_spectral_bound(problem, rank)
    # at a minimum the value is flat: half a step off is a relative 1e-3 at most
    assert least <= found + 1e-12 and found == pytest.approx(least, rel=2e-3)


def test_the_proof_closes_at_depth_one_alone():
    """Rank one has the least bound of all spectra; at depth 1 no spectrum is below the simplex."""
    for depth, problem in PAPER.items():
        collapse = theory.optimal_scale(problem, simplex_etf(10))[1]
        scale, low_rank = theory.optimal_scale(problem, pairing(10))
        sigma = torch.linalg.svdvals(scale * math.sqrt(5) * pairing(10))
        least = [theory.least_spectral_bound(problem, rank) for rank in range(1, 11)]
        assert theory.spectral_bound(problem, sigma) < low_rank  # pairing does not attain it
        if depth == 1:
            assert least == pytest.approx([collapse] * 10, rel=1e-12)
        else:
            assert least == sorted(least) and least[0] < theory.spectral_bound(problem, sigma) < low_rank < collapse


def test_no_spectrum_of_five_values_beats_rank_one():
    problem = Problem(5, 2, 2, 6, 0.003)
    best = theory.least_spectral_bound(problem, 1)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        start = 10 * torch.rand(5, generator=generator)
        found = minimize(
            lambda x: theory.spectral_bound(problem, torch.tensor(abs(x))), start.numpy(), method="Nelder-Mead"
        )
        assert found.fun >= best - 1e-9  # the search is inexact, upwards
