"""The chapter on low-rank bias: the cheapest of three structures, and the experiment with one descent."""

from __future__ import annotations

from collections.abc import Callable

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

STEPS = 30_000
CANDIDATES: dict[str, Callable[[int], torch.Tensor]] = {
    "dnc": structures.simplex_etf,
    "pairing": structures.pairing,
    "polygon": structures.polygon,
}


def cheapest(problem: Problem) -> tuple[str, dict[str, float]]:
    """Which of DNC, pairing and polygon has the least objective, each at its own best scale.

    Args:
        problem: as in `theory.optimal_scale`.

    Returns:
        (name, {name: loss}). Of equal losses (to one part in 10^9) the first name is returned: for K = 3 the polygon
        is the simplex, for K = 4 it is the pairing structure. "zero": none is better than zero logits.

    >>> cheapest(Problem(classes=10, samples=5, depth=2, width=70, weight_decay=2**-10))[0]
    'pairing'
    """
    best = {name: theory.optimal_scale(problem, shape(problem.classes)) for name, shape in CANDIDATES.items()}
    least = min(loss for _, loss in best.values())
    name = next(name for name, (_, loss) in best.items() if loss <= least * (1 + 1e-9))
    return (name if best[name][0] > 0 else "zero"), {name: loss for name, (_, loss) in best.items()}


def descend(
    classes: int,
    samples: int,
    depth: int,
    width: int,
    weight_decay: float,
    init_scale: float,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """One run with learning rate 0.5: its loss beside the best losses of DNC and pairing, and its last logits.

    Args:
        classes, samples, depth, width, weight_decay: of the `Problem`.
        init_scale, seed: of the start, as in `descent.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the structure, the rank and the losses.

    Raises:
        ValueError: a bad setting, or descent diverged.
    """
    problem = Problem(classes, samples, depth, width, weight_decay)
    runs = descent.train(
        problem, seed=seed, init_scale=init_scale, learning_rate=0.5, steps=STEPS, record_every=250, report=report
    )
    name, loss = runs.structure[0], float(runs.loss[0])
    if name == "diverged":
        raise ValueError(f"init_scale {init_scale:g} is too large for depth {depth}: descent diverged; choose less")
    bounds = {each: theory.optimal_scale(problem, CANDIDATES[each](classes))[1] for each in ("dnc", "pairing")}

    figure, (left, right) = plots.subplots(1, 2, size=(7.2, 3.2), width_ratios=(1.25, 1))
    plots.loss_curves(left, runs.history.steps, runs.history.loss, [name], bounds)
    low, high = min(loss, *bounds.values()), max(loss, *bounds.values())
    left.set_ylim(0.97 * low, high + 0.5 * low)  # the first steps, far above, are left out
    plots.logit_matrix(right, runs.logits[0])
    text = (
        f"After {int(runs.steps[0])} steps: {plots.LABELS[name]}, rank {int(runs.rank[0])}, loss {loss:.6f} "
        f"(best DNC {bounds['dnc']:.6f}, best pairing {bounds['pairing']:.6f})."
    )
    return figure, text


def descent_experiment() -> Experiment:
    """The widget of the chapter that trains, at the setting of the pairing run of its main figure."""
    fields = {
        "classes": controls.classes(10, smallest=3),
        "samples": controls.samples(5),
        "depth": controls.depth(2),
        "width": controls.width(70),
        "weight_decay": controls.weight_decay(-10),
        "init_scale": controls.choice(
            "initial scale", {f"{s:g}": s for s in (0.3, 0.5, 0.75, 1, 1.25, 1.5, 2, 3)}, 1.25
        ),
        "seed": controls.seed(12),
    }
    return Experiment(
        descend,
        fields,
        title="Where does this start end?",
        describe="Left: the loss of one run, beside the best losses of DNC and pairing. Right: its class-mean logits.",
    )
