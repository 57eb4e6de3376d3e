"""The widget of the chapter on optimal structure: the search, live."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dufm_lib import Problem, plots, structures, theory
from dufm_lib.plots.solids import hull_edges
from dufm_lib.shapes import Shape, shape
from dufm_lib.widgets import Experiment, Report, controls


def features(logits: torch.Tensor) -> torch.Tensor:
    """Class means of the features behind aligned logits M = U S V^T, in their own rank r: V S^{1/2}, (K, r)."""
    _, sigma, right = torch.linalg.svd(logits)
    r = int(structures.rank(logits))
    return right[:r].T * sigma[:r].sqrt()


def draw_shape(ax: Axes, logits: torch.Tensor, found: Shape, **view: float) -> None:
    """The class means: in the plane or in space if the rank is 2 or 3, else the singular values."""
    if found.rank == 3:
        points = features(logits).numpy()
        plots.points_3d(ax, points, hull_edges(points), structure=found.structure, **view)
    elif found.rank == 2:
        plots.points_2d(ax, features(logits), structure=found.structure)
    elif found.rank > 0:
        plots.spectrum(ax, structures.singular_values(logits), structure=found.structure)
    else:
        ax.set_axis_off()


def find(classes: int, depth: int, weight_decay: float, starts: int, seed: int, report: Report) -> tuple[Figure, str]:
    """Search the reduced problem for n = 1, and draw the best logits and their geometry."""
    problem = Problem(classes, 1, depth, classes, weight_decay)
    loss, logits = theory.search_optimum(problem, starts, seed, report=report)
    found = shape(logits)
    figure, (left, right) = plots.subplots(1, 2, size=(7.2, 3.4))
    plots.logit_matrix(left, torch.where(logits.abs() > 1e-6 * logits.abs().max(), logits, 0.0))  # no "-1e-9"
    draw_shape(right, logits, found)
    right.set_title(f"{found.name}, rank {found.rank}")
    named = {"dnc": structures.simplex_etf, "pairing": structures.pairing, "polygon": structures.polygon}
    rivals = {name: theory.optimal_scale(problem, make(classes))[1] for name, make in named.items()}
    parts = ", ".join(f"{plots.LABELS[name]} {value:.6f}" for name, value in rivals.items())
    text = f"Best of {starts} random starts: {found.name}, rank {found.rank}, loss {loss:.6f}, symmetries"
    return figure, f"{text} {found.symmetry.order}. For comparison: {parts}."


def search_experiment() -> Experiment:
    """The widget of the chapter."""
    fields = {
        "classes": controls.classes(7, smallest=3, largest=14),
        "depth": controls.depth(3, largest=8),
        "weight_decay": controls.weight_decay(-11, smallest=-16),
        "starts": controls.slider("random starts", 24, 0, 64, 8),
        "seed": controls.seed(0),
    }
    return Experiment(
        find,
        fields,
        title="What is the best structure?",
        describe="Left: the best class-mean logits found. Right: the class means in the plane or in space, or, above "
        "rank 3, the singular values.",
    )
