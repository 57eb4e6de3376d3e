"""Closed forms: the reduced objective, the scales of collapse, and what the theorems exclude.

Everything here follows from a `Problem` and the class-mean logits alone. No parameters are formed: that these values
equal the objective of `dufm_lib.model` at the constructed points is a test, not an import.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import brentq

from dufm_lib.problem import Problem, finite_tensor, nonnegative_float, positive_int
from dufm_lib.structures import ROUNDING


def _class_logits(problem: Problem, structure: torch.Tensor) -> np.ndarray:
    return finite_tensor("structure", structure, problem.classes, problem.classes).cpu().numpy()


def schatten_penalty(problem: Problem, structure: torch.Tensor) -> float:
    """The least total penalty of parameters whose logits are `structure` repeated for each sample.

        (lambda (L+1)/2) sum_i sigma_i^{2/(L+1)},   lambda = (lambda_H lambda_W^L)^{1/(L+1)}

    with sigma_i the singular values of the (K, N) logits: for equal class sizes sqrt(n) times those of `structure`.
    As L grows, sigma^{2/(L+1)} tends to 1 for every sigma > 0, so that the penalty counts the rank.

    Args:
        problem: the setting; its activation is ignored (the value is that of the linear model).
        structure: (K, K) class-mean logits.

    Returns:
        float; 0 for the zero matrix.

    Raises:
        ValueError: `structure` is not a finite (K, K) tensor.

    Source: Garrod & Keating (2025), section 2: the variational form of the Schatten quasi-norm. Unequal penalties:
        derived in the book.

    >>> from dufm_lib.structures import pairing
    >>> round(schatten_penalty(Problem(4, 1, 1, 4, 0.5), pairing(4)), 9)  # L = 1: lambda (2 + 2)
    2.0
    """
    logits = _class_logits(problem, structure) * np.sqrt(problem.class_sizes)  # ||column k repeated n_k times||
    sigma = np.linalg.svd(logits, compute_uv=False)
    sigma = sigma[sigma > ROUNDING * sigma[0]]
    L = problem.depth
    return float(problem.mean_weight_decay * (L + 1) / 2 * np.sum(sigma ** (2 / (L + 1))))


def _fit(problem: Problem, logits: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """g(scale * logits (x) 1_n^T) for each entry of `scale`."""
    sizes = np.asarray(problem.class_sizes) / problem.total_samples
    if problem.loss == "mse":
        return 0.5 * np.square(scale[..., None, None] * logits - np.eye(problem.classes)).sum(-2) @ sizes
    gaps = scale[..., None, None] * (logits - np.diag(logits))
    others = np.logaddexp.reduce(np.where(np.eye(problem.classes), -np.inf, gaps), axis=-2)
    return np.logaddexp(0, others) @ sizes  # log(1 + sum of the others): exact digits even when they are tiny


def _fit_slope(problem: Problem, logits: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Derivative of `_fit` in the scale."""
    sizes = np.asarray(problem.class_sizes) / problem.total_samples
    if problem.loss == "mse":
        return (scale[..., None] * np.square(logits).sum(-2) - np.diag(logits)) @ sizes
    gaps = logits - np.diag(logits)
    scaled = scale[..., None, None] * gaps
    weights = np.exp(scaled - scaled.max(-2, keepdims=True))
    return ((weights * gaps).sum(-2) / weights.sum(-2)) @ sizes


def structure_loss(problem: Problem, structure: torch.Tensor, scale: float) -> float:
    """The reduced objective: the objective at aligned parameters with logits scale * structure (x) 1_n^T.

        g(Z) + (lambda (L+1)/2) sum_i sigma_i(Z)^{2/(L+1)}

    It is the value at the aligned (balanced) point of Lemma 1, and a lower bound for every other choice of
    parameters of the linear model with the same logits. `problem.activation` is ignored: for a ReLU problem this is
    the value of the linear model in the same setting.

    Args:
        problem: the setting; balanced or not, any penalties, cross-entropy or MSE.
        structure: (K, K) class-mean logits at unit scale.
        scale: factor >= 0.

    Raises:
        ValueError: `structure` is not a finite (K, K) tensor, `scale` is negative or not finite.

    Source: Garrod & Keating (2025), section 3 after Lemma 1, and Appendix A.1 (imbalanced classes).
    """
    scale = nonnegative_float("scale", scale)
    logits = _class_logits(problem, structure)
    penalty = schatten_penalty(problem, structure) * scale ** (2 / (problem.depth + 1))
    return float(_fit(problem, logits, np.asarray(scale)) + penalty)


