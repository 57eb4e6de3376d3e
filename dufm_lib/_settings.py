"""What the runs of one call descend, how, and from where: arguments of one value, or of a list with one entry a run.

A list may be any sequence of Python's, or a NumPy array or tensor with one axis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

import numpy as np
import torch

from dufm_lib import model
from dufm_lib._arguments import nonnegative_float, positive_float, positive_int, room, seed_int, shown
from dufm_lib.problem import Problem


@dataclass(frozen=True)
class Setting:
    """What a run descends, and how. Runs of equal settings are computed together."""

    problem: Problem
    learning_rate: float
    tolerance: float


def _is_list(value: object) -> TypeGuard[Sequence]:
    return isinstance(value, (list, tuple, range)) or (
        isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim == 1
    )


def _each(name: str, value: object, runs: int) -> list:
    """One entry a run."""
    if not _is_list(value):
        return [value] * runs
    if len(value) != runs:
        raise ValueError(f"{name} must be one value, or a list of {runs}, one a run; got {len(value)}")
    return list(value)


def settings(
    problem: Problem | Sequence[Problem],
    learning_rate: float | Sequence[float],
    tolerance: float | Sequence[float] | None,
    runs: int,
) -> list[Setting]:
    """The setting of every run; the default tolerance is a hundredth of the smaller penalty."""
    problems = _each("problem", problem, runs)
    if not all(isinstance(each, Problem) for each in problems):
        raise ValueError(f"problem must be a Problem, or a list of them, one a run; got {shown(problem)}")
    if len({replace(each, weight_decay=0.0) for each in problems}) > 1:
        raise ValueError("the problems of one call may differ in their weight_decay only")
    rates = [positive_float("learning_rate", rate) for rate in _each("learning_rate", learning_rate, runs)]
    if tolerance is None:
        tolerances = [min(each.penalties) / 100 for each in problems]
    else:
        tolerances = [nonnegative_float("tolerance", each) for each in _each("tolerance", tolerance, runs)]
    return list(map(Setting, problems, rates, tolerances))


def count(runs: int | None, arguments: Sequence[object], start: model.Parameters | None) -> int:
    """How many runs there are: as asked for, as in `start`, or as long as the lists among the arguments."""
    lengths = [len(value) for value in arguments if _is_list(value)]
    if start is None:
        return positive_int("runs", max(lengths, default=1) if runs is None else runs)
    first = start[0] if isinstance(start, (list, tuple)) and start else None
    if not isinstance(first, torch.Tensor) or first.ndim != 3 or len(first) == 0:
        got = f"H_1 of shape {tuple(first.shape)}" if isinstance(first, torch.Tensor) else shown(start)
        raise ValueError(f"start must be tensors with one leading axis, the runs: [(runs, d, N), ...]; got {got}")
    if runs is not None and positive_int("runs", runs) != len(first):
        raise ValueError(f"runs must be left out or {len(first)}, the runs in start; got {runs}")
    return len(first)


def random_points(
    settings: Sequence[Setting], seed: int | Sequence[int], init_scale: float | Sequence[float]
) -> list[torch.Tensor]:
    """A random start for every run, with one leading axis."""
    runs = len(settings)
    room("problem, or runs,", runs * settings[0].problem.parameters)
    seeds = seed if _is_list(seed) else range(first := seed_int("seed", seed), first + runs)
    scales = _each("init_scale", init_scale, runs)
    points = [
        model.random_point(setting.problem, 1, *start)
        for setting, *start in zip(settings, _each("seed", seeds, runs), scales, strict=True)
    ]
    return [torch.cat(tensors) for tensors in zip(*points, strict=True)]


def description(
    settings: Sequence[Setting], params: model.Parameters, steps: int, record_every: int
) -> dict[str, object]:
    """What decides the result of a call, by the names of its arguments."""
    digest = hashlib.sha256()
    for tensor in params:
        digest.update(tensor.cpu().numpy().tobytes())
    return {
        "problem": [repr(setting.problem) for setting in settings],
        "learning_rate": [setting.learning_rate for setting in settings],
        "tolerance": [setting.tolerance for setting in settings],
        "steps": steps,
        "record_every": record_every,
        "dtype": str(params[0].dtype),
        "start (seed, init_scale)": digest.hexdigest(),
    }
