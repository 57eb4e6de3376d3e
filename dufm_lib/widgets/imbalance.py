"""The experiment of the chapter on imbalance: two large and some small classes, and what becomes of the small ones."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from dufm_lib import Problem, descent, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

RATIOS = {str(ratio): ratio for ratio in (2, 5, 10, 20, 30, 40, 60, 100, 200)}
DECAYS = {f"{decay:g}": decay for decay in (0.0001, 0.0003, 0.001, 0.003, 0.005, 0.01, 0.02, 0.05)}
MERGED = 0.05  # a spread of the small classes below this, beside logits of size 2 to 10, is called merged


def spread_of_small_classes(problem: Problem, logits: torch.Tensor) -> float:
    """c: the mean distance of the small classes' columns from their centre, so that c (e_k - 1/k_2) gives c.

    Args:
        problem: two sizes of classes.
        logits: (K, K) class means.
    """
    sizes = torch.tensor(problem.class_sizes)
    small = logits[:, sizes == sizes.min()]
    count = small.shape[1]
    return float((small - small.mean(1, keepdim=True)).norm() / max(count - 1, 1) ** 0.5)


def merging(
    classes: int,
    minority: int,
    ratio: int,
    depth: int,
    weight_decay: float,
    init_scale: float,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """One run with small classes of one sample: its class-mean logits, and its singular values beside those of SEL.

    Args:
        classes, minority, ratio: K, the number of small classes, and R, of `theory.step_sizes`.
        depth, weight_decay: of the `Problem`; the width is 20.
        init_scale, seed: as in `descent.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence that says whether the small classes have merged.

    Raises:
        ValueError: a bad setting, or descent diverged.
    """
    problem = Problem(classes, theory.step_sizes(classes, minority, ratio), depth, 20, weight_decay)
    runs = descent.train(problem, None, seed, 1.0, 6000, init_scale, record_every=250, report=report)
    if runs.ended[0] == "diverged":
        raise ValueError(f"init_scale {init_scale:g} is too large for depth {depth}: descent diverged; choose less")
    logits, best = runs.logits[0], theory.step_optimum(problem)

    figure, (left, right) = plots.subplots(1, 2, size=(7.2, 3.2), width_ratios=(1.25, 1))
    plots.logit_matrix(left, logits)
    left.set_title(f"{classes - minority} × {ratio} samples, {minority} × 1")
    roots = torch.tensor(problem.class_sizes).double().sqrt()  # columns repeated n_k times
    found = structures.singular_values(logits * roots)
    sel = structures.singular_values(structures.simplex_etf(classes) * roots)
    if found[0] > 0:
        plots.spectrum(right, torch.stack([found / found[0], sel / sel[0]]), ["found", "SEL"], floor=1e-4)
        right.set(xlabel="number", ylabel="singular value / largest")
    spread = spread_of_small_classes(problem, logits)
    won = "every class" if structures.is_diagonally_superior(logits) else "not every class"
    verdict = (
        f"small classes {spread:.2f} apart, and {won} wins its column" if spread > MERGED else "merged small classes"
    )
    text = (
        f"After {int(runs.steps[0])} steps: {verdict}, rank {int(structures.rank(logits * roots))}. "
        f"Loss {float(runs.loss[0]):.5f}; the best that treats classes of one size alike has {best.loss:.5f}."
    )
    return figure, text


def experiment() -> Experiment:
    """The widget of the chapter, where the small classes have merged at depth 1."""
    fields = {
        "classes": controls.classes(4, smallest=3, largest=8),
        "minority": controls.slider("small classes", 2, 1, 6),
        "ratio": controls.choice("ratio R", RATIOS, 60),
        "depth": controls.depth(1, largest=4),
        "weight_decay": controls.choice("weight decay λ", DECAYS, 0.01),
        "init_scale": controls.init_scale(),
        "seed": controls.seed(),
    }
    return Experiment(
        merging,
        fields,
        title="Do the small classes survive?",
        describe="Left: class-mean logits, large classes first. Right: singular values of the logits, beside those of "
        "the SEL matrix.",
    )
