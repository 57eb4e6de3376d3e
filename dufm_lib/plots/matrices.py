"""Grids of cells: a logit matrix, a map of which structure holds where, and a map of shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from dufm_lib._arguments import positive_float, sequence
from dufm_lib.plots.style import COLORS, HATCHES, INK, LABELS, array, canvas, check_structure, mapping, texts


def logit_matrix(ax: Axes, logits, names: Sequence[str] | None = None, limit: float | None = None) -> Axes:
    """Class-mean logits as a heat map, symmetric about a white zero; up to eight classes also as numbers.

    Args:
        ax: the axes to draw on.
        logits: (K, K); column k holds the mean logits of class k.
        names: of the classes; 1..K without.
        limit: the logit of the full colour; the largest size given, without.
    """
    ax, logits = canvas(ax), array("logits", logits, "K", "K", finite=True)
    names = texts("names", names, len(logits)) or [str(k + 1) for k in range(len(logits))]
    limit = (None if limit is None else positive_float("limit", limit)) or float(np.abs(logits).max()) or 1.0
    image = ax.imshow(logits, cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_xticks(range(logits.shape[1]), names)
    ax.set_yticks(range(logits.shape[0]), names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if len(logits) <= 8:
        for (row, column), value in np.ndenumerate(logits):
            light = abs(value) > 0.7 * limit
            ax.text(
                column,
                row,
                f"{value:.2g}" if abs(value) > 0.005 * limit else "0",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if light else INK,
            )
    ax.set(xlabel="class of the sample", ylabel="logit of class")
    beside = ax.inset_axes((1.05, 0.075, 0.06, 0.85))  # of the image, which may not fill its room
    bar = ax.figure.colorbar(image, cax=beside, ticks=[-limit, 0, limit], format="%.3g")
    bar.outline.set_visible(False)
    return ax


def phase_map(
    ax: Axes,
    columns: Sequence,
    rows: Sequence,
    structures: Sequence[Sequence[str]],
    text: Sequence[Sequence[str]] | None = None,
    names: Mapping[str, str] | None = None,
) -> Axes:
    """Which structure holds in each cell of a grid, by colour and hatch, with a legend above.

    Args:
        ax: the axes to draw on.
        columns, rows: tick labels, for example the numbers of classes and the depths; row 0 is at the bottom.
        structures: structures[row][column], names of structures.
        text: text[row][column], written in the cells.
        names: what the legend says of each structure, where LABELS is not meant.
    """
    ax, columns, rows = canvas(ax), sequence("columns", columns, "labels"), sequence("rows", rows, "labels")
    grids = {"structures": structures} | ({} if text is None else {"text": text})
    for name, grid in grids.items():
        lines = [sequence(name, line, "names in each row") for line in sequence(name, grid, "rows")]
        if not lines or [len(line) for line in lines] != [len(columns)] * len(rows):
            raise ValueError(f"{name} must have {len(rows)} rows of {len(columns)} names, one for each cell")
        grids[name] = lines
    names = mapping("names", {} if names is None else names)
    used = dict.fromkeys(name for line in grids["structures"] for name in line)
    for name in used:
        check_structure(name)
        cells = np.argwhere(np.array(grids["structures"]) == name)
        squares = [Path.unit_rectangle().transformed(Affine2D().translate(x - 0.5, y - 0.5)) for y, x in cells]
        # one patch for all cells of a structure: a printer keeps the hatch of every patch as a picture of its own
        ax.add_patch(PathPatch(Path.make_compound_path(*squares), **_cell(name)))
    if text is not None:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
        for (row, column), written in np.ndenumerate(np.array(grids["text"], dtype=object)):
            ax.text(column, row, written, ha="center", va="center", fontsize=8.5, bbox=box)
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(-0.5, len(rows) - 0.5))
    ax.set_xticks(range(len(columns)), [str(label) for label in columns])
    ax.set_yticks(range(len(rows)), [str(label) for label in rows])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    patches = [Patch(label=names.get(name, LABELS[name]), **_cell(name)) for name in used]
    ax.legend(handles=patches, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0.2)
    return ax


def share_map(ax: Axes, columns: Sequence, rows: Sequence, shares) -> Axes:
    """Shares as a heat map, in percent: white for 0, dark for 1; what rounds to nothing stays empty.

    Args:
        ax: the axes to draw on.
        columns, rows: tick labels, for example widths and ranks; row 0 is at the bottom.
        shares: (rows, columns) numbers in [0, 1].
    """
    ax, columns, rows = canvas(ax), sequence("columns", columns, "labels"), sequence("rows", rows, "labels")
    shares = array("shares", shares, "rows", "columns", finite=True)
    if shares.shape != (len(rows), len(columns)):
        raise ValueError(f"shares must have shape ({len(rows)}, {len(columns)}), rows by columns; got {shares.shape}")
    if shares.min() < 0 or shares.max() > 1:
        raise ValueError(f"shares must be in [0, 1], got {shares.min()} to {shares.max()}")
    ax.imshow(shares, cmap="Greys", vmin=0, vmax=1, aspect="auto", origin="lower", interpolation="nearest")
    for (row, column), value in np.ndenumerate(shares):
        if round(100 * value) > 0:
            color = "white" if value > 0.5 else INK
            ax.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=7.5, color=color)
    ax.set_xticks(range(len(columns)), [str(label) for label in columns])
    ax.set_yticks(range(len(rows)), [str(label) for label in rows])
    ax.tick_params(length=0)
    return ax


def _cell(structure: str) -> dict:
    """Fill, hatch and white border of a cell."""
    return {
        "facecolor": COLORS[structure] + "b0",
        "hatch": HATCHES[structure],
        "edgecolor": "white",
        "linewidth": 1,
    }
