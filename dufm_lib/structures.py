"""Class-mean logit geometries, and what can be said of a matrix alone.

Each constructor takes the number of classes K >= 2 (or what says it), raises a ValueError for anything else, and
returns the (K, K) matrix whose column k is the logit vector shared by the samples of class k, in float64 and at
unit scale: the scale is what `dufm_lib.theory` optimises. (`simplex_vertices` returns points instead: the corners.)
"""

from __future__ import annotations

import math

import torch

from dufm_lib._arguments import finite_tensor, fraction, nonnegative_float, positive_int

# A singular value below this times the largest is a zero with rounding, wherever logits are given in float64.
ROUNDING = 1e-13
LARGEST = 20_000  # classes: a matrix of 3 GB
LARGEST_ORDER = 200  # of a complete graph, with 19 900 edges


def simplex_etf(classes: int) -> torch.Tensor:
    """The simplex equiangular tight frame S = I - 11^T / K, of rank K - 1: deep neural collapse (DNC).

    Source: Papyan, Han & Donoho (2020); Garrod & Keating (2025), Definition 2.

    >>> simplex_etf(3)[0].tolist()
    [0.6666666666666667, -0.3333333333333333, -0.3333333333333333]
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    return torch.eye(K, dtype=torch.float64) - 1 / K


def simplex_vertices(classes: int) -> torch.Tensor:
    """Corners v_1, ..., v_K of the regular simplex in K - 1 dimensions, as columns: V^T V = S = `simplex_etf`(K).

    The last axis points at the last corner; in it the others lie at one height. Returns (K - 1, K) float64, columns
    of length sqrt((K - 1) / K).

    Source: the rows are the Helmert basis of the vectors that sum to zero.

    >>> V = simplex_vertices(4)
    >>> torch.allclose(V.T @ V, simplex_etf(4), atol=1e-15)
    True
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    before = torch.arange(1, K, dtype=torch.float64)  # row i: i entries -1, then i, then zeros
    rows = torch.diag(before, diagonal=1)[: K - 1] - torch.ones(K - 1, K, dtype=torch.float64).tril()
    return rows / (before * (before + 1)).sqrt()[:, None]


def pairing(classes: int) -> torch.Tensor:
    """The pairing structure: blocks [[1, -1], [-1, 1]] on the diagonal, of rank ceil(K / 2).

    For even K it is the Gram matrix of the orthoplex (cross-polytope) with vertices +-e_1, ..., +-e_{K/2}. For
    odd K the last class stands alone with a single diagonal entry 1; that variant is a comparison point, not a
    critical one.

    Source: Garrod & Keating (2025), proof of Theorem 1.

    >>> pairing(4).int().tolist()
    [[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1]]
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    blocks = torch.block_diag(*[torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=torch.float64)] * (K // 2))
    return blocks if K % 2 == 0 else torch.block_diag(blocks, torch.ones(1, 1, dtype=torch.float64))


def polygon(classes: int) -> torch.Tensor:
    """Classes at K equally spaced angles: cos(2 pi (i - j) / K), of rank 2 (rank 1 for K = 2).

    It is diagonally superior for every K, and for K >= 3 no matrix of lower rank is. For K = 2 it is 2 S, for K = 3
    it is 3/2 S with S the simplex ETF, for K = 4 the pairing structure in another order of the classes.

    Source: Garrod & Keating (2025), section 3.2, where such a matrix bounds q_K, the least rank with which every
    class can win.

    >>> polygon(4).round().int().tolist()
    [[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1]]
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    angles = torch.arange(K, dtype=torch.float64) * (2 * math.pi / K)
    return torch.cos(angles[:, None] - angles[None, :])


def incidence(order: int) -> torch.Tensor:
    """Which vertices each edge of the complete graph joins: the code of K = order (order - 1) / 2 classes by two ones.

    Args:
        order: r >= 3, the number of vertices.

    Returns:
        (r, K) float64 of zeros and ones, two ones a column; of rank r.

    Source: the features of the low-rank ReLU solution of Sukenik, Lampert & Mondelli (2024), as we reconstruct it.

    >>> incidence(3).int().tolist()
    [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
    """
    r = positive_int("order", order, smallest=3, largest=LARGEST_ORDER)
    ends = torch.triu_indices(r, r, offset=1)
    code = torch.zeros(r, ends.shape[1], dtype=torch.float64)
    return code.scatter_(0, ends, 1.0)


