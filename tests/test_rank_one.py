"""What rank one can do: the bound by brute force over all orders, lines that come close, classes given up."""

import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference import near

from dufm_lib import Problem, hessian, structures, theory
from dufm_lib.theory.rank_one import FINEST


def sized(sizes):
    return Problem(len(sizes), sizes, 2, len(sizes), 0.01)


def by_brute_force(sizes):
    """The least (1/N) sum_k n_k log min(place from one end, place from the other) over all orders on a line."""
    K, N = len(sizes), sum(sizes)
    orders = itertools.permutations(range(K))
    return min(sum(sizes[k] * math.log(min(j + 1, K - j)) for j, k in enumerate(order)) / N for order in orders)


@pytest.mark.parametrize("sizes", [(n,) * K for K in range(2, 8) for n in (1, 3)] + [(9, 9, 1, 1), (1, 7, 2, 2, 5)])
def test_the_bound_by_brute_force(sizes):
    assert theory.rank_one_fit(sized(sizes)) == near(by_brute_force(sizes), rel=1e-14)


vectors = st.lists(st.floats(-30, 30), min_size=2, max_size=7)


@given(vectors, vectors, st.integers(0, 3), st.data())
def test_no_logits_of_rank_one_fit_better(u, v, ties, data):
    K = min(len(u), len(v))
    sizes = data.draw(st.lists(st.integers(1, 9), min_size=K, max_size=K))
    u = np.round(u[:K], ties)  # some of them equal
    logits = torch.from_numpy(np.outer(u, v[:K]))
    fit = theory.structure_loss(Problem(K, sizes, 1, K, 0.0), logits, 1.0)
    assert fit >= theory.rank_one_fit(sized(sizes)) - 1e-12  # rounding


@pytest.mark.parametrize("K", [2, 3, 4, 7, 8])
def test_the_graded_line_comes_close(K):
    free, bound = Problem(K, 1, 1, K, 0.0), theory.rank_one_fit(Problem(K, 1, 1, K, 0.01))
    ratios = np.exp(FINEST / ((K + 1) // 2) * np.array([0.25, 0.5, 0.99]))
    lines = [theory.graded_line(K, float(ratio)) for ratio in ratios]
    above = [theory.structure_loss(free, line, 1.0) - bound for line in lines]
    assert above == sorted(above, reverse=True)
    # a class is behind by less than t^{-1/2} of each of those it ties with: the log of its share moves by half of that
    assert -1e-9 < above[-1] < ratios[-1] ** -0.5
    for line in lines:
        assert int(structures.rank(line)) == 1
        assert float(line.sum(0).abs().max()) < 1e-12 * float(line.abs().max())


def test_refusals_say_how_fine_the_gaps_may_be():
    with pytest.raises(ValueError, match=re.escape("ratio must be at most 2981 for 8 classes, got 4000")):
        theory.graded_line(8, 4000.0)
    with pytest.raises(ValueError, match="greater than 1, got 1"):
        theory.graded_line(8, 1.0)


def test_with_weight_decay_one_over_depth_rank_one_has_its_window():
    # the objective tends to a r / 2 + the least fit of rank r: 1.795 for a line, 2 for rank 2, log 8 = 2.079 for zero
    K, L, a = 8, 1000, 2.0
    loss, logits = theory.search_optimum(Problem(K, 1, L, K, a / L), starts=24)
    assert loss < 1.8510 and int(structures.rank(logits)) == 1
    assert loss > a / 2 + theory.rank_one_fit(Problem(K, 1, L, K, a / L))  # singular values above 1 cost more


# three classes: two ends of a line, the third given up


def line_of_three(t, L, weight_decay):
    fit = (2 * math.log(1 + math.exp(-t) + math.exp(-2 * t)) + math.log(3)) / 3
    return fit + weight_decay * (L + 1) / 2 * (2 * t) ** (2 / (L + 1))


ENDS = torch.tensor([[1.0, 0, -1], [0, 0, 0], [-1, 0, 1]]).double()


@pytest.mark.parametrize(("L", "weight_decay"), [(2, 0.1856), (3, 0.1365), (4, 0.117), (6, 0.0861)])
def test_three_classes_give_one_up_before_they_give_up_all(L, weight_decay):
    problem = Problem(3, 1, L, 3, weight_decay)
    scale, loss = theory.optimal_scale(problem, ENDS)
    assert loss == near(line_of_three(scale, L, weight_decay), rel=1e-12)
    _, collapse = theory.optimal_scale(problem, structures.simplex_etf(3))
    assert loss < collapse - 1e-3 and collapse < math.log(3)
    found, logits = theory.search_optimum(problem, starts=8)
    assert found == near(loss, rel=1e-9) and int(structures.rank(logits)) == 1


def test_it_is_a_local_minimum():
    problem = Problem(3, 1, 4, 3, 0.12)
    scale, loss = theory.optimal_scale(problem, ENDS)
    assert loss < math.log(3) and hessian.aligned_spectrum(problem, scale * ENDS).negative == 0


# two classes: no logits beat collapse and zero


@given(st.integers(1, 4), st.integers(1, 5), st.floats(1e-4, 0.5), st.integers(0, 2**31))
def test_two_classes_prefer_collapse_at_every_depth(n, L, weight_decay, seed):
    samples = 2 * n  # n columns of each class, each of its own: as many classes as columns would be needed
    y = 4 * np.random.default_rng(seed).standard_normal((2, samples))
    sign = np.repeat([1, -1], n)
    gaps = sign * (y[0] - y[1])
    sigma = np.linalg.svd(y, compute_uv=False)
    loss = np.logaddexp(0, -gaps).mean() + weight_decay * (L + 1) / 2 * (sigma ** (2 / (L + 1))).sum()
    best = theory.optimal_scale(Problem(2, n, L, 2, weight_decay), structures.simplex_etf(2))[1]
    assert best <= loss + 1e-12
    alpha = np.sqrt((gaps**2).mean())  # the proof's: collapse of the same size
    assert theory.structure_loss(Problem(2, n, L, 2, weight_decay), structures.simplex_etf(2), alpha) <= loss + 1e-12
