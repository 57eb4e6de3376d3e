"""The Hessian spectrum at DNC in closed form, against the numerical block reduction, which knows nothing of it."""

import math

import pytest
import torch

from dufm_lib import Problem, hessian, theory
from dufm_lib.structures import simplex_etf

CASES = [(2, 1, 2, 3), (3, 2, 3, 5), (4, 1, 2, 5), (6, 3, 3, 8), (5, 2, 1, 7), (10, 1, 2, 10)]


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0, 7.0])  # both roots of the critical equation, stable and unstable
@pytest.mark.parametrize(("K", "n", "L", "d"), CASES)
def test_the_spectrum_is_that_of_the_hessian(K, n, L, d, scale):
    decay = theory.dnc_weight_decay(Problem(K, n, L, d, 1.0), scale)
    problem = Problem(K, n, L, d, decay)
    expected = hessian.aligned_spectrum(problem, scale * simplex_etf(K)).expand()
    families = theory.dnc_spectrum(problem, scale)
    found = torch.cat([torch.full((count,), value, dtype=torch.float64) for _, value, count in families])
    # rounding of an eigenvalue solver: 1e-16 times the largest eigenvalue (below 60 decay) times the size of the block
    torch.testing.assert_close(found.sort().values, expected, rtol=0, atol=1e-12 * decay)


@pytest.mark.parametrize(("K", "L"), [(3, 2), (4, 2), (10, 3), (50, 4)])
def test_the_signs_are_those_of_the_stable_scale_and_of_the_frontier_scale(K, L):
    problem = Problem(K, 1, L, K, 1.0)
    peak, stable = theory.dnc_frontier_scale(problem), theory.dnc_stable_scale(problem)

    def eigenvalue(name, scale):
        return [family.eigenvalue for family in theory.dnc_spectrum(problem, scale) if family.name == name]

    assert eigenvalue("scale", 0.99 * peak)[0] < 0 < eigenvalue("scale", 1.01 * peak)[0]
    assert min(eigenvalue("class sizes", stable)) > 0
    if K >= 4:
        assert eigenvalue("pattern", 0.99 * stable)[0] < 0 < eigenvalue("pattern", 1.01 * stable)[0]
    else:
        assert eigenvalue("pattern", stable) == []


@pytest.mark.parametrize(("K", "n", "L"), [(4, 1, 2), (10, 5, 2), (6, 2, 4), (4, 2, 1)])
def test_the_weight_decay_inverts_the_critical_scales(K, n, L):
    problem = Problem(K, n, L, K, 1e-3)
    for scale in theory.dnc_critical_scales(problem):
        # the roots are found to 1e-14 in the logarithm; the equation is steep by at most the scale, about 10
        assert theory.dnc_weight_decay(problem, scale) == pytest.approx(1e-3, rel=1e-12)


def test_large_scales_do_not_overflow():
    assert 0 < theory.dnc_weight_decay(Problem(4, 1, 2, 4, 1.0), 700.0) < 1e-300
    assert all(math.isfinite(family.eigenvalue) for family in theory.dnc_spectrum(Problem(4, 1, 2, 4, 1.0), 700.0))


@pytest.mark.parametrize(
    ("options", "scale", "message"),
    [
        ({}, 0.0, "scale must be positive"),
        ({"samples": (1, 1, 1, 2)}, 1.0, "balanced"),
        ({"loss": "mse"}, 1.0, "cross_entropy"),
        ({"activation": "relu"}, 1.0, "linear"),
    ],
)
def test_bad_input_is_named(options, scale, message):
    problem = Problem(**{"classes": 4, "samples": 1, "depth": 2, "width": 4, "weight_decay": 0.01} | options)
    with pytest.raises(ValueError, match=message):
        theory.dnc_spectrum(problem, scale)
