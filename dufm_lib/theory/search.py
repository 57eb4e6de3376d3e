"""A multi-start search for the global minimum of the reduced problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from dufm_lib._arguments import finite_tensor, function, positive_int, seed_int, sequence
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import pairing, polygon, simplex_etf
from dufm_lib.theory.rank_one import FINEST, graded_line, rank_one_fit
from dufm_lib.theory.reduced import optimal_scale, structure_loss

DESCENT = {"maxiter": 1000, "ftol": 1e-10, "gtol": 1e-5, "maxcor": 20}
POLISH = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0, "gtol": 1e-11, "maxcor": 40}  # to float64 accuracy
POLISHED = 3  # descents that are: more than one, for two ends may lie closer than DESCENT tells apart
START = 5.0  # size of the random logits; the optima in use have logits of 3 to 20
LINES = 24  # graded lines that are compared, from nearly even gaps to the last ones that float64 can hold
DEAD = 1e-3  # columns this much shorter than the longest have died; they would go on shrinking for ever


def search_optimum(
    problem: Problem,
    starts: int = 32,
    seed: int = 0,
    near: Sequence[torch.Tensor] = (),
    report: Callable[[float, str], bool | None] | None = None,
) -> tuple[float, torch.Tensor]:
    """The best minimum found of the reduced problem over all class-mean logits M: (loss, M).

        g(M (x) 1_n^T) + (lambda (L+1)/2) sum_i sigma_i(M (x) 1_n^T)^{2/(L+1)}

    A minimum over all aligned parameters, and so over all parameters of the linear model; "best found", not "proved".
    For equal class sizes sigma_i = sqrt(n) sigma_i(M): then n and lambda enter through lambda n^{1/(L+1)} alone.

    The penalty has a cusp wherever a singular value is zero. In columns a_j, b_j of two (K, r) matrices there is none:

        M diag(sqrt(n_k)) = sum_j (|a_j| |b_j|)^{(L-1)/2} a_j b_j^T
        penalty (lambda (L+1)/4) sum_j (|a_j|^2 + |b_j|^2)

    the objective is smooth, never below the reduced objective, and equal to it when the columns are orthogonal and
    |a_j| = |b_j|. In it L-BFGS descends: from the simplex, pairing and polygon structures at their best scale (for MSE
    also the identity), from `near`, and from `starts` random points whose ranks r are spread log-uniformly over
    2, ..., K - 1 (MSE: K). Where these structures cost more than `rank_one_fit`, so that rank one may be best, also
    from the best `graded_line`. Columns may die on the way: the rank falls. The best ends are polished. M = 0 is always
    compared with.

    Where it is weak: a little below the weight decay at which M = 0 takes over, optima give up classes, and in deep
    models their gaps differ by powers of ten. There L-BFGS stops early. For rank one the graded line is a good start
    (K = 8, L = 1000: other methods found losses lower by three parts in 10 000); for rank two and more there is none.

    Args:
        problem: linear, with positive penalties; balanced or not, cross-entropy or MSE.
        starts: number of random starts.
        seed: of the random starts; the same seed gives the same result.
        near: further starts, each (K, K) logits; not zero.
        report: called after each start with the share done and a text; the search ends when it returns False.

    Returns:
        (loss, logits): the reduced objective and the (K, K) float64 class-mean logits where it is attained. The order
        of the classes means nothing where they have equal sizes. The loss is never above `optimal_scale` of the
        three structures.

    Raises:
        ValueError: the problem is not linear or a penalty is zero; an argument is not as said above.

    Source: ours; the reduced problem is Garrod & Keating (2025), section 3. The factor form follows from the product
        inequality for singular values (Horn); compare Shang et al. (2020).

    >>> loss, logits = search_optimum(Problem(4, 1, 3, 4, 3e-4), starts=4)
    >>> round(loss, 6), int(torch.linalg.matrix_rank(logits))
    (0.005335, 2)
    """
    suited("search_optimum", problem, activation="linear", decaying=True)
    starts = positive_int("starts", starts, smallest=0)
    rng = np.random.default_rng(seed_int("seed", seed))
    function("report", report)
    K = problem.classes
    zero = 0 * simplex_etf(K)
    best = (structure_loss(problem, zero, 0.0), zero)
    form = _FactorForm(problem)

    shapes = [simplex_etf(K), pairing(K), polygon(K)] + [torch.eye(K, dtype=torch.float64)] * form.mse
    named = [(shape, *optimal_scale(problem, shape)) for shape in shapes]
    best = min([best, *((loss, scale * shape) for shape, scale, loss in named)], key=lambda found: found[0])
    if not form.mse and best[0] > rank_one_fit(problem) > 0:  # (of two classes the simplex is the line)
        line = _best_line(problem)
        named.append((line, *optimal_scale(problem, line)))
    points = [form.factors((scale * shape).numpy()) for shape, scale, _ in named if scale > 0]
    points += [form.factors(_near(logits, K)) for logits in sequence("near", near, "logits")]
    ends = []
    # matrices of ten rows: threads that wait for each other cost twenty times what there is to compute
    with threadpool_limits(1, user_api="blas"):
        for done in range(total := len(points) + starts):
            ends.append(form.descend(points[done] if done < len(points) else form.random(rng), DESCENT))
            if report is not None and report((done + 1) / total, f"start {done + 1} of {total}") is False:
                break
        best_ends = sorted(ends, key=lambda end: end[0])[:POLISHED]
        polished = [form.descend(point, POLISH)[1] for _, point in best_ends]
    for point in polished:
        logits = torch.from_numpy(form.logits(point))
        loss = structure_loss(problem, logits, 1.0)
        if loss < best[0]:
            best = (loss, logits)
    return best


def _best_line(problem: Problem) -> torch.Tensor:
    """The best graded line, large classes at the ends."""
    K = problem.classes
    place = np.argsort(np.argsort(-np.asarray(problem.class_sizes), kind="stable"))
    ratios = np.exp(np.geomspace(0.2, 0.99 * FINEST, LINES) / ((K + 1) // 2))
    lines = [graded_line(K, float(ratio))[place][:, place] for ratio in ratios]
    return min(lines, key=lambda line: optimal_scale(problem, line)[1])


def _near(logits: torch.Tensor, K: int) -> np.ndarray:
    logits = finite_tensor("near", logits, K, K)
    if not logits.any():
        raise ValueError("near must not be zero: no descent leaves the zero matrix")
    return logits.cpu().numpy()


class _FactorForm:
    """The reduced objective in the columns of A and B, both (K, r), divided by lambda (L+1)/2; points are flat."""

    def __init__(self, problem: Problem) -> None:
        self.K, self.L, self.mse = problem.classes, problem.depth, problem.loss == "mse"
        sizes = np.asarray(problem.class_sizes, dtype=np.float64)
        self.share, self.root = sizes / sizes.sum(), np.sqrt(sizes)
        self.price = problem.mean_weight_decay * (self.L + 1) / 2

    def factors(self, logits: np.ndarray) -> np.ndarray:
        """The point with these logits whose value is the reduced objective."""
        left, sigma, right = np.linalg.svd(logits * self.root)
        kept = sigma > 1e-9 * sigma[0]
        size = sigma[kept] ** (1 / (self.L + 1))
        return np.concatenate([left[:, kept] * size, right[kept].T * size]).ravel()

    def random(self, rng: np.random.Generator) -> np.ndarray:
        """A point of random rank with columns of equal size in random directions."""
        rank = int(1 + (self.K - 1 + self.mse) ** rng.uniform())
        columns = rng.standard_normal((2, self.K, rank))
        sigma = START * self.K / rank * np.sqrt(np.mean(self.root**2))
        return (columns * (sigma ** (1 / (self.L + 1)) / np.linalg.norm(columns, axis=1, keepdims=True))).ravel()

    def logits(self, point: np.ndarray) -> np.ndarray:
        """M, (K, K)."""
        A, B = point.reshape(2, self.K, -1)
        size = ((A * A).sum(0) * (B * B).sum(0)) ** ((self.L - 1) / 4)
        return (A * size) @ B.T / self.root

    def fit(self, M: np.ndarray) -> tuple[float, np.ndarray]:
        """g and its gradient in M."""
        if self.mse:
            rest = M - np.eye(self.K)
            return 0.5 * float((rest * rest).sum(0) @ self.share), rest * self.share
        gaps = M - M.diagonal()
        top = gaps.max(0)
        weights = np.exp(gaps - top)
        total = weights.sum(0)
        return float((top + np.log(total)) @ self.share), (weights / total - np.eye(self.K)) * self.share

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """The value and its gradient; where a line search of a deep model overflows, a high value and the way back."""
        A, B = point.reshape(2, self.K, -1)
        power = (self.L - 1) / 2
        a, b = (A * A).sum(0) + 1e-300, (B * B).sum(0) + 1e-300  # squared lengths of columns, dead ones too
        with np.errstate(over="ignore", invalid="ignore"):
            size = (a * b) ** (power / 2)
            value, slope = self.fit((A * size) @ B.T / self.root)
        if not np.isfinite(value):
            return 1e4 / self.price, point
        slope = slope / (self.root * self.price)
        to_A, to_B = slope @ B, slope.T @ A
        growth = power * (A * to_A).sum(0)  # what the factor `size` adds
        gradient = np.concatenate([size * (to_A + A * (growth / a)) + A, size * (to_B + B * (growth / b)) + B])
        return value / self.price + (a.sum() + b.sum()) / 2, gradient.ravel()

    def descend(self, point: np.ndarray, options: dict) -> tuple[float, np.ndarray]:
        """L-BFGS from a point: (value, point) without the columns that died."""
        end = minimize(self, point, jac=True, method="L-BFGS-B", options=options)
        A, B = end.x.reshape(2, self.K, -1)
        length = np.sqrt(np.linalg.norm(A, axis=0) * np.linalg.norm(B, axis=0))
        alive = length > DEAD * length.max()
        return end.fun, np.concatenate([A[:, alive], B[:, alive]]).ravel()
