"""The dynamics chapter: the flow of the singular values without weight decay, and descent on the parameters over it."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, model, plots, theory
from dufm_lib.widgets import Experiment, Report, controls

RATE, STEPS, EVERY = 0.05, 4000, 80  # descent follows the flow up to time 200


def descended(
    problem: Problem, frame: torch.Tensor, start: torch.Tensor, report: Report
) -> tuple[torch.Tensor, torch.Tensor]:
    """Times, and the K - 1 eigenvalues of the logits at each, of descent on all factors from `start` (K,)."""
    run = descent.train(
        problem,
        start=[factor[None] for factor in model.aligned_point(problem, frame @ torch.diag(start) @ frame.T)],
        learning_rate=RATE,
        steps=STEPS,
        dtype=torch.float64,
        tolerance=0.0,
        record_every=EVERY,
        report=report,
    )
    turned = frame.T @ run.history.logits[:, 0] @ frame
    return RATE * run.history.steps, turned.diagonal(dim1=-2, dim2=-1)[:, 1:]


def spectral(classes: int, depth: int, size: float, spread: float, seed: int, report: Report) -> tuple[Figure, str]:
    """Eigenvalues of the logits from a spectral start: lines from the equation, dots from descent on all factors."""
    problem = Problem(classes, 1, depth, classes, 0.0)
    frame = theory.hadamard_frame(classes)
    random = torch.rand(classes - 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    start = torch.cat([torch.zeros(1, dtype=torch.float64), size * (1 + spread * (random - 0.5))])
    times = torch.cat([torch.zeros(1, dtype=torch.float64), torch.logspace(-1, 20, 211, dtype=torch.float64)])
    report(0.05, "the equation")
    path = theory.spectral_flow(problem, frame, start, times)[:, 1:]
    clock, dots = descended(problem, frame, start, report)

    figure, axes = plots.subplots(1, 2, size=(7.2, 3.2))
    soon = times <= RATE * STEPS
    axes[0].plot(times[soon], path[soon], color=plots.STYLE["text.color"], linestyle="-", marker="", linewidth=1)
    axes[0].plot(clock[::2], dots[::2], color=plots.COLORS["dnc"], linestyle="", marker="o", markersize=3)
    axes[0].set(xlabel="time", ylabel="eigenvalues of the logits")
    relative = path / path.amax(1, keepdim=True)
    axes[1].semilogx(times[1:], relative[1:], color=plots.STYLE["text.color"], linestyle="-", marker="", linewidth=1)
    axes[1].set(xlabel="time", ylabel="relative to the largest", ylim=(0, 1.05))
    figure.set_layout_engine("constrained")
    alive = int((relative[-1] > 0.3).sum())
    return figure, (
        f"{alive} of {classes - 1} eigenvalues stay above 0.3 times the largest until time 1e20. "
        f"At time {float(clock[-1]):.0f} descent and the equation have the largest eigenvalues "
        f"{float(dots[-1].max()):.3f} and {float(path[times <= clock[-1] * 1.0001][-1].max()):.3f}."
    )


def spectral_experiment() -> Experiment:
    """The widget of the spectral start."""
    fields = {
        "classes": controls.choice("classes K", {"4": 4, "8": 8, "16": 16}, 8),
        "depth": controls.depth(3, smallest=1, largest=6),
        "size": controls.choice("initial size", {"1": 1.0, "0.3": 0.3, "0.1": 0.1, "0.03": 0.03}, 0.1),
        "spread": controls.slider("initial spread", 1.0, 0.0, 1.8, 0.1),
        "seed": controls.seed(),
    }
    return Experiment(
        spectral,
        fields,
        title="Which singular values win?",
        describe="Lines: the equation. Dots: gradient descent on all factors. Right: the same flow, for very long.",
    )
