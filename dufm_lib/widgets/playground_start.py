"""The random start of the playground: the same numbers as its JavaScript (js/random.js) draws in the page."""

from __future__ import annotations

import math

import numpy as np
import torch

from dufm_lib._arguments import nonnegative_float, positive_int
from dufm_lib.problem import Problem


def _mix(bits: np.ndarray) -> np.ndarray:
    """32 bits scrambled: the mixing function of mulberry32; uint32 in and out."""
    t = (bits ^ (bits >> np.uint32(15))) * (bits | np.uint32(1))
    t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return t ^ (t >> np.uint32(14))


def uniform(seed: int, count: int) -> np.ndarray:
    """`count` uniform numbers strictly between 0 and 1, those of `uniform(seed)` in js/random.js: float64."""
    begin = _mix(np.array([(seed + 0x9E3779B9) % 2**32], dtype=np.uint32))
    states = begin + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
    return (_mix(states) + 0.5) / 2.0**32


def start(problem: Problem, seed: int = 0, init_scale: float = 1.0) -> list[torch.Tensor]:
    """The point at which the playground starts with this seed, to start `descent.train` there as well.

    Independent normal entries of standard deviation init_scale / sqrt(d), as `model.random_point` draws, but from a
    generator that JavaScript has too: mulberry32 (Tommy Ettinger, public domain) and the transform of Box and Muller.
    H_1 is filled first, row by row, then W_1, ..., W_L.

    Args:
        problem: gives the shapes.
        seed: 0 <= seed < 2^32.
        init_scale: factor >= 0 on the standard deviation.

    Returns:
        [H_1, W_1, ..., W_L] in float64, with a leading axis of one run. JavaScript's logarithm, sine and cosine may
        differ from these in the last digit.

    Raises:
        ValueError: a bad argument, by name.

    >>> problem = Problem(classes=4, samples=1, depth=1, width=4, weight_decay=0.01)
    >>> [tuple(tensor.shape) for tensor in start(problem)]
    [(1, 4, 4), (1, 4, 4)]
    """
    seed = positive_int("seed", seed, smallest=0, largest=2**32 - 1)
    deviation = nonnegative_float("init_scale", init_scale) / math.sqrt(problem.width)
    sizes = [rows * columns for rows, columns in problem.shapes]
    first, second = uniform(seed, sum(sizes) + sum(sizes) % 2).reshape(-1, 2).T
    radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
    numbers = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()[: sum(sizes)]
    parts = torch.from_numpy(deviation * numbers).split(sizes)
    return [part.reshape(1, *shape) for part, shape in zip(parts, problem.shapes, strict=True)]
