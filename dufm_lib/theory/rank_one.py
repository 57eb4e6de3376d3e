"""What logits of rank one can do: they win two classes, and tie the others with as few as possible."""

from __future__ import annotations

import math

import torch

from dufm_lib._arguments import positive_float, positive_int, room
from dufm_lib.problem import Problem, suited

FINEST = 32.0  # logarithm of the largest over the smallest gap of a line: e^-32 is sixty times the rounding of 1


def rank_one_fit(problem: Problem) -> float:
    """The greatest lower bound of the cross-entropy of class-mean logits of rank one.

        g_1 = (1/N) sum_k n_k log ceil(k/2),   classes by size: n_1 >= n_2 >= ... >= n_K

    For equal sizes (1/K) sum_k log min(k, K + 1 - k). Column j of M = u v^T is v_j u. For v_j > 0 it cannot tell class
    j from those with a larger u, for v_j < 0 from those with a smaller one: its own probability is at most
    1 / min(#{i: u_i >= u_j}, #{i: u_i <= u_j}). Each number occurs at most twice in the denominators, and large classes
    get the small ones. No matrix attains the bound from K = 3 on; `graded_line` comes as near as one likes.

    Args:
        problem: cross-entropy; only the class sizes are read.

    Returns:
        float; 0 for two classes.

    Raises:
        ValueError: `problem` is no Problem, or its loss is MSE.

    Source: ours, derived in the book (chapter "What does the best solution look like?").

    >>> round(rank_one_fit(Problem(8, 1, 2, 8, 0.1)), 6) == round(math.log(24) / 4, 6)
    True
    """
    sizes = sorted(suited("rank_one_fit", problem, loss="cross_entropy").class_sizes, reverse=True)
    return math.fsum(n * math.log((k + 1) // 2) for k, n in enumerate(sizes, start=1)) / sum(sizes)


def graded_line(classes: int, ratio: float) -> torch.Tensor:
    """Logits of rank one whose k-th class leads all classes but the ceil(k/2) - 1 further out on its side of a line.

        M = S u v^T,   u_k = s_k (1 - t^{p_k - P - 1}),   v_k = s_k t^{P + 1/2 - p_k},
        p_k = ceil(k/2), s_k = 1, -1, 1, ..., P = ceil(K/2),   t the ratio

    Classes 1 and 2 are the two ends. In column k the classes further out are ahead by less than t^{-1/2}, the others
    behind by more than (1 - 1/t) t^{1/2}. As t grows, the fit tends to `rank_one_fit` for equal sizes, and for falling.

    Args:
        classes: K >= 2.
        ratio: t > 1, the ratio of neighbouring gaps.

    Returns:
        (K, K) float64, of rank one; the columns sum to zero.

    Raises:
        ValueError: an argument is no such number; the smallest gaps, t^{-P} of the largest, would drown in rounding.

    Source: ours.

    >>> graded_line(3, 4.0).argmax(0).tolist()  # the third class gives way to the first
    [0, 1, 0]
    """
    K, t = positive_int("classes", classes, smallest=2), positive_float("ratio", ratio)
    if t <= 1:
        raise ValueError(f"ratio must be greater than 1, got {t:g}")
    room("classes", K * K)
    P, k = (K + 1) // 2, torch.arange(K, dtype=torch.float64)
    if P * math.log(t) > FINEST:
        raise ValueError(f"ratio must be at most {math.exp(FINEST / P):.4g} for {K} classes, got {t:g}: float64 ends")
    place, side = k.div(2, rounding_mode="floor") + 1, 1 - 2 * (k % 2)
    u, v = side * (1 - t ** (place - P - 1)), side * t ** (P + 0.5 - place)
    return torch.outer(u - u.mean(), v)