def strongly_regular(order: int) -> torch.Tensor:
    """T^T T - 11^T for the `incidence` matrix T of the complete graph on `order` vertices; K = order (order - 1) / 2.

    Classes are the edges of the complete graph: entry 1 on the diagonal, 0 for edges that meet, -1 for disjoint
    ones. Its ReLU is the identity. Its rank is `order`, but 3 for order 4, where it is pairing(6) in another order
    of the classes.

    Args:
        order: r >= 3, the number of vertices.

    Source: the pre-activation of the low-rank ReLU solution of Sukenik, Lampert & Mondelli (2024), as we
    reconstruct it.

    >>> strongly_regular(5).shape, int(rank(strongly_regular(5))), int(rank(strongly_regular(4)))
    (torch.Size([10, 10]), 5, 3)
    """
    ends = incidence(order)
    return ends.T @ ends - 1


def singular_values(matrix: torch.Tensor) -> torch.Tensor:
    """Singular values in descending order: (..., m, n) -> (..., min(m, n)) float64.

    Raises:
        ValueError: `matrix` is not a finite real tensor with at least two axes, or it is empty.

    >>> singular_values(pairing(4)).round(decimals=6).tolist()
    [2.0, 2.0, 0.0, 0.0]
    """
    return torch.linalg.svdvals(finite_tensor("matrix", matrix, "...", "m", "n"))


def rank(matrix: torch.Tensor, rtol: float = 1e-3) -> torch.Tensor:
    """Number of singular values above `rtol` times the largest; the zero matrix has rank 0.

    Args:
        matrix: (..., m, n).
        rtol: relative tolerance, in [0, 1). The default separates the structures of trained float32 models: their
            surviving singular values are within a factor of ten of each other and the dying ones keep shrinking.

    Returns:
        (...) int64.

    Raises:
        ValueError: as `singular_values`, or `rtol` is not in [0, 1).

    >>> rank(torch.stack([simplex_etf(6), pairing(6), polygon(6)])).tolist()
    [5, 3, 2]
    """
    rtol, values = fraction("rtol", rtol), singular_values(matrix)
    return (values > rtol * values[..., :1]).sum(-1)


def spectrum(matrix: torch.Tensor, rtol: float = 1e-6) -> list[tuple[float, int]]:
    """Distinct singular values with multiplicities, descending: [(sigma, multiplicity), ...].

    Args:
        matrix: (m, n).
        rtol: neighbours closer than `rtol` times the largest value count as equal, and their mean is returned.

    Raises:
        ValueError: `matrix` is not one finite real matrix, or `rtol` is not a number >= 0.

    >>> [(round(value, 6), count) for value, count in spectrum(simplex_etf(5))]
    [(1.0, 4), (0.0, 1)]
    """
    values = torch.linalg.svdvals(finite_tensor("matrix", matrix, "m", "n"))
    closest = nonnegative_float("rtol", rtol) * float(values[0])
    groups: list[list[float]] = []
    for value in values.tolist():
        if groups and groups[-1][-1] - value <= closest:
            groups[-1].append(value)
        else:
            groups.append([value])
    return [(math.fsum(group) / len(group), len(group)) for group in groups]


def is_diagonally_superior(logits: torch.Tensor) -> torch.Tensor | bool:
    """Whether in every column the entry of its own class is strictly the largest.

    Args:
        logits: (..., K, K) class-mean logits.

    Returns:
        bool for one matrix, a (...) bool tensor for a batch.

    Raises:
        ValueError: `logits` is not a finite (..., K, K) tensor.

    Source: Garrod & Keating (2025), Definition 3.

    >>> is_diagonally_superior(polygon(7)), is_diagonally_superior(-simplex_etf(3))
    (True, False)
    """
    logits = finite_tensor("logits", logits, "...", "K", "K")
    own = logits.diagonal(dim1=-2, dim2=-1)
    others = logits.masked_fill(torch.eye(logits.shape[-1], dtype=torch.bool, device=logits.device), -math.inf)
    superior = (own > others.amax(-2)).all(-1)
    return bool(superior) if superior.ndim == 0 else superior
