"""The live race with ReLU: pairs and edges against the least that any collapsed solution can cost."""

from __future__ import annotations

from dufm_lib import Problem, descent, structures, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Race(LiveFigure):
    """ReLU solutions with a closed form against the bound of collapse, in the page; with Python, where descent ends."""

    _esm = bundle("race.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of its fields (lambda as `**{"lambda": 0.01}`) may differ from the start."""
        super().__init__(
            name="race",
            title="Which ReLU solution undercuts collapse?",
            about="Left, best losses in parts of the least loss that collapse can have with ReLU: below 1, collapse is "
            "not optimal. Right, who is ahead for each K and L at your weight decay. Click a cell to go there.",
            fields=[
                fields.number("K", "classes K", 10, 4, 21),
                fields.number("L", "depth L", 5, 2, 9),
                fields.power("lambda", "weight decay λ", 2.0**-9, 2.0**-20, 0.5),
                fields.number("n", "samples per class n", 5, 1, 50),
                fields.number("d", "width d", 30, 4, 80, kernel=True),
                fields.number("runs", "runs", 4, 1, 10, kernel=True),
                fields.number("scale", "initial scale", 1, 0.1, 1.5, 0.1, kernel=True),
                fields.number("seed", "seed", 0, 0, 999, kernel=True),
            ],
            structures=["dnc", "pairing", "strongly_regular", "zero"],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Losses at which 8000 steps of descent end, with learning rate 1."""
        K, L, n, d = (values[name] for name in ("K", "L", "n", "d"))
        problem = Problem(K, n, L, d, values["lambda"], activation="relu")
        runs = descent.train(problem, values["runs"], values["seed"], 1.0, 8000, values["scale"], report=report)
        losses = [float(loss) for loss, end in zip(runs.loss, runs.ended, strict=True) if end != "diverged"]
        bound = theory.optimal_scale(problem, structures.simplex_etf(K))[1]
        below = sum(loss < bound for loss in losses)
        least = f"; the least loss is {min(losses):.5f}" if losses else ""
        result = {"K": K, "L": L, "n": n, "lambda": values["lambda"], "losses": losses}
        return result, f"{below} of {len(runs)} runs end below the bound of collapse, {bound:.5f}{least}."
