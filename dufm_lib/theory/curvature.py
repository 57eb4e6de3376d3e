"""The Hessian spectrum at neural collapse in closed form: every eigenvalue, its directions and how many they are."""

from __future__ import annotations

import math
from typing import NamedTuple

from dufm_lib._arguments import positive_float
from dufm_lib.problem import Problem, suited


def dnc_weight_decay(problem: Problem, scale: float) -> float:
    """The weight decay at which the DNC point of this scale is critical, the inverse of `dnc_critical_scales`.

        lambda = n^{-1/(L+1)} alpha^{(L-1)/(L+1)} / (e^alpha + K - 1)

    Args:
        problem: balanced, cross-entropy; its weight decay is ignored.
        scale: alpha > 0.

    Raises:
        ValueError: the problem is imbalanced or uses MSE, or the scale is not positive and finite.

    Source: Garrod & Keating (2025), proof of Theorem 4 (B.6), equation (19).

    >>> from dufm_lib.theory import dnc_critical_scales
    >>> problem = Problem(10, 5, 2, 70, 2**-10)
    >>> [round(dnc_weight_decay(problem, scale) * 2**10, 12) for scale in dnc_critical_scales(problem)]
    [1.0, 1.0]
    """
    suited("dnc_weight_decay", problem, loss="cross_entropy", balanced=True)
    n, K, L, alpha = problem.class_sizes[0], problem.classes, problem.depth, positive_float("scale", scale)
    share = math.exp(-alpha) / (1 + (K - 1) * math.exp(-alpha))  # 1 / (e^alpha + K - 1) without overflow
    return n ** (-1 / (L + 1)) * alpha ** ((L - 1) / (L + 1)) * share


class Family(NamedTuple):
    """Directions in parameter space that share a Hessian eigenvalue."""

    name: str
    eigenvalue: float
    multiplicity: int


def dnc_spectrum(problem: Problem, scale: float) -> list[Family]:
    """All Hessian eigenvalues at the critical DNC point of a given scale.

    With r = K - 1, N = Kn, p the softmax probability of the own class and 1 - Kq = p - q, each in units of lambda:

        rotations        0                        L (r d - r (r + 1)/2)    turns of the inner frames
        penalty alone    1                        where no logit moves to second order
        unbalancing      2                        L (r d - r^2 + r (r + 1)/2)
        antisymmetric    (L + 1)(1 + alpha/K)     (K - 1)(K - 2)/2
        pattern          (L + 1) alpha/K - (L - 1)    K (K - 3)/2    symmetric, zero diagonal, zero row sums
        scale            (L + 1) alpha p - (L - 1)    1              alpha itself
        class sizes      the two eigenvalues of       K - 1 each     (K = 2: the last entry alone)
                         [ (L+1)(a + b (K-2)) - (L-1)    b' ]
                         [ b'                        1+a+b ]   a = alpha/K, b = a (p-q), b' = b sqrt((L+1)(K-2))
        within, others   1 + alpha/K              K (n - 1)(K - 2)
        within, own      1 + alpha p              K (n - 1)

    Args:
        problem: linear, balanced, cross-entropy, any depth; its weight decay is ignored, lambda is
            `dnc_weight_decay` of the scale, for features and weights alike.
        scale: alpha > 0.

    Returns:
        One Family(name, eigenvalue, multiplicity) for each line; the multiplicities sum to the number of parameters.

    Raises:
        ValueError: the problem is imbalanced, uses MSE or ReLU, or the scale is not positive and finite.

    Source: derived in the book (chapter "When is collapse a critical point, and when a stable one?") from the block
        reduction of "Why the landscape prefers collapse".

    >>> spectrum = dnc_spectrum(Problem(4, 1, 2, 5, 1e-3), scale=2.0)
    >>> min(family.eigenvalue for family in spectrum), sum(family.multiplicity for family in spectrum)
    (0.0, 65)
    """
    suited("dnc_spectrum", problem, activation="linear")
    decay = dnc_weight_decay(problem, scale)
    K, L, d, n, N = problem.classes, problem.depth, problem.width, problem.class_sizes[0], problem.total_samples
    r, alpha = K - 1, float(scale)
    share = math.exp(-alpha)
    own = 1 / (1 + (K - 1) * share)  # p
    lead = (1 - share) * own  # p - q
    a, b = alpha / K, alpha / K * lead
    first, second = (L + 1) * (a + b * (K - 2)) - (L - 1), 1 + a + b
    middle, spread = (first + second) / 2, math.hypot((first - second) / 2, b * math.sqrt((L + 1) * (K - 2)))
    sizes = [middle - spread, middle + spread] if K > 2 else [second]
    families = [
        ("rotations", 0.0, L * (r * d - r * (r + 1) // 2)),
        ("penalty alone", 1.0, (d - r) * (N - r) + (L - 1) * (d - r) ** 2 + d),
        ("unbalancing", 2.0, L * (r * (d - r) + r * (r + 1) // 2)),
        ("antisymmetric", (L + 1) * (1 + a), (K - 1) * (K - 2) // 2),
        ("pattern", (L + 1) * a - (L - 1), max(K * (K - 3) // 2, 0)),
        ("scale", (L + 1) * alpha * own - (L - 1), 1),
        *(("class sizes", value, r) for value in sizes),
        ("within, others", 1 + a, K * (n - 1) * (K - 2)),
        ("within, own", 1 + alpha * own, K * (n - 1)),
    ]
    return [Family(name, decay * value, count) for name, value, count in families if count > 0]
