"""The critical equations of the linear model in singular frames, and Newton's method on them.

At a critical point the factors are aligned (Lemma 1), so all of it is in the class-mean logits Z. With n_k samples of
class k write M = Z diag(sqrt n_k) = U diag(sigma) V^T, of rank r, and G = dg/dM. The point is critical if and only if

    G V = -U f(sigma),    U^T G = -f(sigma) V^T,    f(sigma) = lambda sigma^{(1-L)/(1+L)},

with lambda the geometric mean of the penalties: on the r directions that the logits use, the pull of the fit balances
that of the weight decay; between these and the others G vanishes; among the others it is free. Neither the width nor
the number of samples enters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from dufm_lib._arguments import finite_tensor, room
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import ROUNDING

# How far the equations may be off, relative to f ...
CRITICAL = 1e-7  # ... at what counts as a critical point
SOLVED = 1e-12  # ... at one that is polished: logits of size 100 round to 1e-14
STEPS = 20  # of Newton's method; from where descent ends it takes two to four
# Relative to the largest singular value or, if that is more, to logits of size one:
DEAD = 1e-3  # a singular value below this is on its way to zero
NEAR = 0.1  # the logits may move by this
FLAT = 1e-6  # curvature below this part of f / sigma counts as none: some critical points come in families


def class_derivatives(problem: Problem, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Per class: N g'(z) as columns of a (K, K) matrix, and N g''(z), (K, K, K) with the class first."""
    K = problem.classes
    identity = torch.eye(K, dtype=torch.float64)
    if problem.loss == "mse":
        return logits - identity, identity.expand(K, K, K)
    # 1 - p would lose the digits of the small probabilities: sums of the others instead
    p = logits.softmax(0)
    others = p * (1 - identity)
    off_diagonal = -p.T[:, :, None] * p.T[:, None, :] * (1 - identity)
    return others - torch.diag(others.sum(0)), off_diagonal - torch.diag_embed(off_diagonal.sum(-1))


@dataclass(frozen=True)
class Framed:
    """Class-mean logits of rank r in their singular frames, with what the critical equations speak of."""

    logits: torch.Tensor  # Z, (K, K)
    left: torch.Tensor  # U, continued to an orthonormal basis, (K, K)
    sigma: torch.Tensor  # (r,), descending
    right: torch.Tensor  # V, continued to an orthonormal basis, (K, K)
    decay: torch.Tensor  # f(sigma), (r,)
    gradient: torch.Tensor  # G in these bases, (K, K)
    curvatures: torch.Tensor  # N g'' of each class, (K, K, K)

    @property
    def rank(self) -> int:
        """r."""
        return len(self.sigma)

    @property
    def residual(self) -> torch.Tensor:
        """G + f where the equations ask it to vanish, zero where G is free: (K, K)."""
        found = self.gradient.clone()
        found.diagonal()[: self.rank] += self.decay
        found[self.rank :, self.rank :] = 0
        return found

    @property
    def off(self) -> float:
        """How far the equations are off, relative to the pull of the decay."""
        return float(self.residual.norm() / self.decay.norm()) if self.rank else 0.0


def framed(problem: Problem, logits: torch.Tensor, rank: int | None = None) -> Framed:
    """The nearest logits of this rank (default: of the float64 matrix itself) in their frames.

    Args:
        problem: linear, positive penalties.
        logits: (K, K) float64.
        rank: 0, ..., K.
    """
    L = problem.depth
    roots = torch.tensor(problem.class_sizes, dtype=torch.float64).sqrt()
    left, sigma, right = torch.linalg.svd(logits * roots)
    r = int((sigma > ROUNDING * sigma[0]).sum()) if rank is None else rank
    sigma, right = sigma[:r], right.T
    logits = (left[:, :r] * sigma) @ right[:, :r].T / roots
    slopes, curvatures = class_derivatives(problem, logits)
    gradient = left.T @ (slopes * roots / problem.total_samples) @ right
    decay = problem.mean_weight_decay * sigma ** ((1 - L) / (1 + L))
    return Framed(logits, left, sigma, right, decay, gradient, curvatures)


def nearly_framed(problem: Problem, logits: torch.Tensor) -> Framed:
    """As `framed`, for logits near a critical point: singular values on their way to zero are cut off."""
    sigma = framed(problem, logits, problem.classes).sigma
    one = math.sqrt(problem.total_samples / problem.classes)  # what logits of size one have in M
    return framed(problem, logits, int((sigma > DEAD * max(float(sigma[0]), one)).sum()))


@dataclass(frozen=True)
class Polished:
    """A critical point of the linear model near given logits.

    Attributes:
        logits: (K, K) float64 class means.
        rank: of the logits.
        residual: how far the critical equations are still off, relative to the pull of the weight decay.
        moved: the Frobenius norm of the change of the class-mean logits.
        steps: of Newton's method.
    """

    logits: torch.Tensor
    rank: int
    residual: float
    moved: float
    steps: int


