"""The experiment of the chapter on ReLU: descent, the bound of collapse, and the solutions with a closed form."""

from __future__ import annotations

import math

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, model, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

RATES = {f"{rate:g}": rate for rate in (0.25, 0.5, 1.0, 2.0)}
SCALES = {f"{scale:g}": scale for scale in (0.3, 0.5, 0.7, 1.0)}
Code = tuple[torch.Tensor, list[torch.Tensor]]


def codes(problem: Problem) -> dict[str, Code]:
    """Non-negative features and readouts that make sense for a ReLU problem: {structure: (features, readouts)}.

    "pairing": P + J read out by P/2 (cross-entropy, even K). "strongly_regular": the edges of a complete graph, if K is
    the number of them and the depth has room. Take them to `nonnegative.point` and `theory.nonnegative_optimum`.

    >>> list(codes(Problem(10, 5, 3, 70, 2**-9, activation="relu")))
    ['pairing', 'strongly_regular']
    """
    K, found = problem.classes, {}
    if problem.loss == "cross_entropy" and K % 2 == 0 and problem.depth >= 2:
        pairs = structures.pairing(K)
        found["pairing"] = (pairs + 1, [pairs / 2])
    order = (1 + math.isqrt(1 + 8 * K)) // 2
    if order * (order - 1) // 2 == K and order >= 4:
        ends = structures.incidence(order)
        if problem.loss == "cross_entropy" and problem.depth >= 2:
            found["strongly_regular"] = (ends, [(ends - ends.mean(1, keepdim=True)).T])
        if problem.loss == "mse" and problem.depth >= 3:
            found["strongly_regular"] = (ends, [ends.T - 0.5, torch.eye(K, dtype=torch.float64)])
    return found


def bounds(problem: Problem) -> dict[str, float]:
    """The least loss a collapsed solution can have ("dnc"), and the best losses of `codes`: {structure: loss}."""
    K = problem.classes
    collapse = structures.simplex_etf(K) if problem.loss == "cross_entropy" else torch.eye(K, dtype=torch.float64)
    losses = {"dnc": theory.optimal_scale(problem, collapse)[1]}
    return losses | {name: theory.nonnegative_optimum(problem, *code)[1] for name, code in codes(problem).items()}


def below_collapse(
    loss: str,
    classes: int,
    depth: int,
    width: int,
    weight_decay: float,
    init_scale: float,
    learning_rate: float,
    steps: int,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """One ReLU run of five samples a class: its loss beside the bounds, and the singular values of its layers.

    Args:
        loss, classes, depth, width, weight_decay: of the `Problem`.
        init_scale, learning_rate, steps, seed: as in `descent.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence that compares the loss with the bound of collapse.

    Raises:
        ValueError: a bad setting, or descent diverged.
    """
    problem = Problem(classes, 5, depth, width, weight_decay, loss, "relu")
    runs = descent.train(
        problem, None, seed, learning_rate, steps, init_scale, record_every=max(1, steps // 80), report=report
    )
    if runs.ended[0] == "diverged":
        raise ValueError(f"learning_rate {learning_rate:g} is too large for depth {depth}: descent diverged")
    best, found = bounds(problem), float(runs.loss[0])

    figure, (left, right) = plots.subplots(1, 2, size=(7.2, 3.4))
    plots.loss_curves(left, runs.history.steps, runs.history.loss, bounds=best)
    low, high = min(found, *best.values()), max(found, *best.values())
    left.set_ylim(0.95 * low, high + 0.4 * low)  # the first steps, far above, are left out
    layers = model.activations(problem, runs.point(0))
    values = torch.stack([structures.singular_values(layer)[:classes] for layer in layers])
    names = ["H", *(str(layer) for layer in range(1, depth)), "Z"]
    if values.max() > 0:
        plots.spectrum(right, values, names, floor=1e-4)
        right.set_xlabel("number")
    side = "below" if found < best["dnc"] else "above"
    text = f"After {int(runs.steps[0])} steps: loss {found:.5f}, {side} {best['dnc']:.5f}, the least loss of collapse"
    rest = [f"{plots.LABELS[name]} {value:.5f}" for name, value in best.items() if name != "dnc"]
    return (
        figure,
        f"{text}. {'Best in closed form: ' + ', '.join(rest) + '. ' if rest else ''}Rank {int(runs.rank[0])}.",
    )


def experiment() -> Experiment:
    """The widget of the chapter, at a smaller width than the paper's Figure 6."""
    fields = {
        "loss": controls.choice("loss", {"cross-entropy": "cross_entropy", "MSE": "mse"}, "cross_entropy"),
        "classes": controls.classes(10, smallest=4, largest=15),
        "depth": controls.depth(3),
        "width": controls.width(30, smallest=10, largest=80),
        "weight_decay": controls.weight_decay(-9, smallest=-12, largest=-6),
        "init_scale": controls.choice("initial scale", SCALES, 0.5),
        "learning_rate": controls.choice("learning rate", RATES, 2.0),
        "steps": controls.steps(8000, smallest=2000),
        "seed": controls.seed(2),
    }
    return Experiment(
        below_collapse,
        fields,
        title="Does ReLU descend below collapse?",
        describe="Left: the loss, beside the least loss of collapse and the closed forms. Right: singular values of "
        "the features H, of what each layer passes on, and of the logits Z.",
    )
