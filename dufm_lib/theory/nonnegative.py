"""What ReLU solutions cost that carry non-negative features through the layers unchanged.

Such a solution has features F >= 0, which ReLU leaves alone, an orthogonal projector onto their span in every middle
layer, and readouts R_1, ..., R_m at the end, with ReLU between them:

    H_1, W_1: balanced factors of F (x) 1_n^T     W_2, ..., W_{L-m}: projectors     W_{L-m+1}, ..., W_L: R_1, ..., R_m

The logits are those of R_m s(... s(R_1 F)), times the product of the layers' scales. At given logits the penalty is
least when all L + 1 factors weigh the same; then it is (lambda (L+1)/2) C (scale^2 n)^{1/(L+1)} with the *price*

    C = (||F||_*^2 rank(F)^{L-1-m} ||R_1||_F^2 ... ||R_m||_F^2)^{1/(L+1)}

(||.||_* is the sum of the singular values). For comparison: collapse of the linear model has the price K - 1 under
cross-entropy, for logits scale * S, and K under MSE, for scale * I.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from dufm_lib._arguments import finite_tensor, positive_int, sequence
from dufm_lib.problem import MANY, Problem, suited
from dufm_lib.structures import rank, singular_values
from dufm_lib.theory.reduced import best_scale


def nonnegative_price(features: torch.Tensor, readouts: Sequence[torch.Tensor], depth: int) -> float:
    """C = (||F||_*^2 rank(F)^{L-1-m} prod_j ||R_j||_F^2)^{1/(L+1)} of features carried through ReLU layers.

    Args:
        features: F (p, K), no entry negative.
        readouts: R_1, ..., R_m with m >= 1; R_1 takes vectors of size p, each other one those of the one before.
        depth: L >= m + 1.

    Raises:
        ValueError: a negative feature, shapes that do not fit, or too many readouts for the depth.

    Source: Garrod & Keating (2025), proof of Theorem 7, for F = P + J and one readout; in this generality ours.

    >>> from dufm_lib.structures import pairing
    >>> P = pairing(10)
    >>> round(nonnegative_price(P + 1, [P / 2], depth=5), 9) == round(relu_pairing_price(10, depth=5), 9)
    True
    """
    L = positive_int("depth", depth, largest=MANY)
    readouts = sequence("readouts", readouts, "matrices")
    _readout(features, readouts)
    middle = L - 1 - len(readouts)
    if middle < 0:
        raise ValueError(f"depth must be at least {len(readouts) + 1} for {len(readouts)} readouts, got {L}")
    # in logarithms: the product itself soon leaves the range of floats
    norms = [float(singular_values(features).sum()), *(float(matrix.double().norm()) for matrix in readouts)]
    if 0 in norms:
        raise ValueError("features and readouts must not be zero")
    logs = 2 * sum(map(math.log, norms)) + middle * math.log(int(rank(features, 1e-9)))
    return math.exp(logs / (L + 1))


def nonnegative_optimum(
    problem: Problem, features: torch.Tensor, readouts: Sequence[torch.Tensor]
) -> tuple[float, float]:
    """The best scale >= 0 of the logits of a carried solution, and its objective: (scale, loss).

        g(scale Z (x) 1_n^T) + (lambda (L+1)/2) C (scale^2 n)^{1/(L+1)},   Z = R_m s(... s(R_1 F))

    Args:
        problem: ReLU, balanced, positive penalties; cross-entropy or MSE.
        features, readouts: as in `nonnegative_price`; the last readout has K rows.

    Returns:
        (scale, loss); (0.0, loss at zero) when no positive scale is better. `nonnegative.point` forms the parameters.

    Raises:
        ValueError: as `nonnegative_price`; the problem is linear or imbalanced, or has a zero penalty.

    >>> from dufm_lib.structures import incidence
    >>> T = incidence(5)
    >>> problem = Problem(10, 5, 3, 70, 2**-9, activation="relu")
    >>> round(nonnegative_optimum(problem, T, [(T - T.mean(1, keepdim=True)).T])[1], 6)
    0.138391
    """
    suited("nonnegative_optimum", problem, activation="relu", balanced=True, decaying=True)
    n = problem.class_sizes[0]
    price = nonnegative_price(features, readouts, problem.depth)
    logits = finite_tensor("logits", _readout(features, readouts), problem.classes, problem.classes)
    size = float(logits.abs().max())
    if size == 0:
        raise ValueError("readouts must not send all features to zero")
    power = 2 / (problem.depth + 1)
    penalty = problem.mean_weight_decay / power * price * (math.sqrt(n) / size) ** power
    scale, loss = best_scale(problem, (logits / size).cpu().numpy(), penalty)
    return scale / size, loss


def relu_pairing_price(classes: int, depth: int) -> float:
    """Price of the pairing solution of ReLU layers: (16 m^3 (m+1)^{L-2})^{1/(L+1)} for K = 2m, 1 more for K = 2m+1.

    For even K it is `nonnegative_price` of F = P + J with the readout P / 2. For odd K the last class has a chain of
    single units of its own, which costs what collapse pays for one more class.

    Args:
        classes: K >= 2.
        depth: L >= 2.

    Source: Garrod & Keating (2025), proof of Theorem 7 (B.9), even K. For odd K they carry the last class with the
        pairs, which costs a little more; this form is ours.
    """
    K, L = positive_int("classes", classes, smallest=2), positive_int("depth", depth, smallest=2)
    m = K // 2
    return math.exp((math.log(16 * m**3) + (L - 2) * math.log(m + 1)) / (L + 1)) + K % 2


def relu_pairing_wins(classes: int, depth: int) -> bool:
    """Whether the pairing solution of ReLU layers has a smaller price than collapse: 16 m^3 (m+1)^{L-2} < (2m-1)^{L+1}.

    Then no DNC solution of the ReLU model is a global minimum, for any weight decay and any n: at equal scale pairing
    also fits better. m = floor(K/2). It holds for K >= 14 at L = 4, K >= 10 at L = 5, K >= 8 at L = 6 and 7, K >= 6
    from L = 8 on, and never for L <= 3.

    Args:
        classes: K >= 2.
        depth: L >= 2.

    Source: Garrod & Keating (2025), Theorem 7, whose hypotheses it contains; this form, and that no assumption on the
        class means is needed, are derived in the book (chapter "Does ReLU rescue collapse?").

    >>> [L for L in range(2, 12) if relu_pairing_wins(10, L)]
    [5, 6, 7, 8, 9, 10, 11]
    """
    m = positive_int("classes", classes, smallest=2) // 2
    return relu_pairing_price(2 * m, depth) < 2 * m - 1  # even where L = 10^6 they differ by 1e-6


def _readout(features: torch.Tensor, readouts: Sequence[torch.Tensor]) -> torch.Tensor:
    """R_m s(... s(R_1 F)), with ReLU between the readouts; everything checked."""
    signal = finite_tensor("features", features, "p", "K")
    if (signal < 0).any():
        raise ValueError(f"features must not be negative, or ReLU changes them; the least entry is {signal.min():.3g}")
    if not (matrices := sequence("readouts", readouts, "matrices")):
        raise ValueError("readouts must be at least one matrix, got none")
    for number, matrix in enumerate(matrices, start=1):
        matrix = finite_tensor(f"readouts[{number - 1}]", matrix, "q", signal.shape[0])
        signal = matrix @ (signal if number == 1 else signal.relu())
    return signal
