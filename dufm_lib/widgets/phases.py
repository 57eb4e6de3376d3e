"""The live phase map: which structure is cheapest for each number of classes and each depth."""

from __future__ import annotations

from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Phases(LiveFigure):
    """The structure of least loss over K and L, with the borders of Theorems 1 and 7; all of it in the page."""

    _esm = bundle("phases.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of K, L, n and lambda (as `**{"lambda": 0.01}`) may differ from the start."""
        super().__init__(
            name="phases",
            title="Which of three structures is cheapest?",
            about="Of DNC, pairing and polygon, each at its own best scale, the cheapest colours the cell. What "
            "beats all three is in the atlas. Change the weight decay, and choose a cell by a click or by K and L.",
            fields=[
                fields.power("lambda", "weight decay λ", 2.0**-10, 2.0**-14, 0.5),
                fields.number("n", "samples per class n", 1, 1, 50),
                fields.number("K", "cell: classes K", 10, 3, 18),
                fields.number("L", "cell: depth L", 2, 1, 7),
            ],
            structures=["dnc", "pairing", "polygon", "zero"],
            values=values,
        )
