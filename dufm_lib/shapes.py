"""Names for the geometries of class-mean logits, beyond the three that have a constructor."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from dufm_lib._arguments import finite_tensor
from dufm_lib.metrics import rank, structure_labels
from dufm_lib.symmetry import Symmetry, symmetry

# Solids by the number of corners, the number of symmetries, the sizes of the orbits of corners, and how many different
# logits a corner has with its own orbit, a largest one: the last tells an antiprism from a prism.
SOLIDS = {
    (5, 8, (4, 1), 3): "square pyramid",
    (7, 20, (5, 2), 3): "pentagonal bipyramid",
    (7, 6, (3, 3, 1), 2): "capped octahedron",
    (8, 16, (8,), 5): "square antiprism",
    (9, 12, (6, 3), 4): "tricapped prism",
    (10, 16, (8, 2), 5): "bicapped antiprism",
    (11, 10, (5, 5, 1), 3): "icosahedron less a corner",
    (12, 120, (12,), 4): "icosahedron",
    (14, 24, (12, 2), 7): "bicapped antiprism",
}
# In more dimensions, by the number of corners, the rank and the number of symmetries.
POLYTOPES = {(16, 5, 1920): "half 5-cube", (15, 5, 120): "half 5-cube less a corner"}
SAME = 1e-3  # logits closer than this, relative to the largest, are one


class Shape(NamedTuple):
    """What class-mean logits look like."""

    name: str
    structure: str  # a key of `plots.COLORS`: dnc, pairing, polygon, polyhedron, mixed, zero
    rank: int
    symmetry: Symmetry


def shape(logits: torch.Tensor) -> Shape:
    """Name the geometry of class-mean logits, up to scale and the order of the classes.

    "simplex", "orthoplex", "polygon" and "zero" are found by their distance from the matrix of that name (where they
    coincide, the first); solids and two polytopes by their corners and symmetries. An orthoplex with one more class, at
    odd K, is an "orthoplex pyramid". A direct sum goes by the sizes of its parts, "6 + 5". What has no name is called,
    for example, "10 corners, 6 symmetries".

    Args:
        logits: (K, K), accurate to 1e-4 of the largest entry or so.

    Returns:
        Shape(name, structure, rank, symmetry).

    Raises:
        ValueError: `logits` is not a finite (K, K) tensor with K >= 2.

    >>> from dufm_lib.structures import pairing, polygon
    >>> [shape(M)[:3] for M in (7 * pairing(6), polygon(6))]
    [('orthoplex', 'pairing', 3), ('polygon', 'polygon', 2)]
    >>> shape(torch.block_diag(polygon(6), polygon(5))).name
    '6 + 5'
    """
    M = finite_tensor("logits", logits, "K", "K").cpu()
    if len(M) < 2:
        raise ValueError(f"logits must have at least two classes, got shape {tuple(M.shape)}")
    label, r, group = structure_labels(M)[0], int(rank(M)), symmetry(M, SAME)
    pair = "orthoplex" if len(M) % 2 == 0 else "orthoplex pyramid"
    name = {"dnc": "simplex", "pairing": pair}.get(label, label)
    if label == "mixed":
        sizes = tuple(map(len, group.orbits))
        K, parts = len(M), _parts(M)
        within = M[list(group.orbits[0]), group.orbits[0][0]].sort().values
        different = 1 + int((within.diff() > SAME * M.abs().max()).sum())
        m = K // 2
        if r == 3 and (K, group.order, sizes, different) in SOLIDS:
            name = SOLIDS[K, group.order, sizes, different]
        elif (K, r, group.order) in POLYTOPES:
            name = POLYTOPES[K, r, group.order]
        elif (group.order, sizes, r) == (2**m * math.factorial(m), (K - 1, 1), m + 1):
            name = "orthoplex pyramid"
        elif len(parts) > 1:
            name = " + ".join(str(len(part)) for part in parts)
        else:
            name = f"{K} corners, {group.order} symmetr{'y' if group.order == 1 else 'ies'}"
        label = "polyhedron" if r == 3 else "mixed"
    return Shape(name, label, r, group)


def _parts(M: torch.Tensor) -> list[list[int]]:
    """Classes that are linked by logits other than zero, the largest part first."""
    linked = (M.abs() > SAME * M.abs().max()) | torch.eye(len(M), dtype=torch.bool)
    for _ in range(len(M)):
        linked = (linked.double() @ linked.double().T) > 0
    parts = {tuple(row.nonzero().flatten().tolist()) for row in linked}
    return sorted(map(list, parts), key=len, reverse=True)
