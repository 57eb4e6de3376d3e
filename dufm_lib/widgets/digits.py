"""The experiment of the chapter on the digits: a perceptron with a head, under penalties of one's choice."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import data, networks, plots
from dufm_lib.widgets import Experiment, Report, controls, heads

STEPS = 800


def surviving_directions(
    samples: int,
    width: int,
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
    """Train one network; draw the singular values of its logits, and its objective.

    Args:
        samples: n, training images of each of the ten digits.
        width, depth, activation, init_scale, seed: d, L and the rest of the head, as in `networks.mlp`. With standard
            regularization the feature map has no batch normalisation, as in the chapter.
        regularization, feature_decay, weight_decay, learning_rate: as in `heads.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the structure, the rank, the objective beside its bounds, and the accuracy.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    digits = data.digits(samples)
    network = networks.mlp(
        digits,
        width=width,
        depth=depth,
        activation=activation,
        batch_norm=regularization == "ufm",
        init_scale=init_scale,
        seed=seed,
    )
    training = heads.train(
        network, digits, regularization, feature_decay, weight_decay, learning_rate, STEPS, 20, report
    )
    name, history, bounds = training.structure, training.history, training.bounds
    figure, (left, right) = plots.subplots(1, 2, width_ratios=(2, 3))
    plots.layer_spectra([left], history.steps, {"mean logits": history.singular_values})
    plots.loss_curves(right, history.steps, history.objective, [name], bounds, label="this network")
    levels = [float(history.objective[-1]), *bounds.values()]
    top = max(levels) + 0.5 * min(levels)  # the first steps, far above, are left out
    right.set(ylim=(0.95 * min(levels), top), ylabel="objective")
    structure = "no structure with a name" if name == "mixed" else plots.LABELS[name]
    return figure, f"{heads.said(training)} Structure: {structure}."


def experiment() -> Experiment:
    """The widget of the chapter, at penalties like those of its main run but with fewer images."""
    fields = {
        "samples": controls.samples(30, smallest=5, largest=100),
        "width": controls.width(64, smallest=10, largest=128),
        **heads.fields(deepest=5, learning_rate=0.1),
    }
    return Experiment(
        surviving_directions,
        fields,
        title="How many directions survive?",
        describe="Left: the ten singular values of the class-mean logits. Right: the objective, with UFM-style "
        "penalties beside the best losses of DNC and, under a linear head, of pairing.",
    )
