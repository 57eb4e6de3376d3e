"""The live figure of the four measurements: classes of points in space, moved away from collapse in three ways."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np

from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure

CLASSES = 3, 6


class Cloud(LiveFigure):
    """Samples, class means and classifier in space, with NC1 to NC4 of what is drawn; all of it in the page."""

    _esm = bundle("cloud.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of K, spread, simplex, mismatch and seed may differ from the start."""
        shades = mpl.colormaps["viridis"](np.linspace(0, 0.7, CLASSES[1]))  # as plots.features_2d
        super().__init__(
            name="cloud",
            title="Four ways to be collapsed",
            about="Each number is a sample of that class. Bring all four measurements to zero, one slider at a time. "
            "Drag the picture, or turn it with the buttons or the arrow keys.",
            fields=[
                fields.number("spread", "spread within the classes", 0.3, 0, 1, 0.02),
                fields.number("simplex", "means: 0 random, 1 simplex", 0.4, 0, 1, 0.02),
                fields.number("mismatch", "last layer: 0 means, 1 random", 0.4, 0, 1, 0.02),
                fields.number("K", "classes K", 4, *CLASSES),
                fields.number("seed", "seed", 1, 0, 999),
                *fields.view(),
            ],
            structures=["dnc"],
            data={"colors": [mpl.colors.to_hex(shade) for shade in shades]},
            values=values,
        )
