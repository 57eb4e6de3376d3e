"""Answers to the exercises of the part on the unconstrained features model."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch

from dufm_lib import Problem, descent, hessian, structures, theory
from dufm_lib.checks.judges import Function, Judge, Number, Whole

_SETTINGS = [(4, 3, 0.02), (6, 2, 0.02), (10, 5, 2**-8), (10, 5, 0.04), (4, 3, 0.2)]  # K, n, decay; the last one dies


def _simplex_scale(K: int, n: int, weight_decay: float) -> float:
    return theory.optimal_scale(Problem(K, n, 1, K, weight_decay), structures.simplex_etf(K))[0]


def _group_scale(K: int, n: int, m: int, weight_decay: float) -> float:
    """The best scale of logits that tell m groups of classes apart."""
    block = torch.ones(K // m, K // m, dtype=torch.float64)
    return theory.optimal_scale(Problem(K, n, 1, K, weight_decay), torch.kron(structures.simplex_etf(m), block))[0]


def _squared_scale(K: int, n: int, weight_decay: float) -> float:
    identity = torch.eye(K, dtype=torch.float64)
    return theory.optimal_scale(Problem(K, n, 1, K, weight_decay, loss="mse"), identity)[0]


@cache
def _power_of_death() -> int:
    """The least power of two from which on six runs of the playground's model end at zero."""
    for power in range(-7, 0):
        problem = Problem(classes=6, samples=2, depth=2, width=20, weight_decay=2.0**power)
        runs = descent.train(problem, runs=6, seed=0, learning_rate=1.0, dtype=torch.float64)
        if set(runs.structure) == {"zero"}:
            break
    return power


@cache
def _width_of_even_odds() -> float:
    """The width at which half of thirty starts of the playground's model collapse, on a line between 25 and 30."""
    collapsed = []
    for width in (25, 30):
        problem = Problem(classes=6, samples=2, depth=2, width=width, weight_decay=2.0**-9)
        runs = descent.train(problem, runs=30, seed=0, learning_rate=1.0, init_scale=0.7, steps=100_000)
        collapsed.append(runs.structure.count("dnc"))
    return 25 + 5 * (15 - collapsed[0]) / (collapsed[1] - collapsed[0])


def _fastest_rate(shape: Callable[[int], torch.Tensor] = structures.simplex_etf) -> float:
    """The largest learning rate at which descent stays at a solution of the playground's model."""
    problem = Problem(classes=6, samples=2, depth=2, width=20, weight_decay=2.0**-9)
    logits = theory.optimal_scale(problem, shape(6))[0] * shape(6)
    return 2 / float(hessian.aligned_spectrum(problem, logits).eigenvalues.max())


ANSWERS: dict[str, Judge] = {
    "ex-one-threshold": Number(
        lambda: theory.merging_decay(Problem(10, 5, 1, 10, 1e-3)),
        mistakes={
            "the number of samples counts too": lambda: 1 / 10,
            "the singular values grow with the root of n": lambda: 1 / 50,
        },
    ),
    "ex-one-groups": Function(_group_scale, [(6, 2, 2, 0.02), (6, 2, 3, 0.02), (6, 2, 6, 0.02), (12, 5, 4, 0.01)]),
    "ex-one-mse": Function(_squared_scale, _SETTINGS, rtol=1e-5),
    "ex-one-layer": Function(_simplex_scale, _SETTINGS),
    "ex-penalties": Number(
        lambda: Problem(4, 1, 3, 4, (1e-6, 5e-3)).mean_weight_decay,
        rtol=1e-2,
        mistakes={
            "it is not the arithmetic mean": lambda: (1e-6 + 3 * 5e-3) / 4,
            "each of the three weight matrices counts": lambda: math.sqrt(1e-6 * 5e-3),
        },
    ),
    "ex-playground-zero": Whole(
        _power_of_death,
        mistakes={"some runs still learn something there": lambda: _power_of_death() - 1},
    ),
    "ex-playground-width": Number(
        _width_of_even_odds,
        rtol=0.25,
        mistakes={
            "at that width hardly any start collapses": lambda: 10,
            "at that width nearly every start collapses": lambda: 40,
        },
    ),
    "ex-playground-rate": Number(
        _fastest_rate,
        rtol=5e-3,  # a bisection with runs is right too
        mistakes={
            "at that rate a step jumps to the minimum; it may still go beyond it": lambda: _fastest_rate() / 2,
            "that is the rate of pairing": lambda: _fastest_rate(structures.pairing),
        },
    ),
}
