"""Answers to the exercises on gradient flow without weight decay."""

from __future__ import annotations

import math

import torch

from dufm_lib import theory
from dufm_lib.checks.judges import Judge, Number, Whole
from dufm_lib.problem import Problem


def _slowdown() -> float:
    """Speed of the flow with one sample per class over that with eight, at depth 2."""
    start = torch.tensor([0.0] + [0.2] * 7, dtype=torch.float64)
    times = torch.tensor([0.0, 1e-3], dtype=torch.float64)
    frame = theory.hadamard_frame(8)
    one, eight = (theory.spectral_flow(Problem(8, n, 2, 8, 0.0), frame, start, times)[-1] - start for n in (1, 8))
    return float(one[1] / eight[1])


def _survivors() -> int:
    """Modes above 0.3 of the largest, long after a start at frequencies 1 and 3 with a trace of 2."""
    start = torch.tensor([0, 1, 1, 0.01, 0.01, 1], dtype=torch.float64)
    times = torch.tensor([0.0, 1e20], dtype=torch.float64)
    end = theory.spectral_flow(Problem(6, 1, 2, 6, 0.0), theory.fourier_frame(6), start, times)[-1]
    return int((end > 0.3 * end.max()).sum())


def _escape() -> float:
    """Time at which equal modes that start at 1e-4 pass 0.1, at depth 6."""
    start = torch.tensor([0.0] + [1e-4] * 7, dtype=torch.float64)
    times = torch.linspace(0, 2000, 2001, dtype=torch.float64)
    path = theory.spectral_flow(Problem(8, 1, 6, 8, 0.0), theory.hadamard_frame(8), start, times)[:, 1]
    return float(times[path > 0.1][0])


def _fastest() -> int:
    """Of the modes that the cube leaves out, the one with the largest force."""
    cube = torch.zeros(8, dtype=torch.float64)
    cube[[1, 2, 4]] = 60.0
    gaps = theory.softmax_gaps(theory.hadamard_frame(8), cube)
    return max((3, 5, 6, 7), key=lambda mode: float(gaps[mode]))


ANSWERS: dict[str, Judge] = {
    "ex-dynamics-samples": Number(
        _slowdown,
        mistakes={
            "that is what becomes of the speed; the time is asked for": lambda: 1 / _slowdown(),
            "n enters with the exponent 1/(L+1)": lambda: 8,
        },
    ),
    "ex-dynamics-circulant": Whole(
        _survivors,
        mistakes={
            "watch the two modes of frequency 2: do they catch up?": lambda: 5,
            "a frequency has a cosine and a sine, each a mode of its own": lambda: 2,
        },
    ),
    "ex-dynamics-time": Number(
        _escape,
        rtol=0.02,  # the early formula ends where the softmax begins to push back
        mistakes={
            "that is exponential growth, as at depth 1": lambda: math.log(1e4) / (2 / 8),
            "the speed C is missing": lambda: 1e4 ** (5 / 7) / (5 / 7),
        },
    ),
    "ex-dynamics-cube": Whole(
        _fastest,
        mistakes={"that mode is one of the cube's own": lambda: 4},
    ),
}
