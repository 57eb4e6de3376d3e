"""Curvature of the objective: gradient, Hessian-vector products, the dense matrix, the spectrum and its zero modes.

Parameters are flattened in the order H_1, W_1, ..., W_L, each row by row. Everything is computed in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from dufm_lib import model
from dufm_lib._arguments import finite_tensor, positive_int, seed_int
from dufm_lib._lanczos import extremes
from dufm_lib.aligned import aligned_blocks
from dufm_lib.problem import Problem

DENSE_LIMIT = 6000  # parameters; a dense float64 matrix of that size takes 0.3 GB, its eigenvalues about 20 seconds


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a Hessian with their multiplicities.

    Attributes:
        eigenvalues: (m,) float64, distinct up to rounding, ascending.
        multiplicities: (m,) int64; their sum is the number of parameters. In an incomplete spectrum how often each was
            found: at least so often it occurs.
        tolerance: eigenvalues within this distance of zero count as zero.
        complete: False for the two ends alone, see `extreme_spectrum`; whatever needs them all then raises ValueError.
        residual: an eigenvalue of the matrix lies within this distance of each of `eigenvalues`. Reported where it was
            measured, that is in an incomplete spectrum.
    """

    eigenvalues: torch.Tensor
    multiplicities: torch.Tensor
    tolerance: float
    complete: bool = True
    residual: float = math.nan

    def _require_complete(self, name: str) -> None:
        if not self.complete:
            raise ValueError(
                f"{name} needs the complete spectrum; this one holds the two ends, as Lanczos iteration found them. "
                "smallest and largest are known; at a critical point of the linear model aligned_spectrum gives all, "
                "near one critical.polish gives the point"
            )

    @property
    def nullity(self) -> int:
        """Number of zero eigenvalues."""
        self._require_complete("nullity")
        return int(self.multiplicities[self.eigenvalues.abs() <= self.tolerance].sum())

    @property
    def negative(self) -> int:
        """Number of negative eigenvalues."""
        self._require_complete("negative")
        return int(self.multiplicities[self.eigenvalues < -self.tolerance].sum())

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue."""
        return float(self.eigenvalues[0])

    @property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return float(self.eigenvalues[-1])

    @property
    def smallest_positive(self) -> float:
        """The smallest eigenvalue that counts as positive, NaN if there is none."""
        self._require_complete("smallest_positive")
        positive = self.eigenvalues[self.eigenvalues > self.tolerance]
        return float(positive[0]) if len(positive) else math.nan

    def expand(self) -> torch.Tensor:
        """All eigenvalues, each repeated as often as it occurs: (P,) ascending."""
        self._require_complete("expand")
        return self.eigenvalues.repeat_interleave(self.multiplicities)


def _flatten(problem: Problem, params: model.Parameters) -> torch.Tensor:
    model.check_parameters(problem, params)
    if params[0].ndim != 2:
        raise ValueError(f"params must be one point without batch axes, got those of {tuple(params[0].shape)}")
    return torch.cat([tensor.detach().double().reshape(-1) for tensor in params])


def _slopes(problem: Problem, points: torch.Tensor) -> torch.Tensor:
    """Gradients at a batch of flattened points: (B, P) -> (B, P), to be differentiated again."""
    parts = points.split([rows * columns for rows, columns in problem.shapes], dim=-1)
    params = [part.unflatten(-1, shape) for part, shape in zip(parts, problem.shapes, strict=True)]
    return torch.autograd.grad(model.objective(problem, params).sum(), points, create_graph=True)[0]


def _products(problem: Problem, point: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Hessian at one flattened point (P,) times each row of (B, P): one copy of the point for each direction."""
    with torch.enable_grad():
        points = point.repeat(len(directions), 1).requires_grad_()
        return torch.autograd.grad(_slopes(problem, points), points, directions)[0]


def gradient(problem: Problem, params: model.Parameters) -> torch.Tensor:
    """Gradient of the objective at one point, flattened: (P,) float64.

    Raises:
        ValueError: shapes do not fit, or batch axes are present.
    """
    with torch.enable_grad():
        return _slopes(problem, _flatten(problem, params)[None].requires_grad_())[0].detach()


def product(problem: Problem, params: model.Parameters, direction: torch.Tensor) -> torch.Tensor:
    """Hessian times a flattened direction (P,), without forming the matrix: (P,) float64.

    Raises:
        ValueError: shapes do not fit, or batch axes are present.
    """
    point = _flatten(problem, params)
    direction = finite_tensor("direction", direction, len(point))
    return _products(problem, point, direction[None])[0]


def matrix(problem: Problem, params: model.Parameters, limit: int = DENSE_LIMIT) -> torch.Tensor:
    """The dense Hessian of the objective at one point.

    Args:
        problem: any loss and activation.
        params: [H_1, W_1, ..., W_L] without batch axes.
        limit: the most parameters P of which it is formed; it takes 8 P^2 bytes.

    Returns:
        (P, P) float64, symmetric, P the number of parameters.

    Raises:
        ValueError: shapes do not fit, batch axes are present, or P exceeds the limit.
    """
    limit, point = positive_int("limit", limit), _flatten(problem, params)
    if len(point) > limit:
        raise ValueError(
            f"params hold {len(point)} numbers; a dense Hessian is limited to {limit}. "
            "Use aligned_spectrum at a critical point, extreme_spectrum elsewhere, or product for single directions"
        )
    directions = torch.eye(len(point), dtype=torch.float64, device=point.device)
    dense = torch.cat([_products(problem, point, rows) for rows in directions.split(256)])
    return (dense + dense.T) / 2


