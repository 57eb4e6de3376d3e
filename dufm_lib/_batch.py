"""The batch of descent: which runs are still in it, how they are shared among threads, what was measured of them.

A block of runs is moved by one thread that computes alone. So the runs are the parallel axis, a run's arithmetic
depends neither on its company nor on the number of cores, and no thread but those made here is set to flush denormal
numbers (with them a small, decaying start is five times slower). That setting is a thread's own, and OpenMP's
threads keep the one they were born with: changed in the caller's thread it would reach half of the work, and stay.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager

import torch

from dufm_lib._step import Block, Measurement
from dufm_lib.problem import Problem

Report = Callable[[float, str], bool | None]

REPORT_EVERY = 0.05  # seconds
WORTH_A_THREAD = 1_000_000  # multiplications a step: about 30 us, what handing the interpreter around costs

_SETTING_THREADS = threading.Lock()


def _prepare() -> None:
    torch.set_flush_denormal(True)
    torch.get_num_threads()  # a new thread takes over torch's default at its first question: let that be now
    torch.set_num_threads(1)


@contextmanager
def workers(device: torch.device) -> Iterator[list[ThreadPoolExecutor]]:
    """As many workers as torch may use threads (one to feed a GPU), each a thread that is gone afterwards."""
    with ExitStack() as stack:
        with _SETTING_THREADS:
            threads = torch.get_num_threads()
            count = threads if device.type == "cpu" else 1
            try:
                crew = [
                    stack.enter_context(ThreadPoolExecutor(1, "descent", initializer=_prepare)) for _ in range(count)
                ]
                wait([worker.submit(int) for worker in crew])  # until every thread is born and prepared
            finally:
                torch.set_num_threads(threads)  # their 1 is also torch's default for threads to come
        yield crew


class Batch:
    """Runs under way."""

    def __init__(
        self,
        problem: Problem,
        params: list[torch.Tensor],
        learning_rate: float,
        tolerance: float,
        workers: list[ThreadPoolExecutor],
    ) -> None:
        self.problem, self.params, self.workers = problem, params, workers
        self.learning_rate, self.tolerance = learning_rate, tolerance
        runs, K = len(params[0]), problem.classes
        self.steps = torch.zeros(runs, dtype=torch.int64)
        self.ended = ["steps"] * runs
        self.last = Measurement(*(torch.full((runs, *axes), math.nan).double() for axes in ((), (), (K, K))))
        self.recorded: list[tuple[int, Measurement]] = []
        self.blocks: list[tuple[torch.Tensor, Block]] = []  # which runs, and what moves them
        self.moving: list[Future[None]] = []
        self.stop = threading.Event()
        self.told = -math.inf
        self.split(torch.arange(runs))

    def descend(self, steps: int, record_every: int, report: Report) -> None:
        """Move until every run has left or the limit is reached; an interruption keeps what was done."""
        self.record(0)
        try:
            for at in (*range(record_every, steps, record_every), steps):
                if not self.blocks:
                    break
                self.advance(at, steps, report)
                self.record(at)
            report(1.0, self.text(steps))
        except KeyboardInterrupt:
            self.stop.set()
            wait(self.moving)
            self.measure()
            for run in self.active():
                self.ended[run] = "interrupted"
        finally:
            self.stop.set()  # whatever was raised, the workers must not go on
        self.gather()

    def active(self) -> list[int]:
        """The runs still in the batch."""
        return [run for runs, _ in self.blocks for run in runs.tolist()]

    def gather(self) -> None:
        """Bring parameters and step counts home from the blocks."""
        for runs, block in self.blocks:
            self.steps[runs] = block.done
            for tensor, moved in zip(self.params, block.params, strict=True):
                tensor[runs] = moved

    def split(self, runs: torch.Tensor) -> None:
        """Keep the given runs, in one block a thread, but in fewer blocks when they are small."""
        self.gather()
        per_run = 3 * self.problem.total_samples * sum(weight[0].numel() for weight in self.params[1:])
        count = min(len(self.workers), max(1, len(runs) * per_run // WORTH_A_THREAD))
        blocks = []
        for part in runs.tensor_split(count):
            if len(part):
                params = [tensor[part] for tensor in self.params]  # copies
                blocks.append((part, Block(self.problem, params, self.learning_rate, int(self.steps[part[0]]))))
        self.blocks = blocks

    def advance(self, to: int, steps: int, report: Report) -> None:
        """Move every block to step `to`, and report meanwhile."""
        self.moving = [
            worker.submit(block.advance, to, self.stop)
            for worker, (_, block) in zip(self.workers, self.blocks, strict=False)
        ]
        waiting = True
        while waiting:
            waiting = wait(self.moving, timeout=REPORT_EVERY).not_done
            if time.monotonic() - self.told > REPORT_EVERY:
                done = min(block.done for _, block in self.blocks)
                if report(done / steps, self.text(done)) is False:
                    raise KeyboardInterrupt
                self.told = time.monotonic()
        for future in self.moving:
            future.result()  # raises here what was raised there

    def measure(self) -> Measurement:
        """Measure the runs in the batch; NaN stands for the others."""
        now = Measurement(*(torch.full_like(tensor, math.nan) for tensor in self.last))
        parts = [
            (runs, worker.submit(block.measure))
            for worker, (runs, block) in zip(self.workers, self.blocks, strict=False)
        ]
        for runs, part in parts:
            for here, last, measured in zip(now, self.last, part.result(), strict=True):
                here[runs] = last[runs] = measured
        return now

    def record(self, at: int) -> None:
        """Measure, keep that for the history, and let go the runs that have converged or diverged."""
        now = self.measure()
        self.recorded.append((at, now))
        active = torch.tensor(self.active())
        norm = now.gradient_norm[active]
        diverged = ~(norm.isfinite() & now.loss[active].isfinite())
        leaving = diverged | (norm <= self.tolerance)
        for run, bad in zip(active[leaving].tolist(), diverged[leaving].tolist(), strict=True):
            self.ended[run] = "diverged" if bad else "converged"
        if leaving.any():
            self.split(active[~leaving])

    def text(self, step: int) -> str:
        """One line for a progress display."""
        loss = self.last.loss.nan_to_num(math.inf).min()
        return f"step {step}: {len(self.active())} of {len(self.ended)} runs moving, lowest loss {loss:.6f}"