def optimal_scale(problem: Problem, structure: torch.Tensor) -> tuple[float, float]:
    """The scale >= 0 of least reduced objective, and that objective: (scale, loss).

    For L >= 2 scale 0 is always a local minimum, so the derivative alone does not decide: all its sign changes from
    minus to plus are bracketed on a logarithmic grid, refined, and compared with scale 0. The size of `structure`
    does not matter: only scale * structure does.

    Args:
        problem: the setting, with positive penalties.
        structure: (K, K) class-mean logits at unit scale, not zero.

    Returns:
        (scale, loss); (0.0, loss at zero) when no positive scale is better.

    Raises:
        ValueError: a penalty is zero (then cross-entropy has no optimal scale), or `structure` is zero, misshapen
            or not finite.

    >>> from dufm_lib.structures import simplex_etf
    >>> scale, loss = optimal_scale(Problem(10, 5, 2, 70, 2**-10), simplex_etf(10))
    >>> round(scale, 4), round(loss, 10)
    (7.0375, 0.0906621832)
    """
    size = float(np.abs(_class_logits(problem, structure)).max())
    if problem.mean_weight_decay == 0:
        raise ValueError("weight_decay must be positive for features and weights: without it scaling up is free")
    if size == 0:
        raise ValueError("structure must not be zero")
    unit = structure.double() / size
    logits, penalty = _class_logits(problem, unit), schatten_penalty(problem, unit)
    power = 2 / (problem.depth + 1)

    def slope(scale: np.ndarray | float) -> np.ndarray:
        scale = np.asarray(scale)
        return _fit_slope(problem, logits, scale) + power * penalty * scale ** (power - 1)

    at_zero = float(_fit(problem, logits, np.asarray(0.0)))
    # Beyond its reach the penalty alone exceeds the loss at scale 0. (e^700 is the end of floats.)
    log_reach = math.log(2) + (math.log(at_zero) - math.log(penalty)) / power
    reach = math.exp(max(-600, min(log_reach, 600)))
    grid = np.geomspace(1e-9 * min(1.0, reach), reach, 1000)
    slopes = slope(grid)
    best = (0.0, at_zero)
    for index in np.flatnonzero((slopes[:-1] < 0) & (slopes[1:] >= 0)):
        scale = float(brentq(slope, grid[index], grid[index + 1], xtol=1e-14, rtol=1e-14))
        loss = structure_loss(problem, unit, scale)
        if loss < best[1]:
            best = (scale / size, loss)
    return best


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
    n = problem.require_balanced("dnc_critical_scales")
    _require_cross_entropy(problem, "dnc_critical_scales")
    K, L = problem.classes, problem.depth
    target = problem.mean_weight_decay * n ** (1 / (L + 1))
    if target == 0:
        raise ValueError("weight_decay must be positive: without it no finite scale is critical")
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
    problem.require_balanced("dnc_frontier_scale")
    _require_cross_entropy(problem, "dnc_frontier_scale")
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
    problem.require_balanced("dnc_stable_scale")
    _require_cross_entropy(problem, "dnc_stable_scale")
    if problem.activation != "linear":
        raise ValueError(f"dnc_stable_scale is a statement about activation 'linear', got {problem.activation!r}")
    return problem.classes * (problem.depth - 1) / (problem.depth + 1)


def _require_cross_entropy(problem: Problem, what: str) -> None:
    if problem.loss != "cross_entropy":
        raise ValueError(f"{what} is a statement about loss 'cross_entropy', got {problem.loss!r}")


class Exclusion(NamedTuple):
    """Whether a theorem says that no DNC solution is a global minimum, and by which hypothesis."""

    holds: bool
    theorem: str  # "Theorem 1" (linear) or "Theorem 7" (ReLU)
    hypothesis: str  # the case that applies, or why none does


def dnc_is_excluded(problem: Problem) -> Exclusion:
    """Whether Theorem 1 (linear) or Theorem 7 (ReLU) excludes every DNC solution from the global minima.

        linear:  K >= 4 and L >= 3,   or K >= 6 and L = 2
        ReLU:    K >= 10 and L >= 5,  or K >= 16 and L = 4   (under the paper's assumption on ReLU and class means)

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
    problem.require_balanced("dnc_is_excluded")
    _require_cross_entropy(problem, "dnc_is_excluded")
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


def _check_frames(rank: int, width: int, depth: int) -> tuple[int, int, int]:
    r, d, L = (
        positive_int("rank", rank, smallest=0),
        positive_int("width", width),
        positive_int("depth", depth),
    )
    if r > d:
        raise ValueError(f"rank must be at most width = {d}, got {r}")
    return r, d, L


def solution_dimension(rank: int, width: int, depth: int) -> int:
    """Dimension of the set of aligned parameters with given logits of rank r: L (r d - r (r + 1)/2).

    For fixed logits the outer frames U_L and V_0 can be held, and the L inner frames run over the Stiefel manifold of
    r orthonormal vectors in R^d, one to one, whether or not singular values coincide. It is the number of zero
    eigenvalues of the Hessian at the DNC and pairing points.

    Args:
        rank: r of the logits, 0 <= r <= width.
        width: d.
        depth: L.

    Raises:
        ValueError: an argument is no such integer.

    Source: derived in the book (chapter "Why the landscape prefers collapse"); compare `solution_dimension_paper`.

    >>> solution_dimension(rank=3, width=5, depth=2)
    18
    """
    r, d, L = _check_frames(rank, width, depth)
    return L * (r * d - r * (r + 1) // 2)


def solution_dimension_paper(rank: int, width: int, depth: int, distinct: bool = False) -> int:
    """The count of Theorem 5: L (r d - r^2) if all singular values are equal, L (r d - r (r + 1)/2) if all differ.

    Args:
        rank, width, depth: as in `solution_dimension`.
        distinct: whether the nonzero singular values are pairwise different. DNC and pairing: all equal.

    Source: Garrod & Keating (2025), Theorem 5 and its proof.

    >>> solution_dimension_paper(rank=3, width=5, depth=2)
    12
    """
    r, d, L = _check_frames(rank, width, depth)
    return L * (r * d - (r * (r + 1) // 2 if distinct else r * r))
