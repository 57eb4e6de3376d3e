"""The experiment of the chapter on one layer: many runs of descent against the closed form."""

from __future__ import annotations

import math

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

NEAR = 1e-5  # a run ends at the simplex if its loss is that close; converged float64 runs are within 1e-6


def against_the_bound(
    classes: int,
    samples: int,
    depth: int,
    weight_decay: float,
    init_scale: float,
    runs: int,
    steps: int,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Train from many starts, and draw the losses against the best loss of a simplex.

    Args:
        classes, samples, depth, weight_decay: the problem, at width d = K + 2.
        init_scale, runs, steps, seed: of gradient descent with learning rate 0.5, in float64.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the number of runs below, at and above the simplex.

    Raises:
        ValueError: a bad setting.
    """
    problem = Problem(classes, samples, depth, classes + 2, weight_decay)
    scale, bound = theory.optimal_scale(problem, structures.simplex_etf(classes))
    settings = {"init_scale": init_scale, "steps": steps, "tolerance": 1e-5 * weight_decay, "dtype": torch.float64}
    found = descent.train(problem, runs, seed=seed, report=report, **settings)
    excess = found.loss - bound

    figure, (left, right) = plots.subplots(1, 2, width_ratios=(1.5, 1))
    plots.loss_curves(
        left, found.history.steps, found.history.loss, found.structure, {"dnc" if scale else "zero": bound}
    )
    for name in dict.fromkeys(found.structure):
        chosen = [run for run, each in enumerate(found.structure) if each == name]
        color, marker = plots.COLORS[name], plots.MARKERS[name]
        right.plot(chosen, excess[chosen], marker, color=color, label=plots.LABELS[name])
    right.axhline(0, linestyle=":", linewidth=1.1, marker="")
    right.set(xlabel="run", ylabel="loss above the best simplex")
    right.set_yscale("symlog", linthresh=1e-4)
    reach = max(1e-3, 2 * float(excess.abs().max()))
    right.set_ylim(-reach, reach)

    at, below = int((excess.abs() <= NEAR).sum()), int((excess < -NEAR).sum())
    pressure = classes * weight_decay * math.sqrt(samples)
    return figure, (
        f"Kλ√n = {pressure:.3g}; the best simplex has scale {scale:.4g} and loss {bound:.6f}. "
        f"Of {runs} runs {at} end there, {below} below and {runs - at - below} above."
    )


def experiment() -> Experiment:
    """The widget of the chapter, at its default setting."""
    fields = {
        "classes": controls.classes(6),
        "samples": controls.samples(2),
        "depth": controls.depth(1, largest=3),
        "weight_decay": controls.weight_decay(-7, smallest=-10, largest=-1),
        "init_scale": controls.init_scale(),
        "runs": controls.runs(10),
        "steps": controls.steps(4000),
        "seed": controls.seed(),
    }
    return Experiment(
        against_the_bound,
        fields,
        title="Many starts against one formula",
        describe="Left: the loss of each run, and the best of a simplex (dotted). Right: the difference at the end.",
    )
