"""A pool of processes for a sweep, none of which outlives the process that asked for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait

import torch


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """A process a core, `count` at most. They end, whatever they are at, when this one hangs up or is gone."""
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in mid-air
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(os.cpu_count() or 1, count), context, _start, (theirs,))
    try:
        yield pool
    finally:
        ours.close()
        pool.shutdown(cancel_futures=True)


def _start(line: Connection) -> None:
    """One thread a process; Ctrl-C, which a terminal sends to all, is for the driver; who loses the driver ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)

    def end_with_driver() -> None:
        wait([line])  # nothing is ever sent
        os._exit(1)

    threading.Thread(target=end_with_driver, daemon=True).start()
