"""The live figure of imbalance: how far apart large and small classes are, and when the small ones merge."""

from __future__ import annotations

import torch

from dufm_lib import Problem, descent, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Merging(LiveFigure):
    """The best logits that treat classes of one size alike, in the page; with Python, those that descent finds."""

    _esm = bundle("merging.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of its fields (lambda as `**{"lambda": 0.01}`) may differ from the start."""
        super().__init__(
            name="merging",
            title="Which classes does the model give up?",
            about="Left, how far apart classes of one size are, against the weight decay; at 0 they share one column. "
            "Right, the logits at yours, large classes first. Raise R until the small classes merge.",
            fields=[
                fields.number("R", "samples of a large class R", 9, 1, 100),
                fields.power("lambda", "weight decay λ", 2.0**-6, 2.0**-14, 2.0**-2),
                fields.number("L", "depth L", 1, 1, 4),
                fields.number("k1", "large classes", 2, 1, 6),
                fields.number("k2", "small classes, of one sample each", 2, 1, 6),
                fields.number("scale", "initial scale", 1, 0.1, 2, 0.1, kernel=True),
                fields.number("seed", "seed", 0, 0, 999, kernel=True),
            ],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """How far apart the classes are after at most 8000 steps of descent at width 20."""
        setting = {name: values[name] for name in ("k1", "k2", "R", "L", "lambda")}
        K, k1, k2 = values["k1"] + values["k2"], values["k1"], values["k2"]
        problem = Problem(K, theory.step_sizes(K, k2, values["R"]), values["L"], 20, values["lambda"])
        runs = descent.train(problem, None, values["seed"], 1.0, 8000, values["scale"], report=report)
        if runs.ended[0] == "diverged":
            raise ValueError(f"the initial scale {values['scale']:g} is too large for depth {values['L']}; choose less")
        found = {"large": _apart(runs.logits[0][:, :k1]), "small": _apart(runs.logits[0][:, k1:])}
        text = f"After {int(runs.steps[0])} steps: a = {found['large']:.3f}, c = {found['small']:.3f}, "
        return setting | found, text + f"loss {float(runs.loss[0]):.6f}, rank {int(runs.rank[0])}."


def _apart(columns: torch.Tensor) -> float:
    """Root mean square distance of k columns from their centre, so that those of x (I - 11^T/k) give x; 0 for one."""
    k = columns.shape[1]
    return float((columns - columns.mean(1, keepdim=True)).norm() / max(k - 1, 1) ** 0.5)
