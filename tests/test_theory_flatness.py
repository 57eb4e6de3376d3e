"""The constants of flatness, against Hessian spectra at weight decays so small that the logarithm is large."""

import pytest

from dufm_lib import Problem, hessian, theory
from dufm_lib.structures import pairing, simplex_etf


def norms(problem, structure, scale):
    """Spectral, Frobenius and trace norm over lambda times the scale."""
    found = hessian.aligned_spectrum(problem, scale * structure)
    sizes, counts = found.eigenvalues.abs() / problem.mean_weight_decay, found.multiplicities
    return [float(x) / scale for x in (sizes.max(), (sizes.square() * counts).sum().sqrt(), (sizes * counts).sum())]


@pytest.mark.parametrize(("K", "n", "L"), [(4, 1, 1), (6, 1, 2), (4, 3, 2), (10, 5, 2), (8, 2, 4)])
def test_the_norms_tend_to_the_constants(K, n, L):
    # norm = lambda (constant scale + O(1)): the error falls like 1/scale, and extrapolating it away leaves 1/scale^2
    for structure, formula in ((simplex_etf(K), theory.dnc_flatness), (pairing(K), theory.pairing_flatness)):
        measured = []
        for decay in (1e-120, 1e-240):
            problem = Problem(K, n, L, K, decay)
            scale = theory.optimal_scale(problem, structure)[0]
            measured.append((scale, norms(problem, structure, scale)))
        (first, early), (second, late) = measured
        for small, large, constant in zip(early, late, formula(problem), strict=True):
            limit = (large * second - small * first) / (second - first)
            assert limit == pytest.approx(constant, rel=3e-4)  # (10 / scale)^2


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (theory.dnc_flatness, {"loss": "mse"}, "cross_entropy"),
        (theory.dnc_flatness, {"samples": (1, 1, 1, 2)}, "balanced"),
        (theory.pairing_flatness, {"activation": "relu"}, "linear"),
        (theory.pairing_flatness, {"classes": 5, "width": 5}, "even number of classes"),
        (theory.pairing_flatness, {"classes": 2}, "at least 4"),
    ],
)
def test_bad_input_is_named(function, options, message):
    problem = Problem(**{"classes": 4, "samples": 1, "depth": 2, "width": 4, "weight_decay": 0.01} | options)
    with pytest.raises(ValueError, match=message):
        function(problem)
