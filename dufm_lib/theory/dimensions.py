"""Dimensions of the sets of aligned parameters with given logits."""

from __future__ import annotations

from dufm_lib._arguments import flag, positive_int


def _check_frames(rank: int, width: int, depth: int) -> tuple[int, int, int]:
    r, d, L = (
        positive_int("rank", rank, smallest=0),
        positive_int("width", width),
        positive_int("depth", depth),
    )
    if r > d:
        raise ValueError(f"rank must be at most width = {d}, got {r}")
    return r, d, L


def solution_dimension(rank: int, width: int, depth: int) -> int:
    """Dimension of the set of aligned parameters with given logits of rank r: L (r d - r (r + 1)/2).

    For fixed logits the outer frames U_L and V_0 can be held, and the L inner frames run over the Stiefel manifold of
    r orthonormal vectors in R^d, one to one, whether or not singular values coincide. It is the number of zero
    eigenvalues of the Hessian at the DNC and pairing points.

    Args:
        rank: r of the logits, 0 <= r <= width.
        width: d.
        depth: L.

    Raises:
        ValueError: an argument is no such integer.

    Source: derived in the book (chapter "Why the landscape prefers collapse"); compare `solution_dimension_paper`.

    >>> solution_dimension(rank=3, width=5, depth=2)
    18
    """
    r, d, L = _check_frames(rank, width, depth)
    return L * (r * d - r * (r + 1) // 2)


def solution_dimension_paper(rank: int, width: int, depth: int, distinct: bool = False) -> int:
    """The count of Theorem 5: L (r d - r^2) if all singular values are equal, L (r d - r (r + 1)/2) if all differ.

    Args:
        rank, width, depth: as in `solution_dimension`.
        distinct: whether the nonzero singular values are pairwise different. DNC and pairing: all equal.

    Source: Garrod & Keating (2025), Theorem 5 and its proof.

    >>> solution_dimension_paper(rank=3, width=5, depth=2)
    12
    """
    r, d, L = _check_frames(rank, width, depth)
    return L * (r * d - (r * (r + 1) // 2 if flag("distinct", distinct) else r * r))
