"""Grids of descents: one tidy table, over any executor, resumed from its store after any interruption.

A sweep is cut into tasks of at most `batch` runs, each with seeds of its own. Tasks are independent, so any
`concurrent.futures.Executor` runs them; a finished task is one Parquet file in the store (`dufm_lib._store`).
"""

from __future__ import annotations

import itertools
import json
import math
import os
import shlex
import sys
import warnings
from collections.abc import Iterable
from concurrent.futures import Executor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import PurePath

import pandas as pd
import torch
from tqdm.auto import tqdm

from dufm_lib import descent
from dufm_lib._arguments import (
    flag,
    folder_path,
    nonnegative_float,
    positive_float,
    positive_int,
    seed_int,
    sequence,
    shown,
)
from dufm_lib._processes import processes
from dufm_lib._store import Store
from dufm_lib.problem import Problem

# as in descent.train
OPTIONS = {"learning_rate": 0.5, "steps": 20_000, "init_scale": 1.0, "tolerance": None, "record_every": 100}
CHECKS = {"learning_rate": positive_float, "steps": positive_int, "init_scale": nonnegative_float}
CHECKS |= {"tolerance": lambda name, value: None if value is None else nonnegative_float(name, value)}
CHECKS |= {"record_every": positive_int}
DTYPE = torch.float32
MOST = 100_000  # tasks
SETTING = [
    "classes",
    "samples",
    "depth",
    "width",
    "lambda_features",
    "lambda_weights",
    "fit",
    "activation",
    *OPTIONS,
    "dtype",
]


@dataclass(frozen=True)
class Task:
    """Some runs of one problem with one set of options: what a worker does at a time."""

    problem: Problem
    options: tuple[tuple[str, float | None], ...]
    seed: int  # of the first run
    runs: int

    def setting(self) -> dict[str, object]:
        """The columns that say what was asked for. `samples` is text, as there may be one number or one a class."""
        problem = self.problem
        features, weights = problem.penalties
        return {
            "classes": problem.classes,
            "samples": str(problem.samples),
            "depth": problem.depth,
            "width": problem.width,
            "lambda_features": features,
            "lambda_weights": weights,
            "fit": problem.loss,
            "activation": problem.activation,
            **dict(self.options),
            "dtype": str(DTYPE).removeprefix("torch."),
        }

    def key(self) -> str:
        """Everything that decides the result, as text: what the store finds it by."""
        return json.dumps([self.setting(), self.seed, self.runs, version("dufm_lib")], sort_keys=True)


