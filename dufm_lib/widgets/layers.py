"""The live figure of deep neural collapse: its three properties in every layer, between the simplex and pairing."""

from __future__ import annotations

from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Layers(LiveFigure):
    """DNC1 to DNC3 and sizes of the class means, layer by layer, for logits (1 - mix) S + mix P; all in the page."""

    _esm = bundle("layers.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of mix, L, spread, unread, K and flipped may differ from the start."""
        super().__init__(
            name="layers",
            title="Which layer is collapsed?",
            about="Balanced layers whose logits lie between the simplex (0) and pairing (1), with variation and idle "
            "weights added. Move one slider at a time, and see which of the three properties answers, and where.",
            fields=[
                fields.number("mix", "shape: 0 simplex, 1 pairing", 0.5, 0, 1, 0.02),
                fields.number("L", "depth L", 4, 1, 8),
                fields.number("spread", "variation within classes", 0.4, 0, 1, 0.02),
                fields.number("unread", "share of idle weights", 0.4, 0, 0.9, 0.02),
                fields.choice("K", "classes K", 6, {str(K): K for K in (4, 6, 8, 10)}),
                fields.flag("flipped", "turn the sign of the last layer", False),
            ],
            structures=["dnc", "pairing"],
            values=values,
        )
