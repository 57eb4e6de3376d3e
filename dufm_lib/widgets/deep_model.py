"""The experiment of the chapter on the deep unconstrained features model: factors that align in descent."""

from __future__ import annotations

from itertools import pairwise

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, balance, descent, metrics, model, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

LEARNING_RATE = 0.5
MARKS = (*range(0, 100, 10), *range(100, 1000, 50), *range(1000, 6001, 200))  # steps at which to look at the factors


def aligning_factors(
    classes: int,
    samples: int,
    depth: int,
    width: int,
    weight_decay: float,
    init_scale: float,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Train one linear model; draw the singular values of all its factors over the steps, and its loss.

    Args:
        classes, samples, depth, width, weight_decay: of the `Problem`.
        init_scale, seed: of the start, as in `descent.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the structure, the loss and the imbalance at the end.

    Raises:
        ValueError: a bad setting, or descent diverged.
    """
    problem = Problem(classes, samples, depth, width, weight_decay)
    params = model.random_point(problem, runs=1, seed=seed, init_scale=init_scale)
    steps, values = [0], [balance.factor_singular_values(problem, params)[0]]
    losses = [model.objective(problem, params)[0]]
    for done, mark in pairwise(MARKS):
        runs = descent.train(problem, learning_rate=LEARNING_RATE, steps=mark - done, dtype=torch.float64, start=params)
        if runs.ended[0] == "diverged":
            raise ValueError(f"init_scale {init_scale:g} is too large here: descent diverged; choose less")
        params = runs.params
        steps.append(mark)
        values.append(balance.factor_singular_values(problem, params)[0])
        losses.append(runs.loss[0])
        if runs.ended[0] == "converged" or not report(mark / MARKS[-1], f"step {mark}"):
            break

    name = metrics.structure_labels(runs.logits)[0]
    candidates = {"dnc": structures.simplex_etf(classes), "pairing": structures.pairing(classes)}
    bounds = {key: theory.optimal_scale(problem, each)[1] for key, each in candidates.items()}
    figure, (left, right) = plots.subplots(1, 2)
    factors = ["$H_1$", *(f"$W_{layer}$" for layer in range(1, depth + 1))]
    plots.factor_spectra(left, steps, torch.stack(values), factors)
    plots.loss_curves(right, steps, torch.stack(losses), structures=[name], bounds=bounds)
    seen = [float(runs.loss[0]), *bounds.values()]
    right.set_ylim(0.9 * min(seen), 1.6 * max(seen))
    for ax in (left, right):
        ax.set_xscale("symlog", linthresh=MARKS[1])
        ax.set_xlim(0, steps[-1])
    gap = float(balance.imbalance(problem, params).max())
    text = (
        f"After {steps[-1]} steps: structure {plots.LABELS[name]}, loss {float(runs.loss[0]):.6f} "
        f"(best DNC {bounds['dnc']:.6f}, best pairing {bounds['pairing']:.6f}), "
        f"gradient norm {float(runs.gradient_norm[0]):.1e}, largest imbalance of neighbours {gap:.1e}."
    )
    return figure, text


def experiment() -> Experiment:
    """The widget of the chapter, at its default setting."""
    fields = {
        "classes": controls.classes(5),
        "samples": controls.samples(3),
        "depth": controls.depth(3),
        "width": controls.width(10, largest=60),
        "weight_decay": controls.weight_decay(-8),
        "init_scale": controls.init_scale(),
        "seed": controls.seed(),
    }
    return Experiment(
        aligning_factors,
        fields,
        title="Factors that align",
        describe="Left: the singular values of every factor of the linear model in descent. Right: the objective.",
    )
