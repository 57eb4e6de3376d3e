"""The live figure of what weight decay charges for singular values at each depth."""

from __future__ import annotations

from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Price(LiveFigure):
    """The charge sigma^{2/(L+1)} of one singular value, and all pairs that are charged alike; all of it in the page."""

    _esm = bundle("price.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of L, first, second may differ from the start."""
        super().__init__(
            name="price",
            title="What does a singular value cost?",
            about="Left: the charge of one singular value. Right: all pairs that are charged as much as yours. "
            "Raise the depth and watch the curve on the right bend towards the axes.",
            fields=[
                fields.number("L", "depth L", 2, 1, 50),
                fields.number("first", "singular value σ₁", 2.0, 0.1, 4, 0.05),
                fields.number("second", "singular value σ₂", 1.0, 0.1, 4, 0.05),
            ],
            values=values,
        )
