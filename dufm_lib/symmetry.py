"""Symmetries of class-mean logits: which permutations of the classes change nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from dufm_lib._arguments import bounded_tensor, nonnegative_float, positive_int

LARGEST = 64  # classes: of so many the symmetries are found in some ten seconds


class Symmetry(NamedTuple):
    """The permutations P of the classes with P M P^T = M: how many, and which classes they carry into each other."""

    order: int
    orbits: tuple[tuple[int, ...], ...]  # the longest first


def symmetry(logits: torch.Tensor, tolerance: float = 1e-3) -> Symmetry:
    """The group of the permutations of the classes that leave the logits as they are.

        M[p(i), p(j)] = M[i, j] for all i, j

    Entries are the same if no gap wider than `tolerance` times the largest entry lies between them. The order comes
    from a chain of stabilisers: it is the product over i of the number of images that class i has under the
    permutations which fix classes 0, ..., i - 1; a backtracking search decides whether there is one.

    Args:
        logits: (K, K).
        tolerance: relative to the largest entry.

    Returns:
        Symmetry(order, orbits): K! and one orbit for DNC, 2^m m! and one orbit for pairing of 2m classes.

    Raises:
        ValueError: `logits` is not a finite square matrix, `tolerance` is no number >= 0.

    >>> from dufm_lib.structures import pairing, polygon, simplex_etf
    >>> [symmetry(M).order for M in (simplex_etf(5), pairing(6), polygon(7))]
    [120, 48, 14]
    >>> symmetry(pairing(5))
    Symmetry(order=8, orbits=((0, 1, 2, 3), (4,)))
    """
    M = bounded_tensor("logits", logits, "K", "K").cpu().numpy()
    K = positive_int("the number of classes in logits", len(M), largest=LARGEST)
    colors = _colors(M, nonnegative_float("tolerance", tolerance))
    order = 1
    for i in range(K):
        order *= sum(_extends(colors, list(range(K)), [*range(i), image]) for image in range(i, K))
    orbits: list[list[int]] = []
    for i in range(K):
        mine = next((orbit for orbit in orbits if _carries(colors, orbit[0], i)), None)
        if mine is None:
            orbits.append([i])
        else:
            mine.append(i)
    return Symmetry(order, tuple(sorted((tuple(orbit) for orbit in orbits), key=len, reverse=True)))


def _colors(M: np.ndarray, tolerance: float) -> np.ndarray:
    """Integers (K, K): equal where entries are."""
    values = np.sort(M, axis=None)
    steps = np.flatnonzero(np.diff(values) > tolerance * np.abs(M).max())
    return np.searchsorted((values[steps] + values[steps + 1]) / 2, M)


def _carries(colors: np.ndarray, i: int, j: int) -> bool:
    """Whether a symmetry carries class i to class j."""
    return _extends(colors, [i, *(k for k in range(len(colors)) if k != i)], [j])


def _extends(colors: np.ndarray, order: list[int], images: list[int]) -> bool:
    """Whether order[0] -> images[0], order[1] -> images[1], ... can be continued to a symmetry."""
    done = len(images)
    last, before = images[-1], images[:-1]
    i, fixed = order[done - 1], order[: done - 1]
    if last in before or colors[i, i] != colors[last, last]:
        return False
    if (colors[i, fixed] != colors[last, before]).any() or (colors[fixed, i] != colors[before, last]).any():
        return False
    return done == len(order) or any(_extends(colors, order, [*images, image]) for image in range(len(order)))
