"""The visual language: one colour, marker, line and name for each structure, and the book's matplotlib style.

The colours are darkened from the Okabe-Ito palette. The tests hold them to four promises: contrast of 3:1 on
white; the same after the dark theme's CSS filter, on the dark page; all different for readers with protanopia
and deuteranopia; and markers, lines and hatches that differ too, so that colour is never the only cue.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dufm_lib._arguments import fits, one_of, positive_float, positive_int, sequence, shown

COLORS = {
    "dnc": "#0077c8",
    "pairing": "#b04408",
    "polygon": "#209862",
    "polyhedron": "#96568a",
    "strongly_regular": "#c68500",
    "mixed": "#4c4c4c",
    "zero": "#929292",
    "unconverged": "#4c4c4c",  # runs without a structure, as descent labels them: the grey of what is mixed
    "diverged": "#4c4c4c",
}
LABELS = {
    "dnc": "DNC (simplex)",
    "pairing": "pairing (orthoplex)",
    "polygon": "polygon",
    "polyhedron": "polyhedron",
    "strongly_regular": "strongly regular graph",
    "mixed": "other",
    "zero": "zero",
    "unconverged": "not converged",
    "diverged": "diverged",
}
MARKERS = dict(zip(COLORS, ["o", "s", "p", "^", "D", "X", ".", "+", "x"], strict=True))
# Lengths of stroke, gap, stroke, ...
DASHES = [(6, 1, 1, 1, 1, 1), (3, 1, 1, 1), (2, 1), (1, 3), (1, 1), (8, 3)]
LINES = dict(zip(COLORS, ["-", "--", "-.", *((0, dashes) for dashes in DASHES)], strict=True))
HATCHES = dict(zip(COLORS, ["", "//", "\\\\", "..", "xx", "--", "oo", "||", "++"], strict=True))

INK = "#1f2933"
SHADES = ["#1f2933", "#57606c", "#7d8894", "#3c4650", "#6a7480"]  # of what is no structure

STYLE = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.figsize": (7.2, 3.2),
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=SHADES)
    + cycler(linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1))])
    + cycler(marker=["o", "s", "^", "D", "v"]),
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": 9.5,
    # Text as paths looks the same on every machine; a fixed salt makes the same figure the same file.
    "svg.fonttype": "path",
    "svg.hashsalt": "dufm",
}


def use_style() -> None:
    """Make the book's style matplotlib's default and, in a notebook, draw figures as SVG.

    SVG is sharp at every zoom and, for curves, half the bytes of a double-resolution PNG (30 kB, not 50). A cloud of
    1740 points weighs 0.2 MB, a little more than as PNG; compressed, as servers send it, less than a fifth of that.
    """
    mpl.rcParams.update(STYLE)
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None and hasattr(shell, "kernel"):
        from matplotlib_inline.config import InlineBackend

        InlineBackend.instance(parent=shell).figure_formats = {"svg"}


def subplots(rows: int = 1, columns: int = 1, size: tuple[float, float] | None = None, **options):
    """A figure and its axes in the book's style, made without pyplot and so safe in a widget's thread.

    Args:
        rows, columns: of the grid of axes.
        size: width and height in inches; 7.2 fills the text column.
        options: passed on to `matplotlib.figure.Figure.subplots`.

    Returns:
        (figure, axes): one axes, or an array of them.
    """
    rows, columns = positive_int("rows", rows, largest=100), positive_int("columns", columns, largest=100)
    if size is not None:
        wide, high = sequence("size", size, "numbers, width and height", 2)
        size = positive_float("size", wide), positive_float("size", high)
    use_style()
    figure = Figure(figsize=size)
    return figure, figure.subplots(rows, columns, **options)


def look(structure: str | None) -> dict:
    """Colour, line style and marker of a structure, as keyword arguments of `Axes.plot`; of ink for None.

    Raises:
        ValueError: the structure has no entry in COLORS.
    """
    if structure is None:
        return {"color": INK, "linestyle": "-", "marker": "o"}
    check_structure(structure)
    return {"color": COLORS[structure], "linestyle": LINES[structure], "marker": MARKERS[structure]}


def check_structure(structure: str) -> None:
    """Raise ValueError unless the structure has an entry in COLORS."""
    one_of("structure", structure, COLORS)


def array(name: str, values, *shape: int | str, finite: bool = False) -> np.ndarray:
    """A real numpy array of a tensor (on any device, with or without gradient), an array or a list.

    Args:
        name: of the argument.
        values: what was given for it.
        shape: as in `dufm_lib._arguments.real_tensor`.
        finite: whether NaN, which leaves a gap in a line, is refused.

    Raises:
        ValueError: they are not so.
    """
    try:
        found = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    except (TypeError, ValueError, RuntimeError):  # lists of unequal lengths, tensors without numbers
        found = np.empty(0, dtype=object)
    if found.dtype.kind not in "iuf" or not fits(found.shape, shape):
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} must be real numbers of shape ({wanted}), got {shown(values)}")
    if finite and not np.isfinite(found).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return found


def canvas(ax: object) -> Axes:
    """The axes to draw on, or a ValueError if they are none."""
    if not isinstance(ax, Axes):
        raise ValueError(f"ax must be matplotlib axes, as plots.subplots makes them; got {shown(ax)}")
    return ax


def texts(name: str, given: object, count: int) -> list[str] | None:
    """One text for each of `count` things, which a text of so many characters is too; None for None."""
    if given is None:
        return None
    return [str(each) for each in sequence(name, list(given) if isinstance(given, str) else given, "names", count)]


def mapping(name: str, given: object) -> dict:
    """{name: ...} as a dictionary, or a ValueError."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{name} must be a dictionary, got {shown(given)}")
    return dict(given)
