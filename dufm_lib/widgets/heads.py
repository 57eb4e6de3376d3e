"""What the experiments on real networks share: the controls of a head, its penalties and its descent."""

from __future__ import annotations

import ipywidgets

from dufm_lib import data, networks
from dufm_lib.widgets import Report, controls

MOMENTUM = {"ufm": 0.95, "standard": 0.9}
DECAYS = {f"{decay:g}": decay for decay in (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)}
SCALES = {f"{scale:g}": scale for scale in (0.3, 0.5, 0.75, 1, 1.25, 1.5, 2)}
RATES = {f"{rate:g}": rate for rate in (0.02, 0.05, 0.1)}


def fields(deepest: int, learning_rate: float) -> dict[str, ipywidgets.Widget]:
    """The controls, by the names of the arguments.

    Args:
        deepest: the largest depth L on offer.
        learning_rate: of the default, one of RATES.
    """
    return {
        "depth": controls.depth(3, largest=deepest),
        "activation": controls.choice("head", {"linear": "linear", "ReLU": "relu"}, "linear"),
        "regularization": controls.choice("penalty", {"UFM-style": "ufm", "standard": "standard"}, "ufm"),
        "feature_decay": controls.choice("features: n λ_H (UFM)", DECAYS, 0.005),
        "weight_decay": controls.choice("weights: λ_W, or λ of all", DECAYS, 0.005),
        "init_scale": controls.choice("initial scale of the head", SCALES, 1),
        "learning_rate": controls.choice("learning rate", RATES, learning_rate),
        "seed": controls.seed(),
    }


def train(
    network: networks.Classifier,
    images: data.Data,
    regularization: str,
    feature_decay: float,
    weight_decay: float,
    learning_rate: float,
    steps: int,
    record_every: int,
    report: Report,
) -> networks.Training:
    """Train the network.

    Args:
        network, images, regularization, learning_rate, steps, record_every, report: as in `networks.train`.
        feature_decay: n lambda_H, the penalty of the features of a whole class, of "ufm" alone; lambda_H has no meaning
            by itself when n changes.
        weight_decay: lambda_W, or with "standard" the penalty of every parameter.

    Raises:
        ValueError: training diverged.
    """
    decays = (feature_decay / images.samples, weight_decay)
    training = networks.train(
        network,
        images,
        regularization,
        decays if regularization == "ufm" else weight_decay,
        learning_rate,
        MOMENTUM[regularization],
        steps,
        record_every=record_every,
        report=report,
    )
    if training.ended == "diverged":
        raise ValueError(
            f"training diverged at learning rate {learning_rate:g}: choose a smaller one, or a smaller initial scale "
            "or depth of the head"
        )
    return training


def said(training: networks.Training) -> str:
    """The end in a sentence: rank, objective beside its bounds, accuracy."""
    history = training.history
    bounds = ", ".join(f"best {name} {value:.5f}" for name, value in training.bounds.items()).replace("dnc", "DNC")
    return (
        f"After {int(history.steps[-1])} steps: rank {training.rank}, objective {float(history.objective[-1]):.5f}"
        f"{f' ({bounds})' if bounds else ''}; {float(history.accuracy[-1]):.0%} of the training images and "
        f"{float(history.test_accuracy[-1]):.1%} of the others right."
    )
