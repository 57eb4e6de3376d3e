"""The live figure of the loss along the scale of a structure, with the scales at which it is level."""

from __future__ import annotations

from collections import Counter

import torch

from dufm_lib import plots
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure
from dufm_lib.widgets.puzzle import ends

START = {"K": 10, "n": 1, "L": 2, "lambda": 2.0**-5, "d": 40, "seed": 0}
RUNS = 10


class Scale(LiveFigure):
    """Loss of DNC, pairing and zero along the scale, and the critical scales; with Python, the ends of descent."""

    _esm = bundle("scale.js")

    def __init__(self, **start: object) -> None:
        """Make the figure; `start` of its fields (as `K=6, **{"lambda": 0.01}`) is also where Reset leads.

        Raises:
            ValueError: there is no such field, or its value is out of range.
        """
        at = START | start
        super().__init__(
            name="scale",
            title="How large are the logits?",
            about="Left, the loss along the scale of the logits, stretched near zero. Right, the scales at which DNC "
            "is critical, against the weight decay: dotted where the Hessian has a negative eigenvalue. Move λ.",
            fields=[
                fields.power("lambda", "weight decay λ", at["lambda"], 2.0**-14, 0.5),
                fields.number("L", "depth L", at["L"], 1, 6),
                fields.number("K", "classes K", at["K"], 3, 20),
                fields.number("n", "samples per class n", at["n"], 1, 20),
                fields.number("d", "width d", at["d"], 20, 120, kernel=True),
                fields.number("seed", "seed", at["seed"], 0, 999, kernel=True),
            ],
            structures=["dnc", "pairing", "zero"],
            values=at,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Where descent ends, as (scale, loss) of each run that ends at DNC, at pairing or at zero."""
        K, n, L = (values[name] for name in "KnL")
        runs = ends(values["d"], RUNS, K, n, L, values["lambda"], values["seed"], report)
        found = [
            (scale_of(logits, name), float(f"{loss:.6g}"))
            for logits, name, loss in zip(runs.logits, runs.structure, runs.loss.tolist(), strict=True)
            if name in ("dnc", "pairing", "zero")
        ]
        counts = Counter(plots.LABELS[name] for name in runs.structure).most_common()
        result = {name: values[name] for name in ("K", "n", "L", "lambda")} | {"ends": found}
        said = ", ".join(f"{count} at {label}" for label, count in counts)
        return result, f"Of {RUNS} runs at width {values['d']}, {said}."


def scale_of(logits: torch.Tensor, name: str) -> float:
    """The scale of class-mean logits (K, K) of a structure: their trace over that of the structure at scale 1."""
    trace = {"dnc": len(logits) - 1, "pairing": len(logits)}
    return round(float(logits.trace()) / trace[name], 4) if name in trace else 0.0
