"""The batch of descent: which runs are still in it, how they are shared among threads, what was measured of them.

A block of runs is moved by one thread that computes alone. So the runs are the parallel axis, a run's arithmetic
depends neither on its company nor on the number of cores, and no thread but those made here is set to flush denormal
numbers (with them a small, decaying start is five times slower). That setting is a thread's own, and OpenMP's
threads keep the one they were born with: changed in the caller's thread it would reach half of the work, and stay.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from dufm_lib._checkpoint import Checkpoint
from dufm_lib._measure import Measurement, Meter
from dufm_lib._settings import Setting
from dufm_lib._step import Block, make_block, multiplications

Report = Callable[[float, str], bool | None]

REPORT_EVERY = 0.05  # seconds
WORTH_A_THREAD = 1_500_000  # multiplications a step: about 50 us, what handing the interpreter around costs twice
LARGEST_BLOCK = 1 << 20  # parameters: the runs of a block come round every step, of a larger one from beyond the cache

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


Share = list[tuple[torch.Tensor, Block]]  # which runs, and what moves them


def _advance(share: Share, to: int, stop: threading.Event) -> None:
    for _, block in share:
        block.advance(to, stop)


def _measure(share: Share, meter: Meter) -> tuple[torch.Tensor, Measurement]:
    """The runs of a share, and what was measured of them."""
    parts = [meter.measure(block.problem, block.params) for _, block in share]
    return torch.cat([runs for runs, _ in share]), Measurement(*map(torch.cat, zip(*parts, strict=True)))


class Batch:
    """Runs under way. `settings` has one entry a run; the problems have equal shapes."""

    def __init__(
        self, settings: Sequence[Setting], params: list[torch.Tensor], workers: list[ThreadPoolExecutor]
    ) -> None:
        self.settings, self.params, self.workers = settings, params, workers
        runs, K = len(settings), settings[0].problem.classes
        self.tolerance = torch.tensor([setting.tolerance for setting in settings]).double()
        self.steps = torch.zeros(runs, dtype=torch.int64)
        self.ended = ["steps"] * runs
        self.last = Measurement(*(torch.full((runs, *axes), math.nan).double() for axes in ((), (), (K, K))))
        self.recorded: list[tuple[int, Measurement]] = []
        self.shares: list[Share] = []  # one a worker
        self.stop = threading.Event()
        self.told = -math.inf
        self.meters = [Meter(settings[0].problem, -(-runs // len(workers)), params[0].device) for _ in workers]
        self.split(torch.arange(runs))

    def descend(self, steps: int, record_every: int, report: Report, checkpoint: Checkpoint) -> None:
        """Move until every run has left or the limit is reached; an interruption keeps what was done."""
        try:
            for at in itertools.chain(range(0, steps, record_every), [steps]):
                if not self.shares:
                    break
                if not self.recorded or at > self.recorded[-1][0]:
                    self.advance(at, steps, report, checkpoint)
                    self.record(at)
            self.gather()
            checkpoint.save(self.state())
            report(1.0, self.text(steps))
        except KeyboardInterrupt:
            self.stop.set()
            wait([worker.submit(int) for worker in self.workers])  # until what they were given before is done
            self.gather()
            checkpoint.save(self.state())
            for run in self.judge(self.measure()):
                self.ended[run] = "interrupted"
        finally:
            self.stop.set()  # whatever was raised, the workers must not go on

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, as tensors and lists on the CPU; of blocks that stand still and are gathered."""
        steps, measurements = zip(*self.recorded, strict=True) if self.recorded else ((), ())
        return {
            "params": [tensor.cpu() for tensor in self.params],
            "steps": self.steps,
            "ended": self.ended,
            "last": list(self.last),
            "recorded_steps": list(steps),
            "recorded": [torch.stack(tensors) for tensors in zip(*measurements, strict=True)],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to where `state` was taken."""
        self.shares = []
        for tensor, kept in zip(self.params, state["params"], strict=True):
            tensor.copy_(kept)
        self.steps, self.ended, self.last = state["steps"], state["ended"], Measurement(*state["last"])
        measurements = map(Measurement._make, zip(*state["recorded"], strict=True))
        self.recorded = list(zip(state["recorded_steps"], measurements, strict=True))
        self.split(torch.tensor([run for run, ended in enumerate(self.ended) if ended == "steps"]))

    def blocks(self) -> Share:
        """Every block with its runs."""
        return [pair for share in self.shares for pair in share]

    def active(self) -> list[int]:
        """The runs still in the batch, in order."""
        return sorted(run for runs, _ in self.blocks() for run in runs.tolist())

    def gather(self) -> None:
        """Bring parameters and step counts home from the blocks."""
        for runs, block in self.blocks():
            self.steps[runs] = block.done
            for tensor, moved in zip(self.params, block.params, strict=True):
                tensor[runs] = moved

    def split(self, runs: torch.Tensor) -> None:
        """Keep the given runs: one share a worker, or fewer when they are small, in blocks of one setting each."""
        self.gather()
        together: dict[tuple[Setting, int], list[int]] = {}
        for run in runs.tolist():
            together.setdefault((self.settings[run], int(self.steps[run])), []).append(run)
        queue = [(key, run) for key, members in together.items() for run in members]
        work = len(queue) * multiplications(self.settings[0].problem)
        count = min(len(self.workers), max(1, work // WORTH_A_THREAD))
        cuts = [len(queue) * part // count for part in range(count + 1)]
        self.shares = [self.blocks_of(queue[first:last]) for first, last in itertools.pairwise(cuts) if first < last]

    def blocks_of(self, queue: list[tuple[tuple[Setting, int], int]]) -> Share:
        """One share: a block for each setting; on a CPU several, if one would not stay in the cache."""
        fitting = max(1, LARGEST_BLOCK // sum(tensor[0].numel() for tensor in self.params))
        at_once = fitting if self.params[0].device.type == "cpu" else len(queue)
        share = []
        for (setting, done), members in itertools.groupby(queue, key=lambda entry: entry[0]):
            for runs in torch.tensor([run for _, run in members]).split(at_once):
                params = [tensor[runs] for tensor in self.params]  # copies
                share.append((runs, make_block(setting.problem, params, setting.learning_rate, done)))
        return share

    def advance(self, to: int, steps: int, report: Report, checkpoint: Checkpoint) -> None:
        """Move every block to step `to`; report meanwhile, and pause to write a checkpoint that is due."""
        while any(block.done < to for _, block in self.blocks()):
            self.stop.clear()
            moving = [
                worker.submit(_advance, share, to, self.stop)
                for worker, share in zip(self.workers, self.shares, strict=False)
            ]
            waiting = True
            while waiting:
                waiting = wait(moving, timeout=REPORT_EVERY).not_done
                self.tell(steps, report)
                if checkpoint.due():
                    self.stop.set()
            for future in moving:
                future.result()  # raises here what was raised there
            if checkpoint.due():
                self.gather()
                checkpoint.save(self.state())

    def tell(self, steps: int, report: Report) -> None:
        """Report, but not too often."""
        if time.monotonic() - self.told > REPORT_EVERY:
            counts = [block.done for _, block in self.blocks()]
            done = sum(counts) // len(counts)
            if report(done / steps, self.text(done)) is False:
                raise KeyboardInterrupt
            self.told = time.monotonic()

    def measure(self) -> Measurement:
        """Measure the runs in the batch; NaN stands for the others."""
        now = Measurement(*(torch.full_like(tensor, math.nan) for tensor in self.last))
        crew = zip(self.workers, self.shares, self.meters, strict=False)
        parts = [worker.submit(_measure, share, meter) for worker, share, meter in crew]
        for part in parts:
            runs, measurement = part.result()
            for here, last, measured in zip(now, self.last, measurement, strict=True):
                here[runs] = last[runs] = measured
        return now

    def record(self, at: int) -> None:
        """Measure, keep that for the history, and let go the runs that have converged or diverged."""
        now = self.measure()
        self.recorded.append((at, now))
        staying = self.judge(now)
        if len(staying) < len(self.active()):
            self.split(torch.tensor(staying))

    def judge(self, now: Measurement) -> list[int]:
        """Note which runs in the batch have converged or diverged; the others are returned."""
        active = torch.tensor(self.active(), dtype=torch.int64)
        norm = now.gradient_norm[active]
        diverged = ~(norm.isfinite() & now.loss[active].isfinite())
        leaving = diverged | (norm <= self.tolerance[active])
        for run, bad in zip(active[leaving].tolist(), diverged[leaving].tolist(), strict=True):
            self.ended[run] = "diverged" if bad else "converged"
        return active[~leaving].tolist()

    def text(self, step: int) -> str:
        """One line for a progress display."""
        loss = self.last.loss.nan_to_num(math.inf).min()
        return f"step {step}: {len(self.active())} of {len(self.ended)} runs moving, lowest loss {loss:.6f}"
