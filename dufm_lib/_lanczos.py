"""Both ends of the spectrum of a symmetric operator that is known only by its products, by Lanczos iteration."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

# Accuracy asked of each eigenvalue, relative to the largest in absolute value: what `Spectrum` counts as equal.
ACCURACY = 1e-9


def extremes(
    product: Callable[[np.ndarray], np.ndarray], size: int, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The `count` smallest and the `count` largest eigenvalues, by SciPy's implicitly restarted Lanczos (ARPACK).

    The smallest ones are found as the largest of `shift - operator`. There the accuracy is relative to the size of the
    operator: relative to an eigenvalue that is zero it could never be reached. The shift is twice what is needed, so
    that a multiple of the identity does not become the zero matrix, which ARPACK refuses.

    Args:
        product: operator times a vector (size,) float64.
        size: P > 2 count.
        count: how many at each end.
        seed: of the starting vectors.

    Returns:
        The smallest (count,) ascending, the largest (count,) ascending, and the largest residual |A v - theta v|: an
        eigenvalue lies within it of each value returned.

    Raises:
        RuntimeError: no convergence.

    Source: Lehoucq, Sorensen & Yang (1998), ARPACK Users' Guide.
    """
    generator = np.random.default_rng(seed)

    def largest(operator: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, float]:
        start = generator.standard_normal(size)
        if not operator(start).any():  # the zero matrix
            return np.zeros(count), 0.0
        linear = LinearOperator((size, size), matvec=lambda vector: operator(np.asarray(vector).ravel()), dtype=float)
        try:
            values, vectors = eigsh(linear, count, which="LA", tol=ACCURACY, v0=start, maxiter=100 + 10 * size)
        except ArpackNoConvergence as error:
            raise RuntimeError(f"Lanczos iteration did not converge: {error}; ask for another count") from error
        residuals = [
            np.linalg.norm(operator(vector) - value * vector) for value, vector in zip(values, vectors.T, strict=True)
        ]
        order = values.argsort()
        return values[order], max(residuals)

    top, error = largest(product)
    shift = 2 * np.abs(top).max()
    flipped, other_error = largest(lambda vector: shift * vector - product(vector))
    return (shift - flipped)[::-1], top, float(max(error, other_error))
