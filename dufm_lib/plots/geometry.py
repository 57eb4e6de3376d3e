"""Class means and features in the plane and in space."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from dufm_lib._arguments import positive_int, real_float, sequence, shown
from dufm_lib.plots.solids import nearest_pairs, project
from dufm_lib.plots.style import INK, array, canvas, look, texts

Edges = Sequence[tuple[int, int]]
MOST = 99  # the last class whose number has two characters


def points_2d(
    ax: Axes,
    points,
    edges: Edges | None = None,
    structure: str | None = None,
    names: Sequence[str] | None = None,
) -> Axes:
    """Class means in the plane: a ray from the origin to each, named at its tip, and edges between them.

    Args:
        ax: the axes to draw on.
        points: (K, 2).
        edges: pairs of indices; the pairs at (nearly) the smallest distance, without.
        structure: gives colour and marker.
        names: of the classes; 1..K without.
    """
    ax, points = canvas(ax), array("points", points, "K", 2, finite=True)
    ax.plot(0, 0, "+", color=INK)
    for tip in points:
        ax.plot([0, tip[0]], [0, tip[1]], color=INK, linewidth=0.8, alpha=0.5, marker="", linestyle="-")
    flat = np.concatenate([points, np.zeros((len(points), 1))], axis=1)
    return _wireframe(ax, flat, edges, structure, names)


def points_3d(
    ax: Axes,
    points,
    edges: Edges | None = None,
    structure: str | None = None,
    names: Sequence[str] | None = None,
    azimuth: float = 25,
    elevation: float = 20,
) -> Axes:
    """Class means in space, seen in parallel projection; what is further away is paler and thinner.

    Args:
        ax: the axes to draw on, ordinary ones.
        points: (K, 3).
        edges: pairs of indices; the pairs at (nearly) the smallest distance, without.
        structure: gives colour and marker.
        names: of the classes; 1..K without.
        azimuth, elevation: of the viewer, in degrees.
    """
    points = array("points", points, "K", 3, finite=True)
    angles = real_float("azimuth", azimuth), real_float("elevation", elevation)
    return _wireframe(canvas(ax), project(points, *angles), edges, structure, names)


def features_2d(ax: Axes, features, classes, names: Sequence[str] | None = None) -> Axes:
    """Features in the plane, each drawn as the name of its class: colour is not needed to tell them apart.

    Args:
        ax: the axes to draw on.
        features: (N, 2).
        classes: (N,) integers from 0 on.
        names: of the classes, a character or two each; 1..K without.
    """
    ax, features = canvas(ax), array("features", features, "N", 2, finite=True)
    classes = array("classes", classes, len(features))
    if (classes % 1 != 0).any() or classes.min() < 0 or classes.max() > MOST:
        raise ValueError(f"classes must be integers from 0 to {MOST}, got {shown(classes)}")
    count = int(classes.max()) + 1
    names = texts("names", names, count) or [str(k + 1) for k in range(count)]
    colors = mpl.colormaps["viridis"](np.linspace(0, 0.7, count))
    for k in range(count):
        own = features[classes == k]
        ax.plot(*own.T, linestyle="", marker=f"${names[k]}$", color=colors[k], markeredgewidth=0.2)
    _bare(ax)
    return ax


def _wireframe(
    ax: Axes, seen: np.ndarray, edges: Edges | None, structure: str | None, names: Sequence[str] | None
) -> Axes:
    """Draw projected points (K, 3), the last coordinate towards the viewer."""
    color, marker = look(structure)["color"], look(structure)["marker"]
    names = texts("names", names, len(seen)) or [str(k + 1) for k in range(len(seen))]
    pairs = nearest_pairs(seen) if edges is None else sequence("edges", edges, "pairs of indices")
    depth = seen[:, 2]
    front = (depth - depth.min()) / (np.ptp(depth) or 1) if np.ptp(depth) else np.ones(len(depth))
    for i, j in [_edge(pair, len(seen)) for pair in pairs]:
        near = (front[i] + front[j]) / 2
        ax.plot(
            seen[[i, j], 0],
            seen[[i, j], 1],
            color=color,
            linestyle="-",
            marker="",
            linewidth=0.9 + 1.3 * near,
            alpha=0.35 + 0.65 * near,
            zorder=2 + near,
        )
    size = np.linalg.norm(seen, axis=1).max()
    for name, (x, y, _), near in zip(names, seen, front, strict=True):
        ax.plot(x, y, marker=marker, color=color, markersize=4 + 3 * near, alpha=0.4 + 0.6 * near, zorder=3 + near)
        length = np.hypot(x, y) or 1
        ax.text(
            x + 0.13 * size * x / length,
            y + 0.13 * size * y / length,
            name,
            ha="center",
            va="center",
            fontsize=9,
        )
    ax.set(xlim=(-1.25 * size, 1.25 * size), ylim=(-1.25 * size, 1.25 * size))
    _bare(ax)
    return ax


def _edge(edge: object, count: int) -> tuple[int, int]:
    i, j = sequence("edges", edge, "indices each", 2)
    return positive_int("edges", i, 0, count - 1), positive_int("edges", j, 0, count - 1)


def _bare(ax: Axes) -> None:
    """Equal scales and no frame: the coordinates themselves mean nothing."""
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