def polish(problem: Problem, logits: torch.Tensor) -> Polished:
    """The exact critical point near logits at which descent has nearly stopped.

    Newton's method for the critical equations (top of this file), over the matrices of one rank. It goes to minima and
    saddles alike; `hessian.aligned_spectrum` of the result tells which it is. Beside a saddle descent only lingers: it
    would not have ended there.

    Args:
        problem: linear, positive penalties; any loss, balanced or not.
        logits: (K, K) class means, e.g. `runs.logits[0]` of `descent.train`, or
            `model.class_means(problem, model.logits(problem, params))`. A singular value below 1e-3 (below 1e-3 of
            the largest, if that is more) counts as zero, unless the equations already hold.

    Returns:
        Polished, with a residual of at most 1e-12.

    Raises:
        ValueError: a bad argument; logits whose rank is not yet clear; no critical point of their rank nearby.

    Source: Garrod & Keating (2025), Lemma 1, for the equations; Absil, Mahony & Sepulchre (2008), Optimization
    Algorithms on Matrix Manifolds, chapter 6, for Newton's method on a manifold.

    >>> from dufm_lib.structures import simplex_etf
    >>> from dufm_lib.theory import dnc_critical_scales
    >>> problem = Problem(classes=4, samples=1, depth=2, width=5, weight_decay=1e-3)
    >>> alpha = dnc_critical_scales(problem)[-1]
    >>> point = polish(problem, 0.99 * alpha * simplex_etf(4) + 1e-5)
    >>> point.rank, bool((point.logits - alpha * simplex_etf(4)).abs().max() < 1e-10)
    (3, True)
    """
    suited("polish", problem, activation="linear", decaying=True)
    K = problem.classes
    room("classes", K**4)
    start = finite_tensor("logits", logits, K, K).cpu()
    point = framed(problem, start)
    if point.off > CRITICAL:
        point = nearly_framed(problem, start)
    _check_rank(point)
    allowed = NEAR * max(float(torch.linalg.matrix_norm(start, 2)), 1.0)
    steps, moved = 0, _distance(point.logits, start)
    while SOLVED < point.off < math.inf and moved <= allowed and steps < STEPS:
        point = framed(problem, _newton(problem, point), point.rank)
        steps, moved = steps + 1, _distance(point.logits, start)
    if not (point.off <= SOLVED and moved <= allowed):
        raise ValueError(
            f"logits must be near a critical point of rank {point.rank}; Newton's method moved them by {moved:.1e} in "
            f"{steps} steps and left the critical equations off by {point.off:.1e} of the pull of the weight decay. "
            "Descend for more steps, or with a smaller tolerance"
        )
    return Polished(point.logits, point.rank, point.off, moved, steps)


def _distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(torch.linalg.matrix_norm(one - other))


def _check_rank(point: Framed) -> None:
    """Raise a ValueError if a direction that the logits use is far from balance: it may be growing, or dying."""
    balance = -point.gradient.diagonal()[: point.rank] / point.decay
    worst = (balance - 1).abs()
    if point.rank and worst.max() > 0.5:
        i = int(worst.argmax())
        raise ValueError(
            f"logits must be near a critical point of a clear rank; on singular value number {i + 1}, which is "
            f"{float(point.sigma[i] / point.sigma[0]):.1e} of the largest, the pull of the fit is "
            f"{float(balance[i]):.2f} times that of the weight decay, where 1 is balance. "
            "Descend for more steps, or with a smaller tolerance"
        )


def _newton(problem: Problem, point: Framed) -> torch.Tensor:
    """Logits one step further: (K, K).

    The equations change with M -> M + E, in the frames and up to terms that vanish with the residual, by
    dG[E] + df[E] + what the turn of the frames makes of G on the rest. E is zero on the rest: the rank stays.
    """
    K, r = problem.classes, point.rank
    sigma, decay = point.sigma, point.decay
    turned = point.left.T @ point.curvatures @ point.left / problem.total_samples
    change = torch.einsum("kai,kb,kj->abij", turned, point.right, point.right)  # of equation (a, b) with E_ij

    # U f(Sigma) V^T as a function of M: divided differences for symmetric E, sums for antisymmetric
    rows, columns = torch.meshgrid(torch.arange(r), torch.arange(r), indexing="ij")
    total, gap = sigma[:, None] + sigma, sigma[:, None] - sigma
    derivative = (1 - problem.depth) / (1 + problem.depth) * decay / sigma
    close = gap.abs() < 1e-6 * total
    symmetric = torch.where(
        close,
        (derivative[:, None] + derivative) / 2,
        (decay[:, None] - decay) / gap.masked_fill(close, 1.0),
    )
    antisymmetric = (decay[:, None] + decay) / total
    change[rows, columns, rows, columns] += (symmetric + antisymmetric) / 2
    change[rows, columns, columns, rows] += (symmetric - antisymmetric) / 2

    rest = point.gradient[r:, r:]
    others = torch.arange(r, K)
    for i in range(r):
        change[i, others, i, others] += decay[i] / sigma[i]
        change[others, i, others, i] += decay[i] / sigma[i]
        change[i, r:, r:, i] += rest.T / sigma[i]
        change[r:, i, i, r:] += rest / sigma[i]

    free = torch.ones(K, K, dtype=torch.bool)
    free[r:, r:] = False
    flat = FLAT * float((decay / sigma).min())
    step = torch.zeros(K, K, dtype=torch.float64)
    step[free] = -torch.linalg.pinv(change[free][:, free], atol=flat, rtol=0, hermitian=True) @ point.residual[free]
    step[range(r), range(r)] += sigma
    roots = torch.tensor(problem.class_sizes, dtype=torch.float64).sqrt()
    return point.left @ step @ point.right.T / roots
