"""The critical points chapter: descent from a nudged collapsed point, below and above the frontier of stability."""

from __future__ import annotations

import math

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, metrics, model, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls


def nudged(
    classes: int, depth: int, weight_decay: float, nudge: float, seed: int, report: Report
) -> tuple[Figure, str]:
    """Distance of the logits from the simplex along descent that starts a nudge away from the critical DNC point."""
    problem = Problem(classes, 1, depth, classes, weight_decay)
    scales = theory.dnc_critical_scales(problem)
    if not scales:
        raise ValueError("weight_decay must be lower: here no DNC point is critical")
    lowest = min(theory.dnc_spectrum(problem, scales[-1]), key=lambda family: family.eigenvalue)
    generator = torch.Generator().manual_seed(seed)
    start = [
        factor + nudge * factor.norm() / math.sqrt(factor.numel()) * torch.randn(factor.shape, generator=generator)
        for factor in model.aligned_point(problem, scales[-1] * structures.simplex_etf(classes), seed)
    ]
    rate, steps = 1.0, 20_000
    run = descent.train(
        problem,
        start=[factor[None] for factor in start],
        learning_rate=rate,
        steps=steps,
        dtype=torch.float64,
        tolerance=weight_decay / 1e5,  # far below the pull back to a saddle that is left slowly
        record_every=20,
        report=report,
    )
    seen = run.history.logits[:, 0].isfinite().flatten(-2).all(-1)
    away = metrics.distance(run.history.logits[seen, 0], structures.simplex_etf(classes))
    figure, ax = plots.subplots()
    ax.semilogy(run.history.steps[seen], away, marker="", label="distance from the simplex")
    if lowest.eigenvalue < 0:
        growth = (-rate * lowest.eigenvalue * run.history.steps[seen]).double().exp() * float(away[0])
        shown = growth < 1
        ax.semilogy(run.history.steps[seen][shown], growth[shown], marker="", label="growth at the lowest eigenvalue")
    ax.set(xlabel="step", ylabel="distance of unit logits")
    ax.legend()
    stable = "stable" if lowest.eigenvalue >= 0 else f"unstable, with eigenvalue {lowest.eigenvalue:.1e}"
    return figure, (
        f"DNC at scale {scales[-1]:.2f} is {stable} (threshold {theory.dnc_stable_scale(problem):.2f}). "
        f"The run ends at distance {float(away[-1]):.1e} from it, with logits of rank {int(run.rank[0])}."
    )


def nudged_experiment() -> Experiment:
    """The widget that lets a collapsed point go."""
    fields = {
        "classes": controls.classes(16, smallest=3, largest=24),
        "depth": controls.depth(2, smallest=1, largest=4),
        "weight_decay": controls.weight_decay(-6, smallest=-10),
        "nudge": controls.choice("nudge", {"0.01%": 1e-4, "1%": 1e-2, "10%": 1e-1}, 1e-2),
        "seed": controls.seed(),
    }
    return Experiment(
        nudged,
        fields,
        title="Does collapse hold when nudged?",
        describe="Descent starts at the critical DNC point plus noise. Lower the weight decay until it stays.",
    )
