"""Figures: draw what is given, compute nothing; take and return matplotlib axes.

    plots.use_style()                                  once in a notebook
    figure, ax = plots.subplots()                      a figure without pyplot
    plots.logit_matrix(ax, logits)
    figure                                             the last line of a cell shows it

Tensors, arrays and lists are all taken. Structures are named as `descent.train` names them.
"""

from dufm_lib.plots.chapters import chapter_map
from dufm_lib.plots.curves import (
    by_structure,
    factor_spectra,
    layer_metrics,
    layer_spectra,
    loss_curves,
    metrics_over_time,
    probability,
    shares,
)
from dufm_lib.plots.geometry import features_2d, points_2d, points_3d
from dufm_lib.plots.matrices import logit_matrix, phase_map, share_map
from dufm_lib.plots.results import result_panels
from dufm_lib.plots.spectra import eigenvalue_ladder, hessian_histogram, spectrum
from dufm_lib.plots.style import COLORS, HATCHES, LABELS, LINES, MARKERS, STYLE, subplots, use_style

__all__ = [
    "COLORS",
    "HATCHES",
    "LABELS",
    "LINES",
    "MARKERS",
    "STYLE",
    "by_structure",
    "chapter_map",
    "eigenvalue_ladder",
    "factor_spectra",
    "features_2d",
    "hessian_histogram",
    "layer_metrics",
    "layer_spectra",
    "logit_matrix",
    "loss_curves",
    "metrics_over_time",
    "phase_map",
    "points_2d",
    "points_3d",
    "probability",
    "result_panels",
    "share_map",
    "shares",
    "spectrum",
    "subplots",
    "use_style",
]
