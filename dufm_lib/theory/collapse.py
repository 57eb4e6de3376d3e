"""Neural collapse in closed form: its critical scales, where it turns stable, and what the theorems exclude."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from dufm_lib.problem import Problem, suited


def dnc_critical_scales(problem: Problem) -> tuple[float, ...]:
    """The scales alpha > 0 at which the DNC point is critical, ascending: none, one or two of them.

        lambda n^{1/(L+1)} = alpha^{(L-1)/(L+1)} / (e^alpha + K - 1)

    For L >= 2 the right side rises from 0 to one maximum and falls back, so there are two roots below that maximum;
    the larger one is the collapsed solution and diverges as lambda -> 0. For L = 1 there is one root,
    log(1/(lambda sqrt(n)) - K + 1), if K lambda sqrt(n) < 1. (Unequal penalties: lambda is their geometric mean.)

    Args:
        problem: balanced, cross-entropy, positive penalties.

    Raises:
        ValueError: the problem is imbalanced, uses MSE, or has a zero penalty.

    Source: Garrod & Keating (2025), proof of Theorem 4 (B.6), equation (19); L = 1: closed form of the unconstrained
        features model.

    >>> [f"{scale:.6g}" for scale in dnc_critical_scales(Problem(10, 5, 2, 70, 2**-10))]
    ['4.65662e-06', '7.03754']
    """
    suited("dnc_critical_scales", problem, loss="cross_entropy", balanced=True, decaying=True)
    n, K, L = problem.class_sizes[0], problem.classes, problem.depth
    target = problem.mean_weight_decay * n ** (1 / (L + 1))
    if L == 1:
        return (math.log1p(-(K - 1) * target) - math.log(target),) if K * target < 1 else ()
    power = (L - 1) / (L + 1)

    def excess(log_scale: float) -> float:  # log of right side over left side
        return power * log_scale - float(np.logaddexp(math.exp(log_scale), math.log(K - 1))) - math.log(target)

    peak = math.log(dnc_frontier_scale(problem))
    if excess(peak) < 0:
        return ()
    low = min((math.log(K) + math.log(target)) / power, peak)  # there even alpha^p / K is too small
    high = peak + 1
    while excess(high) > 0:
        high += 1
    return tuple(math.exp(brentq(excess, *ends, xtol=1e-14)) for ends in ((low, peak), (peak, high)))


def dnc_frontier_scale(problem: Problem) -> float:
    """The scale alpha at which the largest weight decay with a critical DNC point is attained (L >= 2).

        alpha = p (1 + (K - 1) e^{-alpha}),   p = (L - 1)/(L + 1)

    Args:
        problem: balanced, cross-entropy, L >= 2; its weight decay is ignored.

    Raises:
        ValueError: the problem is imbalanced or uses MSE, or its depth is 1, where the right side of the critical
            equation has no interior maximum.

    Source: Garrod & Keating (2025), proof of Theorem 4 (B.6), where the derivative of (19) vanishes.

    >>> round(dnc_frontier_scale(Problem(4, 1, 2, 4, 1e-3)), 3)
    0.788
    """
    suited("dnc_frontier_scale", problem, loss="cross_entropy", balanced=True)
    if problem.depth == 1:
        raise ValueError("depth must be at least 2: at depth 1 the right side decreases from alpha = 0 on")
    K, power = problem.classes, (problem.depth - 1) / (problem.depth + 1)
    return float(brentq(lambda alpha: power * (1 + (K - 1) * math.exp(-alpha)) - alpha, 0, K, xtol=1e-14))


def dnc_stable_scale(problem: Problem) -> float:
    """The scale alpha from which on the Hessian at a critical DNC point has no negative eigenvalue.

        alpha >= K (L - 1)/(L + 1)

    The condition is sharp for K >= 4: below it lambda ((L + 1) alpha/K - (L - 1)) < 0 is an eigenvalue (equal
    penalties), in K (K - 3)/2 directions: symmetric changes of the logits with zero diagonal and zero row sums.
    For K = 2, 3 there are none, and the condition is only sufficient. At depth 1 every critical DNC point meets it.

    Args:
        problem: linear, balanced, cross-entropy; its weight decay is ignored.

    Raises:
        ValueError: the problem is imbalanced, uses MSE or ReLU.

    Source: derived in the book (chapter "Why the landscape prefers collapse"); it makes the "weight decay small enough"
        of Garrod & Keating (2025), Theorem 4, explicit.

    >>> round(dnc_stable_scale(Problem(10, 5, 2, 70, 2**-10)), 4)
    3.3333
    """
    suited("dnc_stable_scale", problem, loss="cross_entropy", activation="linear", balanced=True)
    return problem.classes * (problem.depth - 1) / (problem.depth + 1)


class Exclusion(NamedTuple):
    """Whether a theorem says that no DNC solution is a global minimum, and by which hypothesis."""

    holds: bool
    theorem: str  # "Theorem 1" (linear) or "Theorem 7" (ReLU)
    hypothesis: str  # the case that applies, or why none does


def dnc_is_excluded(problem: Problem) -> Exclusion:
    """Whether Theorem 1 (linear) or Theorem 7 (ReLU) excludes every DNC solution from the global minima.

        linear:  K >= 4 and L >= 3,   or K >= 6 and L = 2
        ReLU:    K >= 10 and L >= 5,  or K >= 16 and L = 4   (the book proves it without the paper's assumption)

    "Not excluded" means that the theorem is silent, not that DNC is optimal: at K = 5, L = 2 a better point exists for
    some weight decays although no hypothesis covers it. The theorems need positive penalties, however large: where
    they are so large that only Z = 0 is optimal, DNC solutions are excluded trivially.

    Args:
        problem: balanced, cross-entropy.

    Returns:
        Exclusion(holds, theorem, hypothesis).

    Raises:
        ValueError: the problem is imbalanced or uses MSE.

    Source: Garrod & Keating (2025), Theorems 1 and 7.

    >>> dnc_is_excluded(Problem(10, 5, 2, 70, 2**-10))
    Exclusion(holds=True, theorem='Theorem 1', hypothesis='K >= 6 and L = 2')
    """
    suited("dnc_is_excluded", problem, loss="cross_entropy", balanced=True)
    K, L = problem.classes, problem.depth
    if problem.activation == "linear":
        theorem = "Theorem 1"
        cases = {"K >= 4 and L >= 3": K >= 4 and L >= 3, "K >= 6 and L = 2": K >= 6 and L == 2}
    else:
        theorem = "Theorem 7"
        cases = {"K >= 10 and L >= 5": K >= 10 and L >= 5, "K >= 16 and L = 4": K >= 16 and L == 4}
    for hypothesis, applies in cases.items():
        if applies:
            return Exclusion(True, theorem, hypothesis)
    return Exclusion(False, theorem, f"K = {K}, L = {L} satisfies neither {' nor '.join(cases)}")
