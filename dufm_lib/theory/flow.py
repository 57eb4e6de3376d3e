"""Gradient flow without weight decay from a spectral start: the singular values of the logits obey one equation."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.integrate import solve_ivp

from dufm_lib._arguments import bounded_tensor, positive_int
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import LARGEST

DIAGONAL = 1e-9  # a matrix is diagonal if its other entries are below this: the softmax in a frame, and Q^T Q - I
SMALLEST = 1e-100  # of the numbers that the solver tells from zero: it squares them


def hadamard_frame(classes: int) -> torch.Tensor:
    """Sylvester's Hadamard matrix over sqrt(K), K a power of 2: (K, K) float64, symmetric and orthogonal.

    Its columns are the characters of the group {0, 1}^m with K = 2^m; the first is constant. Q diag(z) Q^T has entries
    f(i xor j), and so has its softmax.

    Raises:
        ValueError: K is not a power of 2.

    >>> (2 * hadamard_frame(4)).int().tolist()
    [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    if K & (K - 1):
        raise ValueError(f"classes must be a power of 2, got {K}; fourier_frame takes every number of classes")
    frame = torch.ones(1, 1, dtype=torch.float64)
    while len(frame) < K:
        frame = torch.cat([torch.cat([frame, frame], 1), torch.cat([frame, -frame], 1)])
    return frame / math.sqrt(K)


def fourier_frame(classes: int) -> torch.Tensor:
    """The real Fourier basis of the cyclic group: columns 1, then cos and sin of each frequency, (K, K) orthogonal.

    Q diag(z) Q^T is a symmetric circulant matrix when z agrees on the cosine and the sine of each frequency, and then
    so is its softmax. The columns of frequency f are 2f - 1 and 2f; for even K the last one alternates.

    >>> Q = fourier_frame(5)
    >>> torch.allclose(Q.T @ Q, torch.eye(5, dtype=torch.float64), atol=1e-15)
    True
    """
    K = positive_int("classes", classes, smallest=2, largest=LARGEST)
    place = torch.arange(K, dtype=torch.float64)
    angle = 2 * math.pi / K * torch.outer(place, torch.arange(1, (K - 1) // 2 + 1, dtype=torch.float64))
    waves = torch.stack([angle.cos(), angle.sin()], -1).flatten(1) * math.sqrt(2 / K)
    constant = torch.full((K, 1), 1 / math.sqrt(K), dtype=torch.float64)
    last = [] if K % 2 else [constant * (1 - 2 * (place % 2))[:, None]]
    return torch.cat([constant, waves, *last], 1)


def _probabilities(frame: np.ndarray, values: np.ndarray) -> np.ndarray:
    logits = (frame * values) @ frame.T
    ratios = np.exp(logits - logits.max(0))
    return ratios / ratios.sum(0)


def _jumps(frame: np.ndarray) -> np.ndarray:
    """(x_a - x_b)^2 / 2 for each column x of the frame: (K * K, K). Summed with P they give x^T (I - P) x.

    That is the gap 1 - pi, since P is symmetric with unit sums; a sum of positive terms keeps its digits when tiny.
    """
    return (np.square(frame[:, None, :] - frame[None, :, :]) / 2).reshape(-1, len(frame))


def softmax_gaps(frame: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """1 - pi_i for the eigenvalues pi_i of softmax(Q diag(z) Q^T), column by column, in the same frame Q.

    Args:
        frame: (K, K) orthogonal Q in which that softmax is diagonal, such as `hadamard_frame`.
        values: (K,) eigenvalues z.

    Returns:
        (K,) float64.

    Raises:
        ValueError: misshapen or not finite, a frame that is not orthogonal, or in which the softmax is not diagonal.

    >>> softmax_gaps(hadamard_frame(4), torch.zeros(4)).tolist()
    [0.0, 1.0, 1.0, 1.0]
    """
    frame = bounded_tensor("frame", frame, "K", "K")
    values = bounded_tensor("values", values, len(frame))
    off = float((frame.T @ frame - torch.eye(len(frame))).abs().max())
    if off > DIAGONAL:
        raise ValueError(
            f"frame must be orthogonal, but an entry of Q^T Q - I is {off:.1e}; hadamard_frame and fourier_frame are"
        )
    probabilities = _probabilities(frame.numpy(), values.numpy())
    turned = frame.numpy().T @ probabilities @ frame.numpy()
    rest = float(np.abs(turned - np.diag(np.diag(turned))).max())
    if rest > DIAGONAL:
        raise ValueError(
            f"frame must make the softmax diagonal, but an entry off the diagonal is {rest:.1e}; use hadamard_frame, "
            "or fourier_frame with equal values on the two columns of each frequency"
        )
    return torch.from_numpy(probabilities.reshape(-1) @ _jumps(frame.numpy()))


def spectral_flow(problem: Problem, frame: torch.Tensor, values: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
    """Eigenvalues of the class-mean logits along gradient flow without weight decay, from a spectral start.

        dz_i/dt = (L+1)/K n^{-1/(L+1)} z_i^{2 - 2/(L+1)} (1 - pi_i)

    The start: aligned parameters whose logits are Q diag(z) Q^T (x) 1_n^T. The factors keep their frames and stay
    aligned, because softmax(Q diag(z) Q^T) is diagonal in Q as well, with eigenvalues pi_i (`softmax_gaps`).

    Args:
        problem: linear, balanced, cross-entropy; its weight decay is not used.
        frame: (K, K) orthogonal Q.
        values: (K,) eigenvalues z_i >= 0 at time 0. A zero stays zero for L >= 2. The others are at least 1e-100.
        times: (T,) ascending, from 0 on; the last is 0 or at least 1e-100. Late times may be logarithmically spaced up
            to 1e12 and more.

    Returns:
        (T, K) float64.

    Raises:
        ValueError: a setting without this equation, a negative or too small eigenvalue, times that do not ascend from 0
            on or end too soon, a frame that does not fit, or an integration that fails.

    Source: derived in the book (chapter "What does depth prefer without weight decay?").

    >>> start = torch.tensor([0.0, 0.1, 0.1, 0.1])
    >>> path = spectral_flow(Problem(4, 1, 2, 4, 0.0), hadamard_frame(4), start, torch.tensor([0.0, 10.0]))
    >>> path[-1].round(decimals=3).tolist()
    [0.0, 3.835, 3.835, 3.835]
    """
    suited("spectral_flow", problem, loss="cross_entropy", activation="linear", balanced=True)
    n, K, L = problem.class_sizes[0], problem.classes, problem.depth
    frame, values = bounded_tensor("frame", frame, K, K), bounded_tensor("values", values, K)
    seconds = bounded_tensor("times", times, "T").numpy()
    if (values < 0).any():
        raise ValueError("values must not be negative: they are singular values too")
    if seconds[0] < 0 or (np.diff(seconds) <= 0).any():
        raise ValueError("times must ascend from 0 on")
    if ((values > 0) & (values < SMALLEST)).any():
        raise ValueError(f"values must be 0 or at least {SMALLEST:g}, got {values[values > 0].min():g}: put 0 for it")
    if 0 < seconds[-1] < SMALLEST:
        raise ValueError(f"times must end at 0, or at {SMALLEST:g} or later, got {seconds[-1]:g}: put 0 for it")
    softmax_gaps(frame, values)
    if seconds[-1] == 0:  # the start alone, which the solver does not answer
        return values[None].clone()
    Q, jumps = frame.numpy(), _jumps(frame.numpy())
    speed, power = (L + 1) / K * n ** (-1 / (L + 1)), 2 - 2 / (L + 1)

    def slope(_: float, z: np.ndarray) -> np.ndarray:
        return speed * np.maximum(z, 0) ** power * (_probabilities(Q, z).reshape(-1) @ jumps)

    smallest = float(values[values > 0].min()) if (values > 0).any() else 1.0
    tolerance = {"rtol": 1e-10, "atol": 1e-10 * smallest}
    solution = solve_ivp(slope, (0, seconds[-1]), values.numpy(), method="LSODA", t_eval=seconds, **tolerance)
    if not solution.success:
        raise ValueError(f"the integration up to time {seconds[-1]} failed: {solution.message}")
    return torch.from_numpy(solution.y.T.copy())
