"""The experiment of the chapter on neural collapse: a network on a few digits, trained past zero error."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from dufm_lib import networks, plots, structures
from dufm_lib.data import digits
from dufm_lib.widgets import Experiment, Report, controls

DESCENT = {"regularization": "standard", "learning_rate": 0.05, "momentum": 0.9}
RECORDS = 60


def collapse(
    classes: int, samples: int, width: int, weight_decay: float, steps: int, seed: int, report: Report
) -> tuple[Figure, str]:
    """Train with weight decay on every parameter; draw NC1-NC4, and where the classes are at the end.

    The features of three classes are drawn in the plane of their class means. For any other number of classes the
    cosines between the class means are.

    Args:
        classes: K, the digits 0, ..., K - 1.
        samples: n images of each.
        width: d, the number of features; the hidden layers have twice as many units.
        weight_decay, steps, seed: of the training and its start; a step is an epoch.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the metrics when the last error is gone and at the end.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    data = digits(samples, range(classes))
    start = networks.mlp(data, (2 * width, 2 * width), width, depth=1, feature_activation="relu", seed=seed)
    every = max(1, steps // RECORDS)
    run = networks.train(
        start, data, weight_decay=weight_decay, steps=steps, record_every=every, report=report, **DESCENT
    )
    if run.ended == "diverged":
        raise ValueError(f"weight_decay {weight_decay:g} makes this training diverge; choose less")

    history = run.history
    figure, (left, right) = plots.subplots(1, 2, width_ratios=(1.5, 1))
    names = ["nc1", "nc2", "nc3", "nc4"]
    plots.metrics_over_time(left, history.steps, {name.upper(): getattr(history, name) for name in names})
    left.set(xlabel="epoch", ylim=(max(1e-8, left.get_ylim()[0]), None))
    faultless = (history.accuracy == 1).nonzero().flatten().tolist()
    if faultless:
        left.axvline(history.steps[faultless[0]], color=plots.COLORS["zero"], linewidth=1)
    if classes == 3:
        with torch.no_grad():
            features = run.network.train().features(data.inputs).T.double()
        plots.features_2d(right, towards_simplex(features, data.labels).T, data.labels, data.names)
    else:
        plots.logit_matrix(right, cosines(history.features[-1]), data.names, limit=1.0)
        right.set(xlabel="cosines between class means", ylabel="")

    def values(record: int) -> str:
        return ", ".join(f"{name.upper()} {float(getattr(history, name)[record]):.1e}" for name in names)

    before = f"zero error at epoch {history.steps[faultless[0]]} with {values(faultless[0])}" if faultless else "errors"
    return figure, f"After {history.steps[-1]} epochs: {values(-1)}. On the way: {before}."


def towards_simplex(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Project features on the span of their class means, turned so that the means are nearest to a regular simplex.

        P (H - mu),  P = argmin || P M - a V ||_F over P with orthonormal rows,  V = `structures.simplex_vertices`(K)

    Whatever the scale a > 0 is, P = U_1 U_2^T with the singular vectors of V M^T (a Procrustes problem).

    Args:
        features: (d, N) float64, d >= K - 1.
        labels: (N,) classes 0, ..., K - 1 of the columns.

    Returns:
        (K - 1, N); distances within the span of the centred class means M are kept.
    """
    classes = int(labels.max()) + 1
    means = torch.stack([features[:, labels == k].mean(1) for k in range(classes)], 1)
    centre = means.mean(1, keepdim=True)
    left, _, right = torch.linalg.svd(structures.simplex_vertices(classes) @ (means - centre).T, full_matrices=False)
    return left @ right @ (features - centre)


def cosines(means: torch.Tensor) -> torch.Tensor:
    """Cosines between the centred columns of (d, K) class means: (K, K)."""
    centred = means - means.mean(1, keepdim=True)
    unit = centred / torch.linalg.vector_norm(centred, dim=0)
    return unit.T @ unit


def experiment() -> Experiment:
    """The widget of the chapter, at its default setting."""
    fields = {
        "classes": controls.classes(3),
        "samples": controls.samples(30, smallest=5, largest=100),
        "width": controls.width(32, largest=64),
        "weight_decay": controls.weight_decay(-8),
        "steps": controls.steps(1000, largest=4000),
        "seed": controls.seed(),
    }
    return Experiment(
        collapse,
        fields,
        title="Train past zero error",
        describe="Left: NC1 to NC4, and a line at the first epoch seen without errors. Right: the classes at the end.",
    )
