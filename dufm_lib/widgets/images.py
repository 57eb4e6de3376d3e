"""The experiment of the chapter on images: a small ResNet-20 with a head, and the spectrum of each of its layers."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import data, networks, plots
from dufm_lib.widgets import Experiment, Report, controls

STEPS = 250
MOMENTUM = {"ufm": 0.95, "standard": 0.9}
DECAYS = {f"{decay:g}": decay for decay in (0.001, 0.002, 0.005, 0.01, 0.02)}
FEATURE_DECAY = 0.005  # n lambda_H


def spectra_of_layers(
    samples: int, depth: int, activation: str, regularization: str, weight_decay: float, seed: int, report: Report
) -> tuple[Figure, str]:
    """Train one small network on the digits; draw the singular values of each layer and of the logits over the steps.

    Args:
        samples: n, training images of each of the ten digits.
        depth: L, layers of the head.
        activation: of the head, "linear" or "relu".
        regularization: "ufm", with n lambda_H = 0.005, or "standard".
        weight_decay: lambda_W, or with "standard" the penalty of every parameter.
        seed: of the start.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the rank, the objective beside the bound of collapse, and the accuracy.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    digits = data.digits(samples, flat=False)
    training = networks.train(
        networks.resnet20(digits, 16, depth, activation, feature_activation="linear", channels=4, seed=seed),
        digits,
        regularization,
        (FEATURE_DECAY / samples, weight_decay) if regularization == "ufm" else weight_decay,
        learning_rate=0.05,
        momentum=MOMENTUM[regularization],
        steps=STEPS,
        record_every=25,
        report=report,
    )
    if training.ended == "diverged":
        raise ValueError("training diverged: choose a smaller depth or another seed")
    history = training.history
    spectra = {f"$W_{layer}$": values for layer, values in enumerate(history.weight_singular_values, start=1)}
    spectra["class-mean logits"] = history.singular_values
    figure, axes = plots.subplots(1, len(spectra), size=(7.2, 2.6))
    plots.layer_spectra(axes, history.steps, spectra)
    bound = f" (best DNC {training.dnc_bound:.4f})" if regularization == "ufm" else ""
    objective = float(history.objective[-1])
    text = (
        f"After {int(history.steps[-1])} steps: rank {training.rank}, objective {objective:.4f}{bound}; "
        f"{float(history.accuracy[-1]):.0%} of the training images and {float(history.test_accuracy[-1]):.0%} of the "
        "others right."
    )
    return figure, text


def experiment() -> Experiment:
    """The widget of the chapter: a network small enough to train while one waits."""
    fields = {
        "samples": controls.samples(5, smallest=2, largest=20),
        "depth": controls.depth(3, largest=4),
        "activation": controls.choice("head", {"linear": "linear", "ReLU": "relu"}, "linear"),
        "regularization": controls.choice("penalty", {"UFM-style": "ufm", "standard": "standard"}, "ufm"),
        "weight_decay": controls.choice("weights: λ", DECAYS, 0.005),
        "seed": controls.seed(),
    }
    return Experiment(
        spectra_of_layers,
        fields,
        title="Which directions does each layer keep?",
        describe="One panel a layer of the head, the last for the logits: the ten largest singular values while a "
        "small ResNet-20 learns the digits.",
    )
