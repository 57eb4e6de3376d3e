"""Answers to the exercises of the part on low-rank bias."""

from __future__ import annotations

import math
from functools import cache

import torch
from scipy.optimize import brentq

from dufm_lib import Problem, structures, theory
from dufm_lib.checks.judges import Construction, Function, Judge, Matrix, Number, Whole


def _pairing_penalty(K: int, n: int, weight_decay: float, alpha: float) -> float:
    return theory.schatten_penalty(Problem(K, n, 1, K, weight_decay), alpha * structures.pairing(K))


def _first_excluded(L: int) -> int:
    return next(K for K in range(2, 100) if theory.dnc_is_excluded(Problem(K, 1, L, K, 1e-3)).holds)


def _first_polygon() -> int:
    """The least depth at which the polygon of ten classes beats pairing."""
    shapes = structures.polygon(10), structures.pairing(10)
    for L in range(2, 100):
        polygon, pairing = (theory.optimal_scale(Problem(10, 1, L, 10, 1e-4), shape)[1] for shape in shapes)
        if polygon < pairing:
            break
    return L


@cache
def _collapse_returns() -> float:
    """The weight decay below which a search for the optimum of five classes at depth 2 finds collapse."""
    low, high = 1e-5, 1e-2
    while high / low > 1.002:
        middle = math.sqrt(low * high)
        problem = Problem(5, 1, 2, 5, middle)
        collapse = theory.optimal_scale(problem, structures.simplex_etf(5))[1]
        beaten = theory.search_optimum(problem, starts=8)[0] < collapse - 1e-12  # rounding
        low, high = (low, middle) if beaten else (middle, high)
    return low


def _pairing_passes_collapse() -> float:
    """The weight decay above which pairing itself, with its single class, beats collapse of five classes at depth 2."""

    def lead(decay: float) -> float:
        shapes = structures.simplex_etf(5), structures.pairing(5)
        collapse, pairing = (theory.optimal_scale(Problem(5, 1, 2, 5, decay), shape)[1] for shape in shapes)
        return collapse - pairing

    return float(brentq(lead, 0.01, 0.05, rtol=1e-6))


@cache
def _icosahedron_loss(samples: int) -> float:
    return theory.search_optimum(Problem(12, samples, 4, 12, 1e-4), starts=4)[0]


@cache
def _gain() -> float:
    """The share of the loss of pairing that the best solution of seven classes saves."""
    problem = Problem(7, 1, 2, 7, 3e-5)
    return 1 - theory.search_optimum(problem, starts=8)[0] / theory.optimal_scale(problem, structures.pairing(7))[1]


def _largest_window() -> int:
    """The largest K for which rank one is best at some weight decay a / L of a model without end."""
    fits = {K: theory.rank_one_fit(Problem(K, 1, 1, K, 1.0)) for K in range(3, 30)}  # none from 4 e^2 on
    return max(K for K, fit in fits.items() if 2 * fit < math.log(K))


def _relu_pairs_loss(weight_decay: float) -> float:
    P = structures.pairing(8)
    return theory.nonnegative_optimum(Problem(8, 1, 6, 8, weight_decay, activation="relu"), P + 1, [P / 2])[1]


def _odd_penalty(last: float = 1.0) -> float:
    """The penalty of seven pairs and a chain for the last class, at L = 4, scale 4 and weight decay 1e-4."""
    L = 4
    return 1e-4 * (L + 1) / 2 * 4.0 ** (2 / (L + 1)) * (theory.relu_pairing_price(14, L) + last)


def _beat_collapse(bound: bool = False) -> int:
    """The first even K at which ReLU pairs are cheaper than collapse at L = 4, or than the bound of collapse."""
    for K in range(4, 100, 2):
        own = theory.nonnegative_price(torch.eye(K, dtype=torch.float64), [structures.simplex_etf(K)], 4)
        if theory.relu_pairing_price(K, 4) < (K - 1 if bound else own):
            break
    return K


