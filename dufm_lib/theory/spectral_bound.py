"""A lower bound of the objective by the singular values of the logits, and how low it falls below every structure.

The bound is behind the proofs that a simplex is optimal. At depth 1 a simplex attains its minimum. At depth 2 and more
the minimum has rank one, where no logits that tell three classes apart attain it: the bound then proves nothing.
"""

from __future__ import annotations

import math

import torch

from dufm_lib._arguments import finite_tensor, positive_int
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import simplex_etf
from dufm_lib.theory.reduced import best_scale


def spectral_bound(problem: Problem, sigma: torch.Tensor) -> float:
    """xi(sigma), below the objective of all parameters whose logits have these singular values.

        xi(sigma) = log(1 + (K-1) e^{-t}) + (lambda (L+1)/2) sum_i sigma_i^{2/(L+1)}

    with the largest mean margin that such logits can have, t = sum_i sigma_i / ((K-1) sqrt(n)). A simplex attains it:
    then t is its scale.

    Args:
        problem: linear, balanced, cross-entropy.
        sigma: (K,) singular values of the (K, N) logits, zeros included.

    Raises:
        ValueError: another setting, another number of values, a negative or infinite one.

    Source: the book (chapter "One layer, one valley"), after Dang et al. (2023), Theorem A.1, and Garrod & Keating
        (2025), Appendix B.3, with the best constants.

    >>> ten = Problem(10, 5, 2, 70, 2**-10)
    >>> sigma = torch.tensor([7.0375 * 5**0.5] * 9 + [0.0])
    >>> round(spectral_bound(ten, sigma), 8)  # the best loss of a simplex
    0.09066218
    """
    suited("spectral_bound", problem, loss="cross_entropy", activation="linear", balanced=True)
    K, n, L = problem.classes, problem.class_sizes[0], problem.depth
    sigma = finite_tensor("sigma", sigma, K)
    if (sigma < 0).any():
        raise ValueError(f"sigma must not be negative: these are singular values, got {sigma.tolist()}")
    margin = float(sigma.sum()) / ((K - 1) * math.sqrt(n))
    penalty = problem.mean_weight_decay * (L + 1) / 2 * float(sigma.pow(2 / (L + 1)).sum())
    return math.log1p((K - 1) * math.exp(-margin)) + penalty


def least_spectral_bound(problem: Problem, rank: int) -> float:
    """The least xi over spectra of `rank` equal singular values (and zeros), zero itself included.

    For a given sum the penalty is concave in sigma from L = 2 on, so that rank 1 has the least bound of all; at L = 1
    every rank has the same.

    Args:
        problem: linear, balanced, cross-entropy, with positive penalties.
        rank: 1 to K.

    Raises:
        ValueError: another setting, or no such rank.

    Source: as `spectral_bound`.

    >>> ten = Problem(10, 5, 2, 70, 2**-10)
    >>> [round(least_spectral_bound(ten, rank), 4) for rank in (1, 5, 9)]
    [0.0463, 0.0758, 0.0907]
    """
    suited("least_spectral_bound", problem, loss="cross_entropy", activation="linear", balanced=True, decaying=True)
    K, n, L = problem.classes, problem.class_sizes[0], problem.depth
    r = positive_int("rank", rank, largest=K)
    each = (K - 1) * math.sqrt(n) / r  # the singular values at which the mean margin is 1
    penalty = problem.mean_weight_decay * (L + 1) / 2 * r * each ** (2 / (L + 1))
    return best_scale(problem, simplex_etf(K).numpy(), penalty)[1]