def _collect(problem: Problem, values: torch.Tensor, counts: torch.Tensor) -> Spectrum:
    """Merge eigenvalues that agree up to rounding."""
    values, order = values.sort()
    counts = counts[order]
    rounding = 1e-9 * max(float(values.abs().max()), 1e-300)
    first = torch.cat([torch.ones(1, dtype=torch.bool), values.diff() > rounding])
    group = first.cumsum(0) - 1
    merged = torch.zeros(int(group[-1]) + 1, dtype=torch.int64).index_add_(0, group, counts)
    weighted = torch.zeros(merged.shape, dtype=torch.float64).index_add_(0, group, values * counts)
    positive = [decay for decay in problem.penalties if decay > 0]
    tolerance = max(1e-3 * min(positive), rounding) if positive else rounding
    return Spectrum(weighted / merged, merged, tolerance)


def aligned_spectrum(problem: Problem, logits: torch.Tensor) -> Spectrum:
    """The full Hessian spectrum at an aligned critical point, from its class-mean logits alone.

    Its cost does not grow with the width or the number of samples: see `dufm_lib.aligned` for the reduction.

    Args:
        problem: linear, positive penalties; any loss, balanced or not.
        logits: (K, K) class-mean logits of a critical point, e.g. `optimal_scale` times a structure, or
            `critical.polish` of the logits at which descent ended.

    Returns:
        Spectrum over all P parameters.

    Raises:
        ValueError: not a critical point of a linear problem with positive penalties; it says how far off.

    >>> from dufm_lib.structures import simplex_etf
    >>> from dufm_lib.theory import dnc_critical_scales
    >>> problem = Problem(classes=4, samples=1, depth=2, width=5, weight_decay=1e-3)
    >>> aligned_spectrum(problem, dnc_critical_scales(problem)[-1] * simplex_etf(4)).nullity
    18
    """
    blocks = aligned_blocks(problem, logits)
    values = torch.cat([eigenvalues for eigenvalues, _ in blocks])
    counts = torch.cat([torch.full((len(eigenvalues),), count) for eigenvalues, count in blocks])
    return _collect(problem, values, counts)


def extreme_spectrum(problem: Problem, params: model.Parameters, count: int = 8, seed: int = 0) -> Spectrum:
    """Both ends of the Hessian spectrum at any point, by Lanczos iteration with Hessian-vector products.

    No matrix is formed: a product costs about four gradients. What is promised: an eigenvalue lies within `residual` of
    each value returned. What is not: that none was missed. The iteration sees a direction only through its random
    start, so of an eigenvalue that occurs many times it finds some copies, and a cluster may hide a neighbour.

    Args:
        problem: any loss and activation.
        params: [H_1, W_1, ..., W_L] without batch axes, P numbers.
        count: how many eigenvalues at each end, below P / 2.
        seed: of the starting vectors.

    Returns:
        Spectrum with complete = False, of 2 count eigenvalues with those that agree merged.

    Raises:
        ValueError: shapes do not fit, batch axes are present, or count is too large.
        RuntimeError: the iteration did not converge.

    >>> from dufm_lib.model import random_point
    >>> problem = Problem(classes=4, samples=1, depth=2, width=5, weight_decay=1e-3)
    >>> ends = extreme_spectrum(problem, random_point(problem), count=3)
    >>> ends.smallest < 0 < ends.largest, ends.complete
    (True, False)
    """
    point = _flatten(problem, params)
    count = positive_int("count", count)
    if 2 * count >= len(point):
        raise ValueError(f"count must be below half the number of parameters, {len(point)}; got {count}")
    seed = seed_int("seed", seed)

    def times(vector: np.ndarray) -> np.ndarray:
        direction = torch.tensor(vector, dtype=torch.float64, device=point.device)
        return _products(problem, point, direction[None])[0].cpu().numpy()

    low, high, residual = extremes(times, len(point), count, seed)
    values = torch.from_numpy(np.concatenate([low, high]))
    return replace(
        _collect(problem, values, torch.ones(values.shape, dtype=torch.int64)), complete=False, residual=residual
    )


def spectrum(problem: Problem, params: model.Parameters) -> Spectrum:
    """The Hessian spectrum at one point, by whatever way is right there.

    A critical point of the linear model is aligned (Lemma 1), so its spectrum comes from `aligned_spectrum`, whatever
    its size. Any other point is solved densely, up to DENSE_LIMIT parameters. Beyond that the result is incomplete:
    the two ends, from `extreme_spectrum`. Where descent ends is such another point, critical to a few digits only: its
    zero modes are small, not zero. For the spectrum of the critical point beside it, take the `aligned_spectrum` of
    what `critical.polish` makes of its logits.

    Args:
        problem: any loss and activation.
        params: [H_1, W_1, ..., W_L] without batch axes.

    Returns:
        Spectrum over all P parameters; look at its `complete` where the point is large.

    Raises:
        ValueError: shapes do not fit, or batch axes are present.
        RuntimeError: Lanczos iteration did not converge.
    """
    slope = gradient(problem, params)
    critical = slope.norm() <= 1e-9 * _flatten(problem, params).norm() * problem.mean_weight_decay
    if critical and problem.activation == "linear" and problem.mean_weight_decay > 0:
        signal = model.logits(problem, [tensor.double() for tensor in params])
        return aligned_spectrum(problem, model.class_means(problem, signal))
    if len(slope) > DENSE_LIMIT:
        return extreme_spectrum(problem, params)
    values = torch.linalg.eigvalsh(matrix(problem, params))
    return _collect(problem, values, torch.ones(values.shape, dtype=torch.int64))
