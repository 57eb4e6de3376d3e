"""Answers to the exercises on the landscape: zero modes, stability, flatness, and where descent ends."""

from __future__ import annotations

import math

import torch
from scipy.optimize import brentq

from dufm_lib import hessian, structures, theory
from dufm_lib.checks.judges import Function, Judge, Number, Whole
from dufm_lib.problem import Problem


def _critical_decay(logits: torch.Tensor, depth: int) -> float:
    """Weight decay at which logits with equal singular values are critical, from one sample per class.

    The gradient G of the fit is -lambda s^(1-L) along the singular vectors of Z, whose singular values are s^(L+1).
    """
    gradient = (logits.softmax(0) - torch.eye(len(logits), dtype=logits.dtype)) / len(logits)
    sigma = float(torch.linalg.svdvals(logits)[0])
    return -float((gradient * logits).sum() / logits.square().sum()) * sigma ** (2 * depth / (depth + 1))


def _pairing_is_stable(scale: float) -> bool:
    logits = scale * structures.pairing(6)
    problem = Problem(6, 1, 2, 6, _critical_decay(logits, 2))
    return hessian.aligned_spectrum(problem, logits).negative == 0


def _pairing_turn() -> float:
    """Scale from which on pairing of six classes is stable at depth 2."""
    low, high = 0.2, 4.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if _pairing_is_stable(middle) else (middle, high)
    return high


def _dnc_decay(classes: int, scale: float) -> float:
    return theory.dnc_weight_decay(Problem(classes, 1, 2, classes, 1.0), scale)


def _stable_scale(classes: int) -> float:
    return theory.dnc_stable_scale(Problem(classes, 1, 2, classes, 1.0))


def _samples_to_destabilise(power: float) -> float:
    """(lambda_stable / lambda)^power, for ten classes, depth 2 and lambda = 2^-10."""
    return (_dnc_decay(10, _stable_scale(10)) * 2**10) ** power


def _three_classes(scale: float) -> float:
    """Smallest eigenvalue of the Hessian at collapse of three classes, but for the rotations."""
    families = theory.dnc_spectrum(Problem(3, 1, 2, 3, _dnc_decay(3, scale)), scale)
    return min(family.eigenvalue for family in families if family.name != "rotations")


def _three_classes_top() -> float:
    return theory.dnc_frontier_scale(Problem(3, 1, 2, 3, 1.0))


def _stable_decay_of_deep(classes: int) -> float:
    """The frontier of stability at a depth so large that it has reached its limit."""
    deep = Problem(classes, 1, 10**6, classes, 1.0)
    return theory.dnc_weight_decay(deep, theory.dnc_stable_scale(deep))


def _spectral_ratio(depth: int) -> float:
    """Largest eigenvalue at pairing over that at collapse, for vanishing weight decay and six classes."""
    problem = Problem(6, 1, depth, 6, 1e-3)
    return theory.pairing_flatness(problem).spectral / theory.dnc_flatness(problem).spectral


def _even_samples(classes: int, depth: int) -> float:
    """Samples per class at which the traces are equal: both are linear in n."""

    def lead(samples: int) -> float:
        problem = Problem(classes, samples, depth, classes, 1e-3)
        return theory.dnc_flatness(problem).trace - theory.pairing_flatness(problem).trace

    return 1 - lead(1) / (lead(2) - lead(1))


def _polygon_constant(per_scale: bool = True) -> float:
    """Largest eigenvalue over the weight decay, and over the scale, of the polygon of twelve classes at depth 3."""
    problem = Problem(12, 1, 3, 12, 1e-200)
    scale = theory.optimal_scale(problem, structures.polygon(12))[0]
    spectrum = hessian.aligned_spectrum(problem, scale * structures.polygon(12))
    return float(spectrum.eigenvalues.max()) / problem.weight_decay / (scale if per_scale else 1)


def _dnc_scale(place: int, samples: int = 5) -> float:
    """A critical scale of collapse at the largest weight decay of the sweep."""
    return theory.dnc_critical_scales(Problem(10, samples, 2, 70, 2**-6))[place]


def _not_more_frequent(first: int, second: int) -> float:
    """Chance that ten of 200 runs, `first` of which collapse, hold at least as many as ten of 200 with `second`."""
    ways = [[math.comb(hits, i) * math.comb(200 - hits, 10 - i) for i in range(11)] for hits in (first, second)]
    return sum(ways[0][i] * sum(ways[1][: i + 1]) for i in range(11)) / math.comb(200, 10) ** 2


ANSWERS: dict[str, Judge] = {
    "ex-landscape-shallow": Whole(
        lambda: theory.solution_dimension(rank=3, width=6, depth=1),
        mistakes={
            "that is the paper's count, which takes away too much": lambda: theory.solution_dimension_paper(3, 6, 1),
            "the simplex of K classes has a smaller rank than K": lambda: theory.solution_dimension(4, 6, 1),
        },
    ),
    "ex-landscape-bisection": Number(
        lambda: _critical_decay(_pairing_turn() * structures.pairing(6), 2),
        mistakes={
            "that is the scale; its weight decay is asked for": _pairing_turn,
            "that is where collapse turns stable": lambda: _dnc_decay(6, _stable_scale(6)),
        },
    ),
    "ex-landscape-polygon": Whole(
        lambda: theory.solution_dimension(rank=2, width=9, depth=3),
        mistakes={
            "that is one inner frame, and there are L": lambda: theory.solution_dimension(2, 9, 1),
            "a turn inside a frame's span moves the parameters too": lambda: theory.solution_dimension_paper(2, 9, 3),
        },
    ),
    "ex-critical-n": Whole(
        lambda: math.ceil(_samples_to_destabilise(3)),
        mistakes={
            "at this n collapse is still stable: round up": lambda: math.floor(_samples_to_destabilise(3)),
            "n enters with the exponent 1/(L+1), not 1/L": lambda: math.ceil(_samples_to_destabilise(2)),
        },
    ),
    "ex-critical-three": Number(
        lambda: brentq(_three_classes, _three_classes_top(), 2.0),
        mistakes={
            "that is where collapse starts to exist": _three_classes_top,
            "that scale suffices, but it is not the smallest": lambda: _stable_scale(3),
        },
    ),
    "ex-critical-large": Function(_stable_decay_of_deep, inputs=[(4,), (6,), (10,)], rtol=1e-3),
    "ex-flatness-one": Number(
        lambda: _spectral_ratio(1),
        mistakes={
            "turn the ratio round: the sharper over the flatter": lambda: 1 / _spectral_ratio(1),
            "that is the ratio from depth 2 on": lambda: _spectral_ratio(2),
        },
    ),
    "ex-flatness-equal": Function(_even_samples, inputs=[(10, 2), (20, 2), (10, 4), (6, 8)]),
    "ex-flatness-polygon": Number(
        _polygon_constant,
        rtol=1e-2,
        mistakes={"divide by the scale, too": lambda: _polygon_constant(per_scale=False)},
    ),
    "ex-ends-ten": Function(  # drawn samples are right too
        _not_more_frequent, inputs=[(100, 140), (60, 100), (20, 20), (120, 90)], rtol=0.1
    ),
    "ex-ends-stability": Number(
        lambda: _dnc_scale(-1),
        mistakes={
            "that is the smaller of the two critical scales, which is never stable": lambda: _dnc_scale(0),
            "the sweep has five samples a class": lambda: _dnc_scale(-1, samples=1),
        },
    ),
}
