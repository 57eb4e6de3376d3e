"""The live figure of where descent ends: shares over width and weight decay from a table of runs, with intervals."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from dufm_lib import Problem, descent, metrics, plots
from dufm_lib._arguments import shown
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure

LETTERS = {"dnc": "d", "pairing": "p"}
FIXED = {"width": 70, "lambda": 2.0**-10}


class Shares(LiveFigure):
    """Shares of DNC and of pairing over width and weight decay; with Python, ten runs at a setting of one's own."""

    _esm = bundle("shares.js")

    def __init__(self, table: pd.DataFrame, **values: object) -> None:
        """Make the figure.

        Args:
            table: of `results/widths_and_decays.py`, a row a run.
            values: of fields that start elsewhere.
        """
        needed = {"width", "lambda_weights", "init_scale", "seed", "structure"}
        if not isinstance(table, pd.DataFrame) or not needed <= set(table.columns):
            raise ValueError(f"table must be a DataFrame with the columns {sorted(needed)}, got {shown(table)}")
        scales = sorted(table.init_scale.unique().tolist())
        super().__init__(
            name="shares",
            title="How often does descent end at collapse?",
            about="Ten classes of five samples, two weight matrices. Fewer runs a point make longer intervals: "
            "the paper has 10.",
            fields=[
                fields.choice(
                    "structure", "ended at", "dnc", {plots.LABELS[each]: each for each in (*LETTERS, "mixed")}
                ),
                fields.number("runs", "runs a point", 200, 5, 200, 5),
                fields.number("d", "width d", 70, 10, 300, kernel=True),
                fields.power("lambda", "weight decay λ", FIXED["lambda"], 2.0**-13, 2.0**-6, 1, kernel=True),
                fields.choice(
                    "scale", "initial scale", scales[-1], {f"{each:g}": each for each in scales}, kernel=True
                ),
                fields.choice(
                    "rate",
                    "learning rate",
                    4.0,
                    {f"{each:g}{' (the paper)' * (each == 0.5)}": each for each in (0.5, 1.0, 2.0, 4.0)},
                    kernel=True,
                ),
                fields.number("own", "runs of yours", 10, 1, 20, kernel=True),
                fields.number("seed", "seed", 0, 0, 999, kernel=True),
            ],
            structures=["dnc", "pairing", "mixed"],
            data={"letters": LETTERS, "scales": scales, "fixed": FIXED, "slices": _slices(table, scales)},
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Structures and ranks of a few runs, in the setting of the table."""
        problem = Problem(10, 5, 2, values["d"], values["lambda"])
        options = {"init_scale": values["scale"], "report": report}
        runs = descent.train(problem, values["own"], values["seed"], values["rate"], **options)
        converged = [rank for rank, ended in zip(runs.rank.tolist(), runs.ended, strict=True) if ended == "converged"]
        result = {
            "width": values["d"],
            "lambda": values["lambda"],
            "structure": list(runs.structure),
            "rank": converged,
        }
        dnc = metrics.share(runs.structure, "dnc")
        listed = ", ".join(f"{count} at rank {rank}" for rank, count in sorted(Counter(converged).items()))
        return result, (
            f"DNC: {runs.structure.count('dnc')} of {len(runs)} runs, 95% interval {dnc.low:.0%} to {dnc.high:.0%}. "
            f"Converged: {listed or 'none yet'}."
        )


def _slices(table: pd.DataFrame, scales: list[float]) -> dict[str, list[list[list[object]]]]:
    """{slice: [scale][point] = [setting, a letter a run in the order of the seeds]}."""
    letters = table.assign(letter=table.structure.astype(str).map(LETTERS).fillna("m")).sort_values("seed")
    slices = {
        "width": ("width", letters[letters.lambda_weights == FIXED["lambda"]]),
        "lambda": ("lambda_weights", letters[letters.width == FIXED["width"]]),
    }
    return {
        name: [
            [[x, "".join(runs)] for x, runs in rows[rows.init_scale == scale].groupby(column).letter]
            for scale in scales
        ]
        for name, (column, rows) in slices.items()
    }
