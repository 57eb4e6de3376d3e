"""How flat collapse and pairing are as the weight decay goes to zero: the constants of three norms of the Hessian."""

from __future__ import annotations

import math
from typing import NamedTuple

from dufm_lib.problem import Problem, suited


class Flatness(NamedTuple):
    """Limits of norm(Hessian) / (lambda alpha) at a critical point of scale alpha, as lambda -> 0."""

    spectral: float  # largest eigenvalue
    frobenius: float
    trace: float  # the trace norm: sum of the absolute eigenvalues


def _setting(problem: Problem, what: str) -> tuple[int, int, int]:
    suited(what, problem, loss="cross_entropy", activation="linear", balanced=True)
    return problem.classes, problem.class_sizes[0], problem.depth


def dnc_flatness(problem: Problem) -> Flatness:
    """The constants at the DNC point whose scale diverges, for equal penalties.

        spectral    L + 1
        Frobenius   sqrt( (K-1) ((L+1)^2 + (2(L+1)(K-2) + 4)/K^2 + (n-1)(K+2)/K) )
        trace       2 (K-1)/K (L (K-1) + Kn)

    They do not depend on the width: only the smaller eigenvalues, of order lambda, do.

    Args:
        problem: linear, balanced, cross-entropy, L >= 1; its weight decay is ignored.

    Raises:
        ValueError: the problem is imbalanced, uses MSE or ReLU.

    Source: derived in the book (chapter "Is collapse flatter?"); Garrod & Keating (2025), Theorem 6, says that the
        ratios to the constants of `pairing_flatness` exist.

    >>> problem = Problem(6, 1, 2, 9, 1e-3)
    >>> round(dnc_flatness(problem).trace / pairing_flatness(problem).trace, 6)  # 8/9
    0.888889
    """
    K, n, L = _setting(problem, "dnc_flatness")
    square = (L + 1) ** 2 + (2 * (L + 1) * (K - 2) + 4) / K**2 + (n - 1) * (K + 2) / K
    return Flatness(float(L + 1), math.sqrt((K - 1) * square), 2 * (K - 1) * (L * (K - 1) + K * n) / K)


def pairing_flatness(problem: Problem) -> Flatness:
    """The constants at the pairing point whose scale diverges, for equal penalties and even K >= 4.

        spectral    max(L + 1, 2 (K-1)/(K-2))       L + 1 for every L >= 2
        Frobenius   sqrt( K/(K-2) (K ((L+1)^2 + 2n + 2)/2 + 2) )
        trace       K (L + 1 + 2n)

    Args:
        problem: linear, balanced, cross-entropy, K >= 4 even; its weight decay is ignored.

    Raises:
        ValueError: K is odd or 2, or the problem is imbalanced, uses MSE or ReLU.

    Source: derived in the book (chapter "Is collapse flatter?").

    >>> [round(constant, 4) for constant in pairing_flatness(Problem(6, 1, 2, 9, 1e-3))]
    [3.0, 7.8422, 30.0]
    """
    K, n, L = _setting(problem, "pairing_flatness")
    if K % 2 or K < 4:
        raise ValueError(f"pairing_flatness needs a problem with an even number of classes, at least 4; got {K}")
    square = K * ((L + 1) ** 2 + 2 * n + 2) / 2 + 2
    spectral = max(L + 1.0, 2 * (K - 1) / (K - 2))
    return Flatness(spectral, math.sqrt(K / (K - 2) * square), float(K * (L + 1 + 2 * n)))
