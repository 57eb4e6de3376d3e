"""The live figure of dynamics: the singular values of the logits under gradient flow without weight decay."""

from __future__ import annotations

import torch

from dufm_lib import Problem, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.dynamics import descended
from dufm_lib.widgets.live import LiveFigure
from dufm_lib.widgets.playground_start import uniform

SHOWN = (1, 2, 3, 5, 8, 13, 21, 34, 50)  # records, spread over the logarithm of time


def beginning(start: str, classes: int, theta: float, size: float, seed: int) -> torch.Tensor:
    """Eigenvalues of the logits at time 0, the constant mode included, as js/survivors.js begins: (K,) float64."""
    parts = theta + (1 - theta) * torch.from_numpy(uniform(seed, classes - 1))
    if start == "pairing":
        parts = theta + (1 - theta) * (theory.hadamard_frame(classes)[1:, -1] < 0).double()
    return size * torch.cat([torch.zeros(1, dtype=torch.float64), parts])


class Modes(LiveFigure):
    """The closed equation of a spectral start, integrated in the page; with Python, descent on all factors."""

    _esm = bundle("modes.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of start, K, L, theta, size, n and seed may differ from the start."""
        super().__init__(
            name="modes",
            title="Which singular values win?",
            about="The singular values of the logits over time, and on the right in parts of the largest. Lower the "
            "least one at the start, or raise the depth, and see how many are left.",
            fields=[
                fields.choice("start", "start", "random", {"each at random": "random", "pairing ahead": "pairing"}),
                fields.choice("K", "classes K", 8, {"4": 4, "8": 8, "16": 16}),
                fields.number("L", "depth L", 3, 1, 6),
                fields.number("theta", "least / largest at the start θ", 0.4, 0.05, 1, 0.01),
                fields.power("size", "largest at the start", 2.0**-3, 2.0**-7, 2.0**3),
                fields.number("n", "samples per class n", 1, 1, 50),
                fields.number("seed", "seed of the random start", 0, 0, 999),
            ],
            structures=["dnc", "pairing"],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Eigenvalues of the logits in 4000 steps of descent from the same start, with learning rate 0.05."""
        names = ("start", "K", "L", "theta", "size", "n", "seed")
        start, K, L, theta, size, n, seed = (values[name] for name in names)
        problem, frame = Problem(K, n, L, K, 0.0), theory.hadamard_frame(K)
        clock, found = descended(problem, frame, beginning(start, K, theta, size, seed), report)
        ends = float(clock[-1]), float(found[-1].max())
        path = [[float(clock[record]), found[record].tolist()] for record in SHOWN if record < len(clock)]
        result = {name: values[name] for name in names} | {"path": path}
        return result, "At time {:g} descent has the largest singular value {:.4f}.".format(*ends)
