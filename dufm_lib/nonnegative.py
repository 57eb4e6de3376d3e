"""ReLU parameters that carry non-negative features through the layers, and read them out at the end.

The low-rank solutions of ReLU models that have a closed form are of this kind: pairing with a shift, and the edges of a
complete graph as codes of two ones. `dufm_lib.theory` knows what they cost; here they are formed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from dufm_lib._arguments import finite_tensor, positive_float, room, sequence
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import ROUNDING


def point(
    problem: Problem, features: torch.Tensor, readouts: Sequence[torch.Tensor], scale: float
) -> list[torch.Tensor]:
    """Parameters whose layers 1, ..., L - m all carry F (x) 1_n^T, and whose last m weights are the readouts.

        W_1 H_1 ~ F (x) 1_n^T,   W_2, ..., W_{L-m} ~ projector onto the span of F,   W_{L-m+1}, ..., W_L ~ R_1, ..., R_m

    Each factor is scaled so that all have the same penalty, and that the logits are scale * R_m s(... s(R_1 F)).

    Args:
        problem: ReLU, positive penalties.
        features: F (p, K) with p <= d, no entry negative; column k is shared by the samples of class k.
        readouts: R_1 (q_1, p), R_2 (q_2, q_1), ..., R_m (K, q_{m-1}), with 1 <= m <= L - 1 and every q_j <= d.
        scale: > 0.

    Returns:
        [H_1, W_1, ..., W_L] in float64.

    Raises:
        ValueError: a linear problem, a zero penalty, a negative feature, a scale of zero, or shapes that do not fit.

    Source: Garrod & Keating (2025), proof of Theorem 7 (B.9), for F = P + J and R_1 = P / 2; in this generality ours.

    >>> problem = Problem(6, 2, 4, 8, 1e-3, activation="relu")
    >>> from dufm_lib import model
    >>> P = torch.block_diag(*[torch.tensor([[1.0, -1.0], [-1.0, 1.0]])] * 3)
    >>> params = point(problem, P + 1, [P / 2], scale=5.0)
    >>> torch.allclose(model.class_means(problem, model.logits(problem, params)), 5 * P.double())
    True
    """
    suited("nonnegative.point", problem, activation="relu", decaying=True)
    room("problem", problem.parameters)
    L, d, K = problem.depth, problem.width, problem.classes
    scale, readouts = positive_float("scale", scale), sequence("readouts", readouts, "matrices")
    if not 1 <= len(readouts) <= L - 1:
        raise ValueError(f"readouts must be 1 to {L - 1} matrices for depth {L}, got {len(readouts)}")
    features = finite_tensor("features", features, "p", K)
    if (features < 0).any():
        raise ValueError(f"features must not be negative, or ReLU changes them; the least is {features.min():.3g}")
    size, ends = features.shape[0], []
    for number, matrix in enumerate(readouts, start=1):
        rows = K if number == len(readouts) else "q"
        ends.append(finite_tensor(f"readouts[{number - 1}]", matrix, rows, size))
        size = ends[-1].shape[0]
    if max(features.shape[0], *(len(matrix) for matrix in ends)) > d:
        raise ValueError(f"width must hold the features and all readouts; it is {d}")

    if not all(matrix.any() for matrix in (features, *ends)):
        raise ValueError("features and readouts must not be zero")

    left, sigma, right = torch.linalg.svd(features[:, problem.labels], full_matrices=False)
    rank = int((sigma > ROUNDING * sigma[0]).sum())
    left, root, right = left[:, :rank], sigma[:rank].sqrt(), right[:rank]
    middle = [left @ left.T] * (L - 1 - len(readouts))
    factors = [root[:, None] * right, left * root, *middle, *ends]
    factors = [_padded(factor, shape) for factor, shape in zip(factors, problem.shapes, strict=True)]

    # factor l times c_l, with product(c) = scale and lambda_l c_l^2 ||factor_l||^2 the same for all
    weights = [problem.penalties[min(layer, 1)] * float(each.square().sum()) for layer, each in enumerate(factors)]
    common = (math.log(scale) * 2 + sum(map(math.log, weights))) / (L + 1)
    return [factor * math.exp((common - math.log(weight)) / 2) for factor, weight in zip(factors, weights, strict=True)]


def _padded(matrix: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    rows, columns = shape
    return torch.nn.functional.pad(matrix, (0, columns - matrix.shape[1], 0, rows - matrix.shape[0]))
