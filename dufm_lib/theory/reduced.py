"""The reduced objective: the fit plus the Schatten penalty of the class-mean logits, and its best scale."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import brentq

from dufm_lib._arguments import finite_tensor, nonnegative_float
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import ROUNDING


def _class_logits(problem: Problem, structure: torch.Tensor) -> np.ndarray:
    suited("the reduced objective", problem)
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
        ValueError: a penalty is zero (then cross-entropy has no optimal scale), or `structure` is zero, misshapen,
            not finite, or so small that the scale is no longer a float.

    >>> from dufm_lib.structures import simplex_etf
    >>> scale, loss = optimal_scale(Problem(10, 5, 2, 70, 2**-10), simplex_etf(10))
    >>> round(scale, 4), round(loss, 10)
    (7.0375, 0.0906621832)
    """
    size = float(np.abs(_class_logits(problem, structure)).max())
    suited("optimal_scale", problem, decaying=True)
    if size == 0:
        raise ValueError("structure must not be zero")
    unit = structure.double() / size
    scale, loss = best_scale(problem, _class_logits(problem, unit), schatten_penalty(problem, unit))
    if not math.isfinite(scale / size):
        raise ValueError(f"structure is too small, {size:g}: its best scale exceeds all floats; take it at unit scale")
    return scale / size, loss


def best_scale(problem: Problem, logits: np.ndarray, penalty: float) -> tuple[float, float]:
    """The minimum over scale >= 0 of g(scale * logits (x) 1_n^T) + penalty * scale^{2/(L+1)}: (scale, loss).

    Args:
        problem: gives g, L and the class sizes.
        logits: (K, K), of size about one.
        penalty: of these logits, > 0.
    """
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
        loss = float(_fit(problem, logits, np.asarray(scale)) + penalty * scale**power)
        if loss < best[1]:
            best = (scale, loss)
    return best
