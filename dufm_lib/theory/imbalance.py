"""Two sizes of classes: what becomes of collapse, and when the small classes merge.

In an (R, rho)-STEP setting k_1 = (1 - rho) K classes have R n_min samples and k_2 = rho K classes have n_min. Logits
that treat the classes of one size alike have four numbers. With u = 1_large/k_1 - 1_small/k_2 their columns are

    a (e_k - 1_large/k_1) + p u   of a large class,      c (e_k - 1_small/k_2) - q u   of a small one,

and the singular values a sqrt(R n_min) (k_1 - 1 times), c sqrt(n_min) (k_2 - 1 times) and
|u| sqrt(k_1 R n_min p^2 + k_2 n_min q^2) (once). At a = c = 1, p = k_2/K, q = k_1/K they are the simplex, repeated to
the SEL matrix. At c = 0 the small classes share one column: minority collapse.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from dufm_lib._arguments import flag, positive_int
from dufm_lib.problem import MANY, Problem, suited
from dufm_lib.structures import LARGEST

STARTS = (1.0, 5.0, 20.0)  # scales of the simplex from which `step_optimum` sets out
# How large a, c and the groups start, in parts of that: small classes merge before large ones, as they weigh less.
KEPT = ((1, 1, 1), (1, 1, 0), (1, 0, 1), (1, 0, 0.2), (1, 0, 0), (0, 0, 1))


class StepOptimum(NamedTuple):
    """The best logits that treat all classes of one size alike."""

    loss: float
    logits: torch.Tensor  # (K, K) float64 class means
    large: float  # a: how far large classes are apart (0 if there is one)
    small: float  # c: how far small classes are apart (0 if there is one); at 0 they share a column


def step_sizes(classes: int, minority: int, ratio: int, smallest: int = 1) -> tuple[int, ...]:
    """Class sizes of a STEP setting, the large classes first: (R n_min, ..., n_min, ...).

    Args:
        classes: K.
        minority: rho K, the number of small classes; 1 <= minority < K.
        ratio: R >= 1.
        smallest: n_min >= 1.

    Raises:
        ValueError: an argument is no such integer.

    Source: Thrampoulidis et al. (2022); Garrod & Keating (2025), Appendix A.2.

    >>> step_sizes(classes=4, minority=2, ratio=10)
    (10, 10, 1, 1)
    """
    K, k2 = positive_int("classes", classes, smallest=2, largest=MANY), positive_int("minority", minority)
    R, n = positive_int("ratio", ratio), positive_int("smallest", smallest)
    if k2 >= K:
        raise ValueError(f"minority must be less than classes = {K}, got {k2}")
    return (R * n,) * (K - k2) + (n,) * k2


def sel_singular_values(problem: Problem) -> list[tuple[float, int]]:
    """Singular values of the SEL matrix, the columns of S repeated n_k times, with multiplicities, descending.

        sqrt(R n_min) (k_1 - 1 times),   sqrt(n_min (rho R + 1 - rho)) (once),   sqrt(n_min) (k_2 - 1 times)

    Args:
        problem: its classes have two sizes.

    Raises:
        ValueError: the classes do not have two sizes.

    Source: derived in the book; the SEL matrix is of Thrampoulidis et al. (2022).

    >>> problem = Problem(4, step_sizes(4, 2, 9), 1, 4, 0.01)
    >>> [(round(sigma, 6), times) for sigma, times in sel_singular_values(problem)]
    [(3.0, 1), (2.236068, 1), (1.0, 1)]
    """
    (k1, big), (k2, small) = _groups(problem)
    between = (k2 * big + k1 * small) / (k1 + k2)
    values = [(math.sqrt(big), k1 - 1), (math.sqrt(between), 1), (math.sqrt(small), k2 - 1)]
    return [(value, times) for value, times in values if times > 0]


def merging_decay(problem: Problem) -> float:
    """The weight decay from which on the smallest classes merge at depth 1: lambda = sqrt(n_min) / N.

    There the global optimum is unique, and two classes of the smallest size have the same column in it if and only if
    lambda >= sqrt(n_min) / N. With R: minority collapse from R >= (1/(lambda sqrt(n_min)) - k_2) / k_1 on.

    Args:
        problem: depth 1, linear, cross-entropy, at least two classes of the smallest size; its weight decay is ignored.

    Raises:
        ValueError: it is another problem.

    Source: derived in the book; a sharp threshold for two sizes of classes is due to Hong & Ling (2023).

    >>> round(merging_decay(Problem(4, step_sizes(4, 2, 9), 1, 4, 0.01)), 6)
    0.05
    """
    suited("merging_decay", problem, loss="cross_entropy", activation="linear")
    if problem.depth != 1:
        raise ValueError(f"merging_decay needs a problem of depth 1, got depth {problem.depth}")
    smallest = min(problem.class_sizes)
    if problem.class_sizes.count(smallest) < 2:
        raise ValueError(
            f"samples must have two classes of the smallest size, or nothing can merge; got {smallest} once"
        )
    return math.sqrt(smallest) / problem.total_samples


def step_optimum(problem: Problem, merged: bool = False) -> StepOptimum:
    """The least reduced objective over logits that treat all classes of one size alike.

    At depth 1 this is the global optimum: the problem is convex in the logits, its optimum is unique, and so it has the
    symmetry of the class sizes. For L >= 2 it is the best symmetric point, and others may be better.

    Args:
        problem: linear, cross-entropy, two sizes of classes, positive penalties.
        merged: only logits with c = 0, where the small classes share a column.

    Returns:
        StepOptimum(loss, logits, large, small), by L-BFGS from several scales of the simplex.

    Raises:
        ValueError: the problem is not so.

    Source: ours; uniqueness at depth 1 is Theorem 2 of Thrampoulidis et al. (2022).

    >>> found = step_optimum(Problem(4, step_sizes(4, 2, 9), 1, 4, 0.06))  # above the merging decay 0.05
    >>> found.large > 1, found.small < 1e-6
    (True, True)
    """
    suited("step_optimum", problem, loss="cross_entropy", activation="linear", decaying=True)
    positive_int("classes", problem.classes, largest=LARGEST)
    merged, ((k1, big), (k2, small)) = flag("merged", merged), _groups(problem)
    K, N, factors = k1 + k2, k1 * big + k2 * small, problem.depth + 1
    length = math.sqrt(1 / k1 + 1 / k2)
    multiplicity = np.array([k1 - 1, 0 if merged else k2 - 1, 1])

    def numbers(x: np.ndarray) -> tuple[float, float, float, float]:
        """(a, c, p, q) of x = (sigma_a^{1/(L+1)}, sigma_c^{1/(L+1)}, sigma_u^{1/(L+1)}, angle)."""
        a, c, across = np.abs(x[:3]) ** factors
        p, q = math.cos(x[3]) / math.sqrt(k1 * big), math.sin(x[3]) / math.sqrt(k2 * small)
        return a / math.sqrt(big), 0.0 if merged else c / math.sqrt(small), across * p / length, across * q / length

    def fit(x: np.ndarray) -> float:
        a, c, p, q = numbers(x)
        for_large = _softplus([math.log(k1 - 1) - a] if k1 > 1 else [], math.log(k2) - a * (1 - 1 / k1) - p * length**2)
        for_small = _softplus([math.log(k2 - 1) - c] if k2 > 1 else [], math.log(k1) - c * (1 - 1 / k2) - q * length**2)
        return (k1 * big * for_large + k2 * small * for_small) / N

    def objective(x: np.ndarray) -> float:
        return fit(x) / problem.mean_weight_decay + factors / 2 * float(multiplicity @ x[:3] ** 2)

    # The three singular values of the simplex. Deeper down zero attracts each of them, so each may start there.
    roots = math.sqrt(k1 * big) / k1, math.sqrt(k2 * small) / k2
    shape = np.array([math.sqrt(big), math.sqrt(small), length * k1 * k2 / K * math.hypot(*roots)])
    kept = KEPT if problem.depth > 1 else KEPT[:1]
    angle = math.atan2(*roots[::-1])
    starts = [scale * shape * np.array(keep) for keep in kept for scale in STARTS]
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000}
    found = [
        minimize(
            objective,
            [*sigma ** (1 / factors), angle],
            jac="3-point",
            method="L-BFGS-B",
            options=options,
        )
        for sigma in [np.zeros(3), *starts]
    ]
    best = min(found, key=lambda each: each.fun)
    a, c, p, q = numbers(best.x)
    u = torch.tensor([1 / k1] * k1 + [-1 / k2] * k2, dtype=torch.float64)
    within = torch.block_diag(*[x * (torch.eye(k, dtype=torch.float64) - 1 / k) for x, k in ((a, k1), (c, k2))])
    across = torch.outer(u, torch.tensor([p] * k1 + [-q] * k2, dtype=torch.float64))
    logits = torch.zeros(K, K, dtype=torch.float64)
    order = torch.tensor(problem.class_sizes).argsort(descending=True, stable=True)
    logits[order[:, None], order] = within + across
    apart = float(a) if k1 > 1 else 0.0, float(c) if k2 > 1 else 0.0
    return StepOptimum(float(best.fun * problem.mean_weight_decay), logits, *apart)


def _softplus(first: list[float], last: float) -> float:
    """log(1 + the sum of the exponentials), exact where they are tiny."""
    return float(np.logaddexp(0, np.logaddexp.reduce([*first, last])))


def _groups(problem: Problem) -> tuple[tuple[int, int], tuple[int, int]]:
    """((how many large classes, their size), (how many small classes, their size))."""
    suited("this theory", problem)
    sizes = sorted(set(problem.class_sizes), reverse=True)
    if len(sizes) != 2:
        raise ValueError(f"samples must have two sizes of classes (see step_sizes), got {len(sizes)}")
    big, small = sizes
    return (problem.class_sizes.count(big), big), (problem.class_sizes.count(small), small)
