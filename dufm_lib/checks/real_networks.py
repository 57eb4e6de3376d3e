"""Answers to the exercises on real networks."""

from __future__ import annotations

import torch

from dufm_lib import data, metrics, networks, structures, theory
from dufm_lib.checks.judges import Function, Judge, Number
from dufm_lib.problem import Problem


def _distance(classes: int) -> float:
    return float(metrics.distance(structures.pairing(classes), structures.simplex_etf(classes)))


def _mean_ratio() -> float:
    """By how much the mean penalty falls if that of the features is divided by 8, at depth 3."""
    before, after = (Problem(10, 30, 3, 64, (features, 5e-3)).mean_weight_decay for features in (8e-5, 1e-5))
    return before / after


def _convolution_parameters(channels: int, colours: int) -> int:
    """Parameters of the convolutions of ResNet-20, counted in the network."""
    blank, labels = torch.zeros(2, colours, 8, 8), torch.arange(2)
    network = networks.resnet20(data.Data(blank, labels, blank, labels), width=4 * channels, channels=channels)
    convolutions = (layer for layer in network.features.modules() if isinstance(layer, torch.nn.Conv2d))
    return sum(layer.weight.numel() for layer in convolutions)


def _best_collapse(penalties: tuple[float, float], samples: int = 5000) -> float:
    """Best loss of collapse of ten classes at depth 3; for the images of CIFAR-10, unless said otherwise."""
    return theory.optimal_scale(Problem(10, samples, 3, 64, penalties), structures.simplex_etf(10))[1]


def _chance_distance(self_included: bool = False) -> float:
    """Mean distance between the mean images of two digits: each couple is in equally many of the 945 pairings."""
    means = data.digits(per_class=10).inputs.view(10, 10, 64).mean(1)
    total = float(torch.cdist(means, means).sum())
    return total / (100 if self_included else 90)


ANSWERS: dict[str, Judge] = {
    "ex-digits-distance": Function(_distance, inputs=[(4,), (6,), (10,), (100,)]),
    "ex-digits-penalties": Number(
        lambda: _mean_ratio() ** (4 / 3),
        mistakes={
            "the penalty of the weights counts once for each of the L layers": lambda: _mean_ratio() ** 4,
            "of the L + 1 factors in the mean only L are those of the weights": _mean_ratio,
        },
    ),
    "ex-digits-images": Number(
        _chance_distance,
        mistakes={
            "no digit is its own partner": lambda: _chance_distance(self_included=True),
            "that is the sum over the five pairs": lambda: 5 * _chance_distance(),
        },
    ),
    "ex-images-size": Function(_convolution_parameters, inputs=[(16, 3), (8, 1), (4, 3)]),
    "ex-images-batch": Number(
        lambda: _best_collapse((1e-6 / 5, 5e-3)),
        mistakes={
            "that is the bound with the factor": lambda: _best_collapse((1e-6, 5e-3)),
            "only the penalty of the features is too small": lambda: _best_collapse((1e-6 / 5, 1e-3)),
        },
    ),
    "ex-images-decay": Number(
        lambda: _best_collapse((0.001, 0.02), samples=5),
        mistakes={
            "the widget's penalty of the features is that of a class: divide it by n": lambda: _best_collapse(
                (0.005, 0.02), samples=5
            ),
            "that is the smallest of the three": lambda: _best_collapse((0.001, 0.001), samples=5),
        },
    ),
}