def tasks(problems: Iterable[Problem], runs: int, seed: int = 0, batch: int = 50, **options: object) -> list[Task]:
    """Cut a grid into tasks: every problem crossed with every listed value of every option.

    Args:
        problems: the settings; a single `Problem` will do.
        runs: how many seeds at each point of the grid, `seed`, `seed + 1`, ...
        seed: of the first run of every point.
        batch: the most runs in a task.
        options: `learning_rate`, `steps`, `init_scale`, `tolerance`, `record_every` of `descent.train`; one value or
            a list of them. A `tolerance` of None is the default there, a hundredth of the smaller penalty.

    Raises:
        ValueError: a bad argument, by name.

    >>> grid = [Problem(4, 1, 2, width, 1e-3) for width in (4, 8)]
    >>> [task.runs for task in tasks(grid, runs=70, init_scale=[0.5, 1.0])]
    [50, 20, 50, 20, 50, 20, 50, 20]
    """
    problems = [problems] if isinstance(problems, Problem) else sequence("problems", problems, "Problems")
    if not problems or not all(isinstance(problem, Problem) for problem in problems):
        raise ValueError(f"problems must be a Problem or a list of them, at least one; got {shown(problems)}")
    runs, seed, batch = positive_int("runs", runs), seed_int("seed", seed), positive_int("batch", batch)
    seed_int("seed + runs", seed + runs)
    if unknown := set(options) - set(OPTIONS):
        raise ValueError(f"unknown option {', '.join(sorted(unknown))}; a sweep varies {', '.join(OPTIONS)}")
    axes = {
        name: [CHECKS[name](name, value) for value in _listed(options.get(name, default))]
        for name, default in OPTIONS.items()
    }
    count = len(problems) * math.prod(map(len, axes.values())) * -(-runs // batch)
    if not 0 < count <= MOST:
        raise ValueError(f"runs, batch, problems and options must make 1 to {MOST} tasks, got {count}")
    return [
        Task(problem, tuple(zip(axes, values, strict=True)), seed + first, min(batch, runs - first))
        for problem in problems
        for values in itertools.product(*axes.values())
        for first in range(0, runs, batch)
    ]


def _listed(value: object) -> list:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def perform(task: Task) -> pd.DataFrame:
    """Descend the runs of one task: one row a run, with its setting, its outcome and the versions behind it.

    Raises:
        ValueError: no task.
        RuntimeError: the descent was interrupted, so it has no outcome.
    """
    if not isinstance(task, Task):
        raise ValueError(f"task must be one of those that sweep.tasks makes, got {shown(task)}")
    result = descent.train(task.problem, task.runs, task.seed, dtype=DTYPE, **dict(task.options))
    if "interrupted" in result.ended:
        raise RuntimeError("a task of the sweep was interrupted where it ran, and is not kept: call again to do it")
    outcome = {
        "seed": range(task.seed, task.seed + task.runs),
        "loss": result.loss.tolist(),
        "rank": result.rank.tolist(),
        "structure": result.structure,
        "gradient_norm": result.gradient_norm.tolist(),
        "ended": result.ended,
        "steps_taken": result.steps.tolist(),
    }
    return pd.DataFrame({**task.setting(), **outcome, **_versions()})


def _versions() -> dict[str, str]:
    return {
        "dufm_lib": version("dufm_lib"),
        "torch": torch.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _command() -> str:
    """The command line of this process, with each file that has an absolute path under its name alone."""

    def bare(word: str) -> str:
        option, equals, value = word.rpartition("=")
        path = PurePath(value)
        return option + equals + (path.name if path.is_absolute() else value)

    program, *words = sys.orig_argv
    return shlex.join([PurePath(program).name, *map(bare, words)])


def run(
    problems: Iterable[Problem],
    runs: int,
    seed: int = 0,
    *,
    batch: int = 50,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **options: object,
) -> pd.DataFrame:
    """Run a grid of descents and return one tidy table, a row a run.

    Args:
        problems, runs, seed, batch, options: the grid, see `tasks`.
        executor: any `concurrent.futures.Executor`; it is used and left open, see below. Let its workers use one thread
            each (OMP_NUM_THREADS=1). Without one, a pool of a process a core is made and closed; a script must then
            guard its entry by `__name__ == "__main__"`.
        store: a folder for finished tasks. A sweep with the same store and the same version of dufm_lib does only what
            is missing in it, however the one before ended. Points may be added to the grid later, and seeds in whole
            batches: with `batch=10` the runs may grow from 10 to 200, with `batch=50` from 50. Two sweeps may share a
            store at the same time, and both get their table; what neither has finished, both do. Without a store
            nothing is kept.
        progress: show a tqdm bar of runs.

    Returns:
        Table with the columns SETTING, then seed, loss, rank, structure, gradient_norm, ended, steps_taken, then the
        versions of dufm_lib, torch and python and the command that computed the row. Ctrl-C returns the rows done,
        with a warning.

    Raises:
        ValueError: a bad argument, by name; a damaged file in the store.
        RuntimeError: a worker of a process pool died, or a task was interrupted where it ran. What was finished is in
            the store. When workers die, other executors raise errors of their own (Dask a KilledWorker, after it has
            tried elsewhere), with the same store.

    Executors over a cluster, whose machines all have this package installed; only this process touches the store:

        Dask    distributed.Client(address_of_the_scheduler).get_executor()
        MPI     mpi4py.futures.MPIPoolExecutor(); start it with `mpiexec -n 65 python -m mpi4py.futures script.py`
        Ray     has none of its own; its tasks give futures, and that suffices:

            class RayExecutor(concurrent.futures.Executor):
                def submit(self, function, task):
                    return ray.remote(function).remote(task).future()
    """
    todo = tasks(problems, runs, seed, batch, **options)
    progress = flag("progress", progress)
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ValueError(f"executor must be a concurrent.futures.Executor, got {shown(executor)}")
    kept = Store(None if store is None else folder_path("store", store))
    tables = {task: table for task in todo if (table := kept.load(task.key())) is not None}
    missing = [task for task in todo if task not in tables]
    with tqdm(total=sum(task.runs for task in todo), disable=not progress, unit="run") as bar:
        bar.update(sum(task.runs for task in tables))
        if missing:
            _perform_all(missing, tables, kept, executor, bar)
    if not tables:
        return pd.DataFrame()
    return pd.concat([tables[task] for task in todo if task in tables], ignore_index=True)


def _perform_all(
    missing: list[Task], tables: dict[Task, pd.DataFrame], store: Store, executor: Executor | None, bar: tqdm
) -> None:
    """Perform tasks, adding each to `tables` and to the store as it ends."""
    command, futures = _command(), dict[Future[pd.DataFrame], Task]()
    with processes(len(missing)) if executor is None else nullcontext(executor) as pool:
        try:
            for task in missing:
                futures[pool.submit(perform, task)] = task
            for future in as_completed(futures):
                task = futures[future]
                table = future.result().assign(command=command)
                store.save(task.key(), table)
                tables[task] = table
                bar.update(task.runs)
        except KeyboardInterrupt:
            left = sum(task not in tables for task in missing)
            warnings.warn(f"stopped: {left} tasks of the sweep are missing", stacklevel=3)
        except BrokenProcessPool as error:
            advice = "the same call goes on from the store" if store.folder else "give a store to keep what is finished"
            raise RuntimeError(f"a worker of the sweep died with tasks unfinished; {advice}") from error
        finally:
            for future in futures:
                future.cancel()
