"""Answers to the exercises of the part on neural collapse."""

from __future__ import annotations

import math
from functools import cache

import torch

from dufm_lib import Problem, metrics, model, networks, structures
from dufm_lib.checks.judges import Construction, Judge, Number
from dufm_lib.data import digits


@cache
def _rate(weight_decay: float) -> float:
    """At which rate NC1 of three digits falls, per epoch."""
    data = digits(per_class=30, classes=(3, 5, 8))
    network = networks.mlp(data, hidden=(64, 64), width=32, depth=1, feature_activation="relu")
    recipe = {"regularization": "standard", "weight_decay": weight_decay, "learning_rate": 0.05, "momentum": 0.9}
    nc1 = networks.train(network, data, steps=600, record_every=150, **recipe).history.nc1
    return float((nc1[1] / nc1[4]).log()) / 450


def _epochs(factor: float = 100.0, weight_decay: float = 5e-4, trained: float = 1e-3) -> float:
    """Epochs for NC1 to fall by a factor: its rate is measured at `trained` and proportional to the decay."""
    return math.log(factor) / (_rate(trained) * weight_decay / trained)


def _dnc3_slope(weight_decay: float, learning_rate: float = 0.05, momentum: float = 0.9) -> float:
    return -learning_rate * weight_decay / (1 - momentum)


def _cost(first: float = 2.0, second: float = 0.5) -> float:
    """What the objective gains when two neighbours of a DNC solution are multiplied by two numbers."""
    problem = Problem(classes=6, samples=5, depth=4, width=9, weight_decay=2**-9)
    point = model.aligned_point(problem, 5.0 * structures.simplex_etf(6))
    moved = [point[0], first * point[1], second * point[2], *point[3:]]
    return float(model.objective(problem, moved) - model.objective(problem, point))


def _no_simplex(vectors: torch.Tensor) -> bool:
    return not metrics.nc2(vectors, torch.arange(6)) < 1e-6


ANSWERS: dict[str, Judge] = {
    "ex-nc-clock": Number(
        _epochs,
        rtol=0.35,  # a straight line through a measured curve
        mistakes={
            "that is the number of epochs for a tenth of NC1, or at twice the decay": lambda: _epochs(factor=10.0)
        },
    ),
    "ex-layers-clock": Number(
        lambda: _dnc3_slope(1e-2),
        mistakes={
            "that is the slope before the penalty was doubled": lambda: _dnc3_slope(5e-3),
            "momentum makes each step longer": lambda: _dnc3_slope(1e-2, momentum=0.0),
        },
    ),
    "ex-layers-unbalanced": Number(
        _cost,
        mistakes={
            "one of the two factors becomes cheaper": lambda: _cost(second=1.0),
            "one of the two factors becomes dearer": lambda: _cost(first=1.0),
            "the penalty is half the weight decay times the squared norm": lambda: 2 * _cost(),
        },
    ),
    "ex-layers-relu": Construction(
        (6, 6),
        {
            "the columns do not form a simplex after centering": _no_simplex,
            "after ReLU they form none": lambda vectors: _no_simplex(vectors.relu()),
        },
    ),
}
