"""The live figure of trainings that the chapter has just done: what was recorded, step by step, to be played again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from dufm_lib import metrics, networks, plots, structures
from dufm_lib._arguments import shown
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure
from dufm_lib.widgets.solids import edges

LAST = -1  # of the layers of the head: what its last matrix receives


class Replay(LiveFigure):
    """Class means in space, singular values, objective and collapse at every recorded step of one or more trainings."""

    _esm = bundle("replay.js")

    def __init__(
        self,
        name: str,
        trainings: Mapping[str, networks.Training],
        again: Callable[[int, Report], networks.Training],
        **values: object,
    ) -> None:
        """Make the figure.

        Args:
            name: as in `LiveFigure`.
            trainings: {what the reader sees: a training}, recorded at steps that are multiples of one number.
            again: `again(seed, report)` trains one more like the first, where Python answers; its curves stand beside.
            values: of fields that start elsewhere: run, step, seed.
        """
        if not (isinstance(trainings, Mapping) and trainings) or not all(
            isinstance(each, networks.Training) for each in trainings.values()
        ):
            raise ValueError(f"trainings must be a dictionary of one Training at least, got {shown(trainings)}")
        if not callable(again):
            raise ValueError(f"again must be a function, got {shown(again)}")
        self._again = again
        steps = [training.history.steps.tolist() for training in trainings.values()]
        last, every = max(run[-1] for run in steps), math.gcd(*(step for run in steps for step in run))
        first, *others = trainings
        choices = [fields.choice("run", "training", first, {each: each for each in trainings})] if others else []
        super().__init__(
            name=name,
            title="What the training recorded",
            about="Move through the steps, or press Play. The corners are the centred class means of the features, "
            "in the three directions that are strongest in the end; turn them as you like.",
            fields=[
                *choices,
                fields.number("step", "step", steps[0][-1], 0, last, every),
                fields.number("seed", "seed", 1, 0, 999, kernel=True),
                *fields.view(),
            ],
            structures=["dnc", "pairing", "polygon", "polyhedron", "mixed", "zero"],
            data={"runs": {name: recorded(training) for name, training in trainings.items()}, "first": first},
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Train again, from the seed of the reader."""
        training = self._again(values["seed"], report)
        if training.ended == "diverged":
            raise ValueError("training diverged: choose another seed")
        found = recorded(training)
        said = f"seed {values['seed']}: {plots.LABELS[found['structure'][-1]]}, rank {training.rank}, objective "
        return {name: found[name] for name in ("steps", "objective", "sigma")}, f"{said}{found['objective'][-1]:.4f}."


def recorded(training: networks.Training) -> dict[str, object]:
    """The history of a training for the drawing: T recorded steps, K classes, numbers of four digits.

    Returns:
        steps, objective, structure (a key of `plots.COLORS`): T of each; sigma: T x K singular values of the class-mean
        logits; dnc: T x 3, what the last matrix of the head receives; names: of the classes; points: T x K x 3, the
        centred class means of the features in the three leading directions of the last record, the longest there of
        length one, and none longer before; carried: T, the share of their squares that is in these directions; edges:
        of the convex hull of the last points, where they are all there is, else none; bounds: best losses of structures
        that bound the objective.
    """
    history = training.history
    means = history.features - history.features.mean(-1, keepdim=True)
    directions = torch.linalg.svd(means[-1], full_matrices=False).U[:, :3]
    points = (directions.mT @ means).mT
    carried = points.square().sum((1, 2)) / means.square().sum((1, 2))
    longest = points.norm(dim=-1).amax(1)
    points = points / longest.clamp_min(float(longest[-1]))[:, None, None]
    labels = metrics.structure_labels(history.logits)
    ranks = structures.rank(history.logits).tolist()
    return {
        "steps": history.steps.tolist(),
        "objective": _short(history.objective),
        "sigma": _short(history.singular_values),
        "dnc": _short(torch.stack([each[:, LAST] for each in (history.dnc1, history.dnc2, history.dnc3)], -1)),
        "structure": [
            "polyhedron" if label == "mixed" and r == 3 else label for label, r in zip(labels, ranks, strict=True)
        ],
        "names": list(training.data.names),
        "points": points.numpy().round(3).tolist(),
        "carried": _short(carried),
        "edges": edges(points[-1].numpy()) if ranks[-1] == 3 else [],
        "bounds": training.bounds,
    }


def _short(tensor: torch.Tensor) -> list:
    """Nested lists of four digits; None for NaN, which JSON has not."""

    def short(value: object) -> object:
        if isinstance(value, list):
            return [short(each) for each in value]
        return float(f"{value:.4g}") if math.isfinite(value) else None

    return short(tensor.tolist())
