"""The experiment of the chapter on all layers: DNC1 to DNC3 in each layer of a head, over the training."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import networks, plots
from dufm_lib.data import digits
from dufm_lib.problem import ACTIVATIONS
from dufm_lib.widgets import Experiment, Report, controls

DESCENT = {"learning_rate": 0.05, "momentum": 0.9}
NAMES = ("dnc1", "dnc2", "dnc3")
RECORDS = 40


def by_layer(
    classes: int, samples: int, depth: int, activation: str, weight_decay: float, steps: int, seed: int, report: Report
) -> tuple[Figure, str]:
    """Train a small network with UFM-style regularization, lambda_H = lambda_W / n; draw DNC1 to DNC3 by layer.

    Args:
        classes: K, the digits 0, ..., K - 1.
        samples: n images of each.
        depth, activation: of the head.
        weight_decay: lambda_W.
        steps, seed: of the training and its start; a step is an epoch.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the worst layer's value of each property at the end.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    data = digits(samples, range(classes))
    start = networks.mlp(data, (64, 64), width=32, depth=depth, activation=activation, seed=seed)
    decays, every = (weight_decay / samples, weight_decay), max(1, steps // RECORDS)
    run = networks.train(start, data, weight_decay=decays, steps=steps, record_every=every, report=report, **DESCENT)
    if run.ended == "diverged":
        raise ValueError(f"weight_decay {weight_decay:g} makes this training diverge; choose less")

    history = run.history
    figure, axes = plots.subplots(1, 3, size=(8.4, 3.0), sharey=True)
    plots.layer_metrics(axes, history.steps, {name.upper(): getattr(history, name) for name in NAMES})
    for ax in axes:
        ax.set_xlabel("epoch")
    worst = ", ".join(f"{name.upper()} {float(getattr(history, name)[-1].max()):.1e}" for name in NAMES)
    return figure, (
        f"After {history.steps[-1]} epochs, worst layer: {worst}. "
        f"Accuracy {float(history.accuracy[-1]):.3f}, logits of rank {run.rank}."
    )


def experiment() -> Experiment:
    """The widget of the chapter, at its default setting."""
    fields = {
        "classes": controls.classes(3),
        "samples": controls.samples(40, smallest=5, largest=100),
        "depth": controls.depth(3, largest=4),
        "activation": controls.choice("activation", {name: name for name in ACTIVATIONS}, "linear"),
        "weight_decay": controls.weight_decay(-7, smallest=-10, largest=-5),
        "steps": controls.steps(1000, largest=4000),
        "seed": controls.seed(),
    }
    return Experiment(
        by_layer,
        fields,
        title="Three properties, layer by layer",
        describe="DNC1: variation within classes. DNC2: distance from a simplex. DNC3: weights that read nothing.",
    )
