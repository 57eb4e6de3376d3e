"""Singular values and Hessian eigenvalues: many orders of magnitude, and zeros that must stay visible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator

from dufm_lib._arguments import fraction, positive_float, sequence
from dufm_lib.plots.style import INK, LABELS, SHADES, array, canvas, look, mapping, texts


def spectrum(
    ax: Axes, values, labels: Sequence[str] | None = None, structure: str | None = None, floor: float = 1e-6
) -> Axes:
    """Singular values in descending order as stems on a logarithmic axis, one group of stems a rank.

    Args:
        ax: the axes to draw on.
        values: (K,) or (matrices, K), for example one row a layer.
        labels: one a row.
        structure: gives the colour of a single row; several rows are told apart by shade and marker.
        floor: relative to the largest value; smaller ones are drawn hollow, on the floor.
    """
    ax, values = canvas(ax), array("values", values, "...", "K", finite=True)
    if values.ndim > 2 or 0 in values.shape:
        raise ValueError(f"values must have shape (K,) or (matrices, K), got {values.shape}")
    values = -np.sort(-np.atleast_2d(values), axis=1)
    labels = texts("labels", labels, len(values))
    bottom = fraction("floor", floor) * values.max()
    if not bottom > 0 or values.min() < 0:
        raise ValueError("values must not be negative, one positive singular value at least, and floor positive")
    places = np.arange(1, values.shape[1] + 1)
    for row, heights in enumerate(values):
        style = look(structure) if len(values) == 1 else {"color": SHADES[row % 5], "marker": "os^Dv"[row % 5]}
        x = places + (row - (len(values) - 1) / 2) * 0.6 / len(values)
        alive = heights > bottom
        ax.vlines(x, bottom, np.maximum(heights, bottom), color=style["color"], linewidth=1.2)
        style |= {"linestyle": "", "clip_on": False}
        ax.plot(x[alive], heights[alive], label=labels[row] if labels is not None else None, **style)
        if not alive.all():
            ax.plot(x[~alive], np.full((~alive).sum(), bottom), markerfacecolor="white", **style)
    ax.set_yscale("log")
    ax.set(xlabel="rank", ylabel="singular value", ylim=(bottom, 2 * values.max()))
    ax.set_xticks(places if len(places) <= 12 else places[:: len(places) // 10])
    if labels is not None:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(labels), columnspacing=1, borderpad=0.2)
    return ax


def eigenvalue_ladder(ax: Axes, spectra: Mapping[str, tuple], resolution: float = 1e-6) -> Axes:
    """Distinct eigenvalues as rungs with their multiplicities, one ladder for each structure, side by side.

    Args:
        ax: the axes to draw on.
        spectra: {structure: (eigenvalues (m,), multiplicities (m,))}.
        resolution: values of at most this size are zeros, drawn as one thick rung.
    """
    ax, resolution = canvas(ax), positive_float("resolution", resolution)
    ladders = {}
    for structure, pair in mapping("spectra", spectra).items():
        values, times = sequence("spectra", pair, "arrays (eigenvalues, multiplicities) each", 2)
        values = array("spectra", values, "m", finite=True)
        ladders[structure] = values, array("spectra", times, len(values), finite=True)
    if not ladders:
        raise ValueError("spectra must be of one structure at least, got none")
    _signed_log(ax.yaxis, np.concatenate([values for values, _ in ladders.values()]), resolution)
    for place, (structure, (values, times)) in enumerate(ladders.items()):
        color = look(structure)["color"]
        zeros = np.abs(values) <= resolution
        ax.hlines(values[~zeros], place - 0.25, place + 0.25, color=color, linewidth=1.4)
        ax.hlines(values[zeros][:1] * 0, place - 0.25, place + 0.25, color=color, linewidth=5)
        counts = {float(value): f"× {count}" for value, count in zip(values[~zeros], times[~zeros], strict=True)}
        counts |= {0.0: f"{times[zeros].sum()} zeros"} if zeros.any() else {}
        lowest = -np.inf
        for value, text in sorted(counts.items()):
            height = max(ax.transLimits.transform(ax.transScale.transform((place, value)))[1], lowest + 0.045)
            ax.text(place + 0.28, height, text, transform=ax.get_xaxis_transform(), va="center", fontsize=8.5)
            lowest = height
    ax.set(xlim=(-0.4, len(ladders) - 0.4), ylabel="Hessian eigenvalue")
    ax.set_xticks(range(len(ladders)), [LABELS[structure] for structure in ladders])
    ax.tick_params(axis="x", length=0)
    ax.spines["bottom"].set_visible(False)
    return ax


def hessian_histogram(ax: Axes, eigenvalues, resolution: float = 1e-6) -> Axes:
    """How many eigenvalues lie in each third of a decade, negative ones left of zero, with the three counts.

    Args:
        ax: the axes to draw on.
        eigenvalues: (P,) all of them, repeated ones repeated.
        resolution: values of at most this size are zeros.
    """
    ax, resolution = canvas(ax), positive_float("resolution", resolution)
    values = array("eigenvalues", eigenvalues, "P", finite=True)
    threshold, largest = _signed_log(ax.xaxis, values, resolution)
    decades = np.geomspace(threshold, largest, 1 + math.ceil(3 * math.log10(largest / threshold)))
    zeros = np.abs(values) <= resolution
    signs = {"negative": values < -resolution, "zero": zeros, "positive": values > resolution}
    bins = {"negative": -decades[::-1], "zero": [-threshold / 2, threshold / 2], "positive": decades}
    looks = {"negative": ("white", "////"), "zero": (INK, ""), "positive": (SHADES[2], "")}
    for sign, chosen in signs.items():
        color, hatch = looks[sign]
        heights, edges = np.histogram(values[chosen], bins[sign])
        label = f"{chosen.sum()} {sign}"
        ax.stairs(heights, edges, fill=True, facecolor=color, hatch=hatch, edgecolor=INK, linewidth=0.6, label=label)
    ax.set(xlabel="Hessian eigenvalue", ylabel="number")
    ax.legend()
    return ax


def _signed_log(axis: Axis, values: np.ndarray, resolution: float) -> tuple[float, float]:
    """Make an axis logarithmic on both sides of zero, and linear only where there is nothing but zeros.

    Returns:
        (threshold, largest): sizes just below the smallest and just above the largest that is not a zero.
    """
    sizes = np.abs(values)[np.abs(values) > resolution]
    threshold, largest = (sizes.min() / 1.5, sizes.max() * 1.5) if len(sizes) else (resolution, 10 * resolution)
    getattr(axis.axes, f"set_{axis.axis_name}scale")("symlog", linthresh=threshold, linscale=0.5)
    decades = 10.0 ** np.arange(math.ceil(math.log10(threshold)), math.floor(math.log10(largest)) + 1)
    decades = decades[:: -(-len(decades) // 4) or 1]  # four at most on either side
    axis.set_major_locator(FixedLocator([*-decades, 0, *decades]))
    axis.axes.set(**{f"{axis.axis_name}lim": (-largest if values.min() < -resolution else -threshold, largest)})
    return threshold, largest
