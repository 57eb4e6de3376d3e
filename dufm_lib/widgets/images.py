"""The experiment of the chapter on images: a small ResNet-20 with a head, and the spectrum of each of its layers."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import data, networks, plots
from dufm_lib.widgets import Experiment, Report, controls, heads

STEPS = 250


def spectra_of_layers(
    samples: int,
    depth: int,
    activation: str,
    regularization: str,
    feature_decay: float,
    weight_decay: float,
    init_scale: float,
    learning_rate: float,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Train one small network on the digits; draw the singular values of each layer and of the logits over the steps.

    Args:
        samples: n, training images of each of the ten digits.
        depth, activation, init_scale, seed: L and the rest of the head, as in `networks.resnet20`.
        regularization, feature_decay, weight_decay, learning_rate: as in `heads.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the rank, the objective beside its bounds, and the accuracy.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    digits = data.digits(samples, flat=False)
    network = networks.resnet20(
        digits, 16, depth, activation, feature_activation="linear", channels=4, init_scale=init_scale, seed=seed
    )
    training = heads.train(
        network, digits, regularization, feature_decay, weight_decay, learning_rate, STEPS, 25, report
    )
    spectra = training.history.spectra
    figure, axes = plots.subplots(1, len(spectra), size=(7.2, 2.6))
    plots.layer_spectra(axes, training.history.steps, spectra)
    return figure, heads.said(training)


def experiment() -> Experiment:
    """The widget of the chapter: a network small enough to train while one waits."""
    return Experiment(
        spectra_of_layers,
        {"samples": controls.samples(5, smallest=2, largest=20), **heads.fields(deepest=4, learning_rate=0.05)},
        title="Which directions does each layer keep?",
        describe="One panel a layer of the head, the last for the logits: the ten largest singular values while a "
        "small ResNet-20 learns the digits.",
    )
