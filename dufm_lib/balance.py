"""What Lemma 1 says of the factors themselves: neighbours balance, and all share their singular values."""

from __future__ import annotations

import torch

from dufm_lib.model import Parameters, check_parameters
from dufm_lib.problem import Problem, suited


def factor_singular_values(problem: Problem, params: Parameters) -> torch.Tensor:
    """The K largest singular values of H_1, W_1, ..., W_L, descending: (..., L + 1, K) float64.

    At a critical point of the linear model with equal penalties the L + 1 rows agree, and the logits have the
    singular values s_1^{L+1}, ..., s_K^{L+1}. (No factor of a critical point has more than K nonzero ones.)

    Args:
        problem: gives the shapes.
        params: [H_1, W_1, ..., W_L] with any leading batch axes.

    Raises:
        ValueError: the parameters do not have the shapes of `problem`.

    Source: Garrod & Keating (2025), Lemma 1.

    >>> from dufm_lib.model import aligned_point
    >>> from dufm_lib.structures import simplex_etf
    >>> problem = Problem(classes=3, samples=4, depth=2, width=5, weight_decay=0.01)
    >>> factor_singular_values(problem, aligned_point(problem, 4 * simplex_etf(3))).round(decimals=6).tolist()
    [[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [2.0, 2.0, 0.0]]
    """
    check_parameters(problem, params)
    return torch.stack(
        [torch.linalg.svdvals(tensor.detach().double())[..., : problem.classes] for tensor in params], -2
    )


def imbalance(problem: Problem, params: Parameters) -> torch.Tensor:
    """How far neighbours W_{l+1}, W_l (with W_0 = H_1) are from balance: (..., L) float64, l = 0, ..., L - 1.

        || lambda_{l+1} W_{l+1}^T W_{l+1} - lambda_l W_l W_l^T ||_F / lambda

    with lambda_0 = lambda_H, lambda_1 = ... = lambda_L = lambda_W and their geometric mean lambda. Equal
    penalties cancel, zero ones included. It is 0 at every critical point of the linear model with positive
    penalties, whatever the loss and the class sizes, and decays like exp(-2 lambda t) under gradient flow if the
    penalties are equal.

    Args:
        problem: linear.
        params: [H_1, W_1, ..., W_L] with any leading batch axes.

    Raises:
        ValueError: ReLU problem, exactly one penalty equal to zero, or parameters of other shapes than `problem`.

    Source: Garrod & Keating (2025), proof of Lemma 1; unequal penalties and the rate: derived in the book, chapter
    "Free features, aligned layers".

    >>> from dufm_lib.model import aligned_point, random_point
    >>> from dufm_lib.structures import simplex_etf
    >>> problem = Problem(classes=3, samples=4, depth=2, width=5, weight_decay=0.01)
    >>> bool(imbalance(problem, aligned_point(problem, 4 * simplex_etf(3))).max() < 1e-12)
    True
    >>> bool(imbalance(problem, random_point(problem)).min() > 1)
    True
    """
    suited("imbalance", problem, activation="linear")
    check_parameters(problem, params)
    features, weights = problem.penalties
    if (features == 0) != (weights == 0):
        raise ValueError("weight_decay must be positive for features and weights, or zero for both")
    mean = problem.mean_weight_decay
    relative = [1.0] * (problem.depth + 1)
    if features != weights:
        relative = [features / mean, *[weights / mean] * problem.depth]
    factors = [tensor.detach().double() for tensor in params]
    gaps = [
        relative[layer + 1] * factors[layer + 1].mT @ factors[layer + 1]
        - relative[layer] * factors[layer] @ factors[layer].mT
        for layer in range(problem.depth)
    ]
    return torch.stack([torch.linalg.matrix_norm(gap) for gap in gaps], -1)
