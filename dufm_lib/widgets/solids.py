"""The structures in space: simplex, orthoplex, polygon and the optima between them, to be turned by hand.

The optima are read from optima.json beside this file, which `python -m dufm_lib.widgets.solids` makes anew.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import ConvexHull

from dufm_lib import Problem, theory
from dufm_lib.shapes import shape
from dufm_lib.widgets import fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure

DEPTH, WEIGHT_DECAY = 4, 3e-4  # of the optima: there they have rank 2 or 3 up to twelve classes
CLASSES = range(3, 13)
OPTIMA = Path(__file__).with_name("optima.json")
FLAT = 1e-4  # of the largest coordinate: thinner is a polygon; faces closer to a plane than this are one
SHAPES = {
    "simplex (DNC)": "simplex",
    "orthoplex (pairing)": "orthoplex",
    "regular polygon": "polygon",
    f"the optimum at L = {DEPTH}, λ = {WEIGHT_DECAY:g}": "optimum",
}


def optimum(classes: int) -> dict[str, object]:
    """The best class-mean logits found at DEPTH and WEIGHT_DECAY, as the drawing takes them."""
    return described(theory.search_optimum(Problem(classes, 1, DEPTH, classes, WEIGHT_DECAY), starts=24)[1])


def corners(logits: torch.Tensor) -> np.ndarray:
    """Features of the classes in the three leading directions of the logits: (K, 3), the longest of length one.

    With the singular value decomposition M = U S V^T they are the rows of V S^{1/2}: where M is symmetric, their inner
    products are M, up to scale.
    """
    _, sigma, right = np.linalg.svd(logits.numpy())
    points = (right[:3] * np.sqrt(sigma[:3, None])).T
    return points / np.linalg.norm(points, axis=1).max()


def edges(points: np.ndarray) -> list[tuple[int, int]]:
    """Edges of the convex hull of corners in space (K, 3), or of a flat polygon among them."""
    if np.ptp(points[:, 2]) < FLAT:
        around = np.argsort(np.arctan2(points[:, 1], points[:, 0])).tolist()
        return [(min(pair), max(pair)) for pair in zip(around, around[1:] + around[:1], strict=True)]
    hull = ConvexHull(points)
    faces: dict[tuple[int, int], list[int]] = {}
    for face, triangle in enumerate(hull.simplices):
        for i, j in ((0, 1), (1, 2), (0, 2)):
            faces.setdefault(tuple(sorted((int(triangle[i]), int(triangle[j])))), []).append(face)
    normals = hull.equations[:, :3]
    return sorted(pair for pair, (a, b) in faces.items() if np.linalg.norm(normals[a] - normals[b]) > 100 * FLAT)


def described(logits: torch.Tensor) -> dict[str, object]:
    """One optimum for the drawing: name, colour, rank, corners and edges."""
    known, points = shape(logits), corners(logits)
    return {
        "name": known.name,
        "look": known.structure,
        "rank": known.rank,
        "points": points.round(4).tolist(),
        "edges": edges(points),
    }


class Solids(LiveFigure):
    """A structure in space: chosen by name and number of classes, turned by mouse, finger and keys."""

    _esm = bundle("solids.js")

    def __init__(self, **values: object) -> None:
        """`values`: of fields, to start with."""
        super().__init__(
            name="solids",
            title="The structures in space",
            about="Each corner is a class. Choose a structure; drag it, or turn it with the buttons or the arrow keys.",
            fields=[
                fields.choice("structure", "structure", "orthoplex", SHAPES),
                fields.number("K", "classes K", 6, CLASSES[0], CLASSES[-1]),
                *fields.view(),
            ],
            structures=["dnc", "pairing", "polygon", "polyhedron", "mixed"],
            data={"optima": json.loads(OPTIMA.read_text())},
            values=values,
        )


if __name__ == "__main__":
    lines = [f'"{K}": {json.dumps(optimum(K))}' for K in CLASSES]
    OPTIMA.write_text("{\n" + ",\n".join(lines) + "\n}\n")