def _no_edges(matrix: torch.Tensor) -> bool:
    return not (torch.isin(matrix, torch.tensor([0.0, 1.0], dtype=matrix.dtype)).all() and (matrix.sum(0) == 2).all())


def _repeated(matrix: torch.Tensor) -> bool:
    return len(matrix.unique(dim=1).T) < matrix.shape[1]


def _dear(matrix: torch.Tensor) -> bool:
    readout = (matrix - matrix.mean(1, keepdim=True)).T
    return not theory.nonnegative_price(matrix, [readout], 3) < matrix.shape[1] - 1


def _merging(sizes: tuple[int, ...]) -> float:
    return theory.merging_decay(Problem(4, sizes, 1, 4, 0.01))


def _difference(R: int) -> float:
    """a - c of two large and two small classes, at a weight decay that is almost zero."""
    found = theory.step_optimum(Problem(4, theory.step_sizes(4, 2, R), 1, 4, 1e-60))
    return found.large - found.small


ANSWERS: dict[str, Judge] = {
    "ex-low-rank-one-layer": Function(_pairing_penalty, [(4, 1, 1e-3, 1.0), (6, 4, 0.01, 2.0), (10, 5, 2**-10, 7.0)]),
    "ex-low-rank-threshold": Matrix(lambda: [_first_excluded(L) for L in range(2, 13)]),
    "ex-low-rank-polygon": Whole(
        _first_polygon, mistakes={"there pairing is still the better one": lambda: _first_polygon() - 1}
    ),
    "ex-low-rank-pyramid": Number(
        _collapse_returns,
        rtol=0.01,
        mistakes={
            "that is its logarithm": lambda: math.log(_collapse_returns()),
            "that is where pairing with a single class passes collapse": _pairing_passes_collapse,
        },
    ),
    "ex-optimal-samples": Number(
        lambda: _icosahedron_loss(243),
        rtol=1e-6,
        mistakes={"that is the loss of one sample for each class": lambda: _icosahedron_loss(1)},
    ),
    "ex-optimal-apex": Number(
        _gain, rtol=0.01, mistakes={"a share is asked for, and this is in per cent": lambda: 100 * _gain()}
    ),
    "ex-optimal-critical-rate": Whole(
        _largest_window,
        mistakes={"that is the bound of the integral; look at each K below it": lambda: math.floor(4 * math.e**2)},
    ),
    "ex-relu-eight": Function(_relu_pairs_loss, [(1e-2,), (1e-4,), (1e-6,)]),
    "ex-relu-odd": Number(
        _odd_penalty, rtol=1e-6, mistakes={"the last class has a price too": lambda: _odd_penalty(last=0.0)}
    ),
    "ex-relu-own-mean": Whole(
        _beat_collapse,
        mistakes={"that is where they beat the bound of collapse, not this solution": lambda: _beat_collapse(True)},
    ),
    "ex-relu-octahedron": Construction(
        (6, 12),
        {
            "each column must have two ones, at the ends of its edge, and zeros": _no_edges,
            "two edges are the same": _repeated,
            "these edges cost more than collapse": _dear,
        },
    ),
    "ex-imb-large": Number(
        lambda: math.sqrt(9) * _merging((9, 9, 1, 1)),
        mistakes={
            "that is where the small classes merge": lambda: _merging((9, 9, 1, 1)),
            "the slope of the penalty grows with the root of the class size": lambda: 9 * _merging((9, 9, 1, 1)),
        },
    ),
    "ex-imb-weights": Number(
        lambda: _merging((10, 10, 5, 5)),
        mistakes={
            "that is the threshold without repetition": lambda: _merging((10, 10, 1, 1)),
            "that is the threshold of equal classes": lambda: _merging((10, 10, 10, 10)),
        },
    ),
    "ex-imb-constant": Function(_difference, [(4,), (9,), (25,)], rtol=0.01),  # the limit is reached slowly
}
