"""The playground: a deep unconstrained features model trained in the page itself, and the same run in PyTorch."""

from __future__ import annotations

import torch

from dufm_lib import Problem, descent
from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.experiment import Report
from dufm_lib.widgets.live import LiveFigure
from dufm_lib.widgets.playground_start import start

LIMIT = 100_000  # steps, as in js/run.js
SHOWN = 60  # points of PyTorch's curve

PACES = {"100 steps a second": 100, "1000 steps a second": 1000, "as fast as it can": 1_000_000}
FIELDS = [
    fields.number("K", "classes K", 6, 2, 10),
    fields.number("n", "samples per class n", 2, 1, 5),
    fields.number("L", "depth L", 2, 1, 4),
    fields.number("d", "width d", 20, 10, 40),
    fields.power("lambda", "weight decay λ", 2**-9, 2**-14, 2**-3),
    fields.power("rate", "learning rate", 1.0, 2**-5, 2.0),
    fields.number("scale", "initial scale", 0.7, 0.1, 2.0, 0.1),
    fields.number("seed", "seed", 2, 0, 999),
    fields.choice("activation", "activation", "linear", {"linear": "linear", "ReLU": "relu"}),
    fields.choice("pace", "pace", 1000, PACES),
]
SETTINGS = {field["name"]: field["value"] for field in FIELDS}  # where the controls start


def problem(values: dict[str, object]) -> Problem:
    """The setting of the controls."""
    K, n, L, d = (values[name] for name in ("K", "n", "L", "d"))
    return Problem(K, n, L, d, values["lambda"], activation=values["activation"])


def train(values: dict[str, object], report: Report | None = None) -> descent.Runs:
    """The playground's run by `descent.train`: in float64, from the same start, with the same settings."""
    setting = problem(values)
    return descent.train(
        setting,
        start=start(setting, values["seed"], values["scale"]),
        learning_rate=values["rate"],
        steps=LIMIT,
        dtype=torch.float64,
        report=report,
    )


class Playground(LiveFigure):
    """Descent in the page: play, pause, step, restart; loss, singular values and logits as they change."""

    _esm = bundle("playground.js")

    def __init__(self, **values: object) -> None:
        """`values`: of fields that start elsewhere than in SETTINGS."""
        super().__init__(
            name="playground",
            title="Train one in the page",
            about="Your browser runs gradient descent from random parameters. Which structure wins?",
            fields=FIELDS,
            structures=["dnc", "pairing", "polygon", "mixed", "zero"],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """The same run by `descent.train`, to be drawn over the page's own."""
        runs = train(values, report)
        history = runs.history
        every = max(1, len(history.steps) // SHOWN)
        points = torch.stack([history.steps.double(), history.loss[:, 0]], dim=1)
        points = points[points.isfinite().all(1)][::every]  # JSON knows no NaN
        text = (
            f"PyTorch, from the same start: {runs.ended[0]} after {int(runs.steps[0])} steps, "
            f"rank {int(runs.rank[0])}, {runs.structure[0]}, loss {float(runs.loss[0]):.4f}."
        )
        return {"values": values, "points": points.tolist()}, text
