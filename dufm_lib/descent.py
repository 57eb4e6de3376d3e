"""Full-batch gradient descent for many runs at once: the experiment of the book.

The update is written by hand and fused (`dufm_lib._step`); blocks of runs are moved by single-threaded workers
(`dufm_lib._batch`). A run ends at the same bits whatever else is in its batch and however many cores there are. At
recorded steps every run is measured in float64, and those that have converged or diverged leave.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch

from dufm_lib import metrics, model
from dufm_lib._arguments import compute_device, dtype_of, file_path, flag, function, places, positive_int
from dufm_lib._batch import Batch, Report, workers
from dufm_lib._checkpoint import Checkpoint
from dufm_lib._settings import count, description, random_points, settings
from dufm_lib.problem import Problem
from dufm_lib.structures import rank, singular_values


@dataclass(frozen=True, repr=False)
class History:
    """What was recorded on the way, at T steps (the first is 0); NaN after a run left the batch."""

    steps: torch.Tensor  # (T,) int64
    loss: torch.Tensor  # (T, runs) float64
    gradient_norm: torch.Tensor  # (T, runs) float64
    logits: torch.Tensor  # (T, runs, K, K) float64 class means

    @cached_property
    def singular_values(self) -> torch.Tensor:
        """Of the class-mean logits, descending: (T, runs, K) float64. Computed when they are asked for."""
        present = self.logits.isfinite().flatten(-2).all(-1)
        values = torch.full(self.logits.shape[:-1], math.nan).double()
        values[present] = singular_values(self.logits[present])
        return values


@dataclass(frozen=True, repr=False)
class Runs:
    """Where descent ended, one entry a run.

    `runs[2]`, `runs[3:5]` and `runs[mask]` select runs and keep the leading axis; `runs.point(2)` is one point.
    """

    problems: tuple[Problem, ...]
    params: list[torch.Tensor]  # [H_1, W_1, ..., W_L], each (runs, ...), in the dtype of the training
    logits: torch.Tensor  # (runs, K, K) float64 class means
    loss: torch.Tensor  # (runs,) float64 objective
    gradient_norm: torch.Tensor  # (runs,) float64, over all factors together
    rank: torch.Tensor  # (runs,) int64, of the logits; -1 for a diverged run
    structure: tuple[str, ...]  # "dnc", "pairing", "polygon", "mixed", "zero"; "unconverged", "diverged"
    ended: tuple[str, ...]  # "converged", "steps" (the limit), "interrupted", "diverged"
    steps: torch.Tensor  # (runs,) int64, taken
    history: History

    @property
    def problem(self) -> Problem:
        """The problem of all runs.

        Raises:
            ValueError: they have several.
        """
        first, *others = dict.fromkeys(self.problems)
        if others:
            raise ValueError(f"the runs have {1 + len(others)} problems: select those of one, or ask for `problems`")
        return first

    def __len__(self) -> int:
        return len(self.ended)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in Counter(self.structure).most_common())
        return f"Runs({len(self)}: {counts})"

    def __getitem__(self, index: int | slice | Sequence[int] | torch.Tensor) -> Runs:
        chosen = places("index", index, len(self))
        columns = {f.name: getattr(self.history, f.name)[:, chosen] for f in fields(History)[1:]}
        return Runs(
            tuple(self.problems[run] for run in chosen),
            [tensor[chosen] for tensor in self.params],
            self.logits[chosen],
            self.loss[chosen],
            self.gradient_norm[chosen],
            self.rank[chosen],
            tuple(self.structure[run] for run in chosen),
            tuple(self.ended[run] for run in chosen),
            self.steps[chosen],
            replace(self.history, **columns),
        )

    def point(self, run: int) -> list[torch.Tensor]:
        """The parameters [H_1, W_1, ..., W_L] of one run, in float64 and without the leading axis."""
        run = positive_int("run", run, smallest=-len(self), largest=len(self) - 1)
        return [tensor[run].double() for tensor in self.params]


def train(
    problem: Problem | Sequence[Problem],
    runs: int | None = None,
    seed: int | Sequence[int] = 0,
    learning_rate: float | Sequence[float] = 0.5,
    steps: int = 20_000,
    init_scale: float | Sequence[float] = 1.0,
    dtype: torch.dtype = torch.float32,
    *,
    start: model.Parameters | None = None,
    record_every: int = 100,
    tolerance: float | Sequence[float] | None = None,
    report: Report | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    device: torch.device | str = "cpu",
) -> Runs:
    """Minimise `model.objective` by gradient descent from random points.

        theta <- theta - learning_rate * gradient(theta),  all factors at once

    Problem, seed, learning rate, initial scale and tolerance may differ from run to run: give a list (or an array or
    tensor with one axis), one entry a run.

    Args:
        problem: linear or ReLU, cross-entropy or MSE, balanced or not, equal or unequal penalties. The problems of
            a list differ in their weight decay only.
        runs: how many (default: the length of the lists; without one 1). A run ends at the same bits whatever else
            is in the batch.
        seed: integer >= 0. Run i starts at the `model.random_point` of seed `seed + i`, or `seed[i]`.
        learning_rate: > 0. Runs of the same problem, rate and tolerance are computed together, and are the faster
            the more they are. At K = 10, n = 5, L = 2, fifty runs with as many weight decays or rates take about 6
            times longer a step than fifty equal ones at d = 20, 2 to 3 times at d = 70, and no longer at d = 200
            (`benchmarks/mixed.py` measures it). Seeds and initial scales cost nothing.
        steps: the limit, >= 1.
        init_scale: entries start with standard deviation init_scale / sqrt(d).
        dtype: torch.float32 or torch.float64, of the training. Everything reported is evaluated in float64.
        start: parameters with one leading axis to start from, instead of runs, seed and init_scale.
        record_every: every so many steps the history is written and convergence looked for. A record keeps
            8 K^2 bytes a run, its logits.
        tolerance: >= 0. A run has converged, and leaves, when its gradient norm is not above this. Default: a hundredth
            of the smaller penalty, about a thousandth of the pull of the weight decay at the book's solutions. In
            float32, at Figure 1's setting, the gradient norm falls to a tenth of it. Runs linger at saddles: the
            nearest pass of 240 runs there and at its neighbours was at 1.2 times the default. So the rare run will
            be called converged at a saddle: `critical.polish` its logits, and `hessian.aligned_spectrum` tells. Without
            a penalty there is no minimum to converge to, and a run ends at the limit.
        report: called with (fraction done, text) up to 20 times a second; returning False ends the training.
        progress: show a tqdm bar.
        checkpoint: a file to keep the state of the descent in, written every 10 seconds, on interruption and at the
            end. The same call with the same file goes on from it, to the same bits as if it had never stopped; a
            descent that has ended is only read. Delete the file to start again.
        device: of the training.

    Returns:
        Runs. Ctrl-C, like a report that returns False, returns what was done, marked "interrupted".
        `structure` is what `metrics.structure_labels` says of a converged run.

    Raises:
        ValueError: a bad argument, by name; a checkpoint that is damaged or belongs to another call.

    Source: the experiment of Garrod & Keating (2025), Figure 1. They do not state their initialisation.

    >>> problem = Problem(classes=4, samples=2, depth=2, width=8, weight_decay=0.01)
    >>> train(problem, runs=3, steps=4000)
    Runs(3: 3 dnc)
    >>> train(problem, seed=[0, 0], init_scale=[1.0, 0.0], steps=4000)
    Runs(2: 1 dnc, 1 zero)
    """
    steps, record_every = positive_int("steps", steps), positive_int("record_every", record_every)
    dtype, device, progress = dtype_of("dtype", dtype), compute_device("device", device), flag("progress", progress)
    function("report", report)
    if checkpoint is not None:
        checkpoint = file_path("checkpoint", checkpoint)
    runs = count(runs, (problem, seed, learning_rate, init_scale, tolerance), start)
    each = settings(problem, learning_rate, tolerance, runs)
    if start is None:
        start = random_points(each, seed, init_scale)
    model.check_parameters(each[0].problem, start)
    params = [tensor.detach().to(device, dtype, copy=True).contiguous() for tensor in start]
    keeper = Checkpoint(checkpoint, description(each, params, steps, record_every))
    with _telling(report, progress, steps) as tell, workers(device) as crew:
        batch = Batch(each, params, crew)
        if state := keeper.load():
            batch.restore(state)
        batch.descend(steps, record_every, tell, keeper)
    return _result(batch)


@contextmanager
def _telling(report: Report | None, progress: bool, steps: int) -> Iterator[Report]:
    """One callback that serves the bar and the caller's report."""
    if not progress:
        yield report or (lambda fraction, text: None)
        return
    from tqdm.auto import tqdm

    with tqdm(total=steps, unit="step") as bar:

        def tell(fraction: float, text: str) -> bool | None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(round(fraction * steps) - bar.n)
            return report(fraction, text) if report else None

        yield tell


def _result(batch: Batch) -> Runs:
    """Ranks, names for the runs that have converged, and the history as tensors."""
    loss, gradient_norm, logits = batch.last
    finite = torch.tensor([ended != "diverged" for ended in batch.ended])
    ranks = torch.full((len(loss),), -1)
    ranks[finite] = rank(logits[finite])
    structure = ["unconverged" if fine else "diverged" for fine in finite]
    converged = torch.nonzero(finite & (gradient_norm <= batch.tolerance)).flatten()
    for run, name in zip(converged.tolist(), metrics.structure_labels(logits[converged]), strict=True):
        structure[run] = name

    steps, measurements = zip(*batch.recorded, strict=True)
    return Runs(
        tuple(setting.problem for setting in batch.settings),
        batch.params,
        logits,
        loss,
        gradient_norm,
        ranks,
        tuple(structure),
        tuple(batch.ended),
        batch.steps,
        History(torch.tensor(steps), *(torch.stack(tensors) for tensors in zip(*measurements, strict=True))),
    )
