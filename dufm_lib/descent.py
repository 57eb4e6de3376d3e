"""Full-batch gradient descent for many runs at once: the experiment of the book.

The update is written by hand and fused (`dufm_lib._step`); blocks of runs are moved by single-threaded workers
(`dufm_lib._batch`). A run ends at the same bits whatever else is in its batch and however many cores there are. At
recorded steps every run is measured in float64, and those that have converged or diverged leave.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import torch

from dufm_lib import metrics, model
from dufm_lib._batch import Batch, Report, workers
from dufm_lib._step import Measurement
from dufm_lib.problem import Problem, nonnegative_float, positive_int
from dufm_lib.structures import rank, singular_values


@dataclass(frozen=True, repr=False)
class History:
    """What was recorded on the way, at T steps (the first is 0); NaN after a run left the batch."""

    steps: torch.Tensor  # (T,) int64
    loss: torch.Tensor  # (T, runs) float64
    gradient_norm: torch.Tensor  # (T, runs) float64
    logits: torch.Tensor  # (T, runs, K, K) float64 class means
    singular_values: torch.Tensor  # (T, runs, K) float64, of the class-mean logits, descending


@dataclass(frozen=True, repr=False)
class Runs:
    """Where descent ended, one entry a run.

    `runs[2]`, `runs[3:5]` and `runs[mask]` select runs and keep the leading axis; `runs.point(2)` is one point.
    """

    problem: Problem
    params: list[torch.Tensor]  # [H_1, W_1, ..., W_L], each (runs, ...), in the dtype of the training
    logits: torch.Tensor  # (runs, K, K) float64 class means
    loss: torch.Tensor  # (runs,) float64 objective
    gradient_norm: torch.Tensor  # (runs,) float64, over all factors together
    rank: torch.Tensor  # (runs,) int64, of the logits; -1 for a diverged run
    structure: tuple[str, ...]  # "dnc", "pairing", "polygon", "mixed", "zero"; "unconverged", "diverged"
    ended: tuple[str, ...]  # "converged", "steps" (the limit), "interrupted", "diverged"
    steps: torch.Tensor  # (runs,) int64, taken
    history: History

    def __len__(self) -> int:
        return len(self.ended)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in Counter(self.structure).most_common())
        return f"Runs({len(self)}: {counts})"

    def __getitem__(self, index: int | slice | Sequence[int] | torch.Tensor) -> Runs:
        chosen = torch.arange(len(self))[index].reshape(-1)
        columns = {f.name: getattr(self.history, f.name)[:, chosen] for f in fields(History)[1:]}
        return Runs(
            self.problem,
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
        return [tensor[run].double() for tensor in self.params]


def train(
    problem: Problem,
    runs: int | None = None,
    seed: int = 0,
    learning_rate: float = 0.5,
    steps: int = 20_000,
    init_scale: float = 1.0,
    dtype: torch.dtype = torch.float32,
    *,
    start: model.Parameters | None = None,
    record_every: int = 100,
    tolerance: float | None = None,
    report: Report | None = None,
    progress: bool = False,
    device: torch.device | str = "cpu",
) -> Runs:
    """Minimise `model.objective` by gradient descent from random points.

        theta <- theta - learning_rate * gradient(theta),  all factors at once

    Args:
        problem: linear or ReLU, cross-entropy or MSE, balanced or not, equal or unequal penalties.
        runs: how many (default 1). Run i starts at the `model.random_point` of seed `seed + i`, and ends at the
            same bits whatever else is in the batch.
        seed: integer >= 0.
        learning_rate: > 0.
        steps: the limit, >= 1.
        init_scale: entries start with standard deviation init_scale / sqrt(d).
        dtype: torch.float32 or torch.float64, of the training. Everything reported is evaluated in float64.
        start: parameters with one leading axis to start from, instead of runs, seed and init_scale.
        record_every: every so many steps the history is written and convergence looked for.
        tolerance: a run has converged, and leaves, when its gradient norm is not above this. Default: a hundredth
            of the smaller penalty, about a thousandth of the pull of the weight decay at the book's solutions. In
            float32, at Figure 1's setting, the gradient norm falls to a tenth of it. Runs linger at saddles: the
            nearest pass of 240 runs there and at its neighbours was at 1.2 times the default. So the rare run will
            be called converged at a saddle, and the eigenvalues (`hessian.spectrum`) tell. Without a penalty there
            is no minimum to converge to, and a run ends at the limit.
        report: called with (fraction done, text) up to 20 times a second; returning False ends the training.
        progress: show a tqdm bar.
        device: of the training.

    Returns:
        Runs. Ctrl-C, like a report that returns False, returns what was done, marked "interrupted".
        `structure` is what `metrics.structure_labels` says of a converged run.

    Raises:
        ValueError: a bad argument, by name.

    Source: the experiment of Garrod & Keating (2025), Figure 1. They do not state their initialisation.

    >>> problem = Problem(classes=4, samples=2, depth=2, width=8, weight_decay=0.01)
    >>> train(problem, runs=3, steps=4000)
    Runs(3: 3 dnc)
    """
    positive_int("steps", steps)
    positive_int("record_every", record_every)
    if nonnegative_float("learning_rate", learning_rate) == 0:
        raise ValueError("learning_rate must be positive, got 0")
    tolerance = min(problem.penalties) / 100 if tolerance is None else nonnegative_float("tolerance", tolerance)
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32 or torch.float64, got {dtype}")
    device = torch.device(device)
    params = _start(problem, runs, seed, init_scale, start)
    params = [tensor.detach().to(device, dtype, copy=True).contiguous() for tensor in params]
    with _telling(report, progress, steps) as tell, workers(device) as crew:
        batch = Batch(problem, params, float(learning_rate), tolerance, crew)
        batch.descend(steps, record_every, tell)
    return _result(batch)


def _start(
    problem: Problem, runs: int | None, seed: int, init_scale: float, start: model.Parameters | None
) -> list[torch.Tensor]:
    if start is None:
        return model.random_point(problem, 1 if runs is None else runs, seed, init_scale)
    start = list(start)
    model.check_parameters(problem, start)
    if start[0].ndim != 3 or len(start[0]) == 0:
        d, N = problem.shapes[0]
        raise ValueError(
            f"start must have one leading axis, the runs: H_1 of shape (runs, {d}, {N}), got {tuple(start[0].shape)}"
        )
    if runs is not None and runs != len(start[0]):
        raise ValueError(f"runs must be left out or {len(start[0])}, the runs in start; got {runs}")
    return start


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
    """Ranks and names for what was last measured of every run, and the history as tensors."""
    loss, gradient_norm, logits = batch.last
    finite = [run for run, ended in enumerate(batch.ended) if ended != "diverged"]
    ranks = torch.full((len(loss),), -1)
    ranks[finite] = rank(logits[finite])
    structure = ["diverged"] * len(loss)
    for run, name in zip(finite, metrics.structure_labels(logits[finite]), strict=True):
        structure[run] = name if gradient_norm[run] <= batch.tolerance else "unconverged"

    steps, measurements = zip(*batch.recorded, strict=True)
    history = Measurement(*(torch.stack(tensors) for tensors in zip(*measurements, strict=True)))
    present = history.logits.isfinite().flatten(-2).all(-1)
    values = torch.full(history.logits.shape[:-1], math.nan).double()
    values[present] = singular_values(history.logits[present])
    return Runs(
        batch.problem,
        batch.params,
        logits,
        loss,
        gradient_norm,
        ranks,
        tuple(structure),
        tuple(batch.ended),
        batch.steps,
        History(torch.tensor(steps), history.loss, history.gradient_norm, history.logits, values),
    )
