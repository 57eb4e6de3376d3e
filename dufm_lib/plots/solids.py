"""Wireframes: vertices of the solids that stand for the structures, their edges, their projection."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull

GOLDEN = (1 + 5**0.5) / 2

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 3**0.5
OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)])
_RECTANGLE = np.array([[0, a, b * GOLDEN] for a in (1, -1) for b in (1, -1)]) / (1 + GOLDEN**2) ** 0.5
ICOSAHEDRON = np.concatenate([np.roll(_RECTANGLE, turn, axis=1) for turn in range(3)])


def regular_polygon(corners: int) -> np.ndarray:
    """Corners of a regular polygon on the unit circle of the xy-plane: (corners, 3)."""
    angles = 2 * np.pi * np.arange(corners) / corners
    return np.stack([np.cos(angles), np.sin(angles), np.zeros(corners)], axis=1)


def nearest_pairs(points: np.ndarray, slack: float = 1.15) -> list[tuple[int, int]]:
    """Pairs of points at most `slack` times the smallest distance apart: the edges of a nearly regular solid.

    >>> [len(nearest_pairs(solid)) for solid in (TETRAHEDRON, OCTAHEDRON, ICOSAHEDRON, regular_polygon(10))]
    [6, 12, 30, 10]
    """
    distances = np.linalg.norm(points[:, None] - points[None, :], axis=-1)
    first, second = np.triu_indices(len(points), 1)
    near = distances[first, second] <= slack * distances[first, second].min()
    return list(zip(first[near].tolist(), second[near].tolist(), strict=True))


def hull_edges(points: np.ndarray) -> list[tuple[int, int]]:
    """Edges of the solid with corners in these directions, (P, 3); diagonals of flat faces are left out.

    >>> [len(hull_edges(solid)) for solid in (OCTAHEDRON, ICOSAHEDRON, np.array([[x, y, z] for x in (1, -1)
    ...     for y in (1, -1) for z in (1, -1)]))]
    [12, 30, 12]
    """
    hull = ConvexHull(points / np.linalg.norm(points, axis=1, keepdims=True))
    sides: dict[tuple[int, int], list[np.ndarray]] = {}
    for corners, plane in zip(hull.simplices.tolist(), hull.equations, strict=True):
        for i, j in ((0, 1), (1, 2), (0, 2)):
            sides.setdefault(tuple(sorted((corners[i], corners[j]))), []).append(plane[:3])
    return sorted(edge for edge, (one, other) in sides.items() if one @ other < 1 - 1e-4)


def project(points: np.ndarray, azimuth: float, elevation: float) -> np.ndarray:
    """Turn points (P, 3) for a viewer at angles in degrees: (P, 3), to the right, up, towards the viewer."""
    a, e = np.deg2rad([azimuth, elevation])
    right = [-np.sin(a), np.cos(a), 0]
    up = [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)]
    towards = [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)]
    return points @ np.array([right, up, towards]).T


def hull(points: np.ndarray) -> list[int]:
    """Corners of the convex outline of points in the plane, counter-clockwise: indices into points (P, 2)."""

    def chain(order: list[int]) -> list[int]:
        line: list[int] = []
        for i in order:
            while len(line) > 1 and _turn(*points[[line[-2], line[-1], i]]) <= 1e-9:
                line.pop()
            line.append(i)
        return line[:-1]

    order = np.lexsort(points.T[::-1]).tolist()
    return chain(order) + chain(order[::-1])


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Twice the area of a triangle, positive if it runs counter-clockwise."""
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
