"""Sweeps: the table, the store, and what is left when the driver or a worker is killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pandas as pd
import psutil
import pytest
from distributed import Client, LocalCluster

from dufm_lib import Problem, descent, sweep

GRID = [Problem(4, 1, 2, width, 2**-7) for width in (4, 6)]
OPTIONS = {"steps": 300, "init_scale": [0.5, 1.0]}

# A sweep of 24 tasks, slow enough to be killed in the middle; run as a script, as a user would.
SCRIPT = """
import sys, time
from dufm_lib import Problem, sweep
if __name__ == "__main__":
    problems = [Problem(4, 1, 2, width, 2**-7) for width in range(4, 28)]
    table = sweep.run(problems, runs=5, store=sys.argv[1], steps=2000, tolerance=0.0)
    print(len(table))
"""


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_a_row_a_run_with_setting_outcome_and_provenance(threads):
    table = sweep.run(GRID, runs=3, executor=threads, **OPTIONS)
    assert len(table) == 2 * 2 * 3
    assert {*sweep.SETTING, "seed", "loss", "rank", "structure", "torch"} <= set(table.columns)
    one = table[(table.width == 6) & (table.init_scale == 0.5) & (table.seed == 2)].iloc[0]
    alone = descent.train(GRID[1], 1, seed=2, steps=300, init_scale=0.5)
    assert one.loss == alone.loss[0].item()  # the same numbers, whatever was in the batch or the task


def test_tasks_do_not_change_the_result(threads):
    whole, cut = (sweep.run(GRID, runs=3, batch=batch, executor=threads, **OPTIONS) for batch in (3, 1))
    pd.testing.assert_frame_equal(whole, cut)


def test_processes_are_the_default(tmp_path):
    table = sweep.run(GRID[0], runs=2, store=tmp_path, steps=50)
    assert table.seed.tolist() == [0, 1]


def test_a_dask_cluster_is_an_executor(tmp_path, threads):
    here = sweep.run(GRID, runs=3, batch=2, executor=threads, **OPTIONS)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        there = sweep.run(GRID, runs=3, batch=2, executor=executor, store=tmp_path, **OPTIONS)
        workers = {process["id"] for process in client.scheduler_info()["workers"].values()}
    assert len(workers) == 2
    assert len(list(tmp_path.iterdir())) == 8  # 2 problems, 2 initial scales, 3 runs in batches of 2 and 1
    pd.testing.assert_frame_equal(there, here)


def test_a_store_does_only_what_is_missing(tmp_path, threads, monkeypatch):
    sweep.run(GRID[:1], runs=3, executor=threads, store=tmp_path, **OPTIONS)
    performed = []
    monkeypatch.setattr(sweep, "perform", lambda task, real=sweep.perform: performed.append(task) or real(task))
    table = sweep.run(GRID, runs=3, executor=threads, store=tmp_path, **OPTIONS)
    assert [task.problem.width for task in performed] == [6, 6]
    assert len(table) == 12 and len(list(tmp_path.iterdir())) == 4
    pd.testing.assert_frame_equal(table, sweep.run(GRID, runs=3, executor=threads, store=tmp_path, **OPTIONS))


def _worker_of(pid):
    workers = [child for child in psutil.Process(pid).children() if "spawn_main" in " ".join(child.cmdline())]
    return workers[0].pid


@pytest.mark.parametrize("whom", [lambda pid: pid, _worker_of], ids=["driver", "worker"])
def test_a_killed_sweep_goes_on_where_it_was(tmp_path, whom):
    script = tmp_path / "sweep_script.py"
    script.write_text(SCRIPT)
    store = tmp_path / "store"
    with subprocess.Popen([sys.executable, script, store], stderr=subprocess.PIPE, text=True) as driver:
        deadline = time.monotonic() + 120
        while not list(store.glob("*.parquet")):
            assert time.monotonic() < deadline and driver.poll() is None, "the sweep ended before it could be killed"
            time.sleep(0.02)
        os.kill(whom(driver.pid), signal.SIGKILL)
        _, errors = driver.communicate(timeout=60)  # also waits for the workers, who hold the same pipe
    assert driver.returncode != 0
    if whom is _worker_of:
        assert "a worker of the sweep died" in errors
    before = {path.name: path.stat().st_mtime_ns for path in store.glob("*.parquet")}
    assert 0 < len(before) < 24
    again = subprocess.run([sys.executable, script, store], capture_output=True, text=True, timeout=240, check=True)
    assert again.stdout.strip() == "120"  # nothing lost
    after = {path.name: path.stat().st_mtime_ns for path in store.glob("*.parquet")}
    assert len(after) == 24 and before.items() <= after.items()  # nothing done twice


def test_a_dead_worker_is_reported(threads, monkeypatch):
    def broken(task):
        raise BrokenProcessPool

    monkeypatch.setattr(sweep, "perform", broken)
    with pytest.raises(RuntimeError, match="give a store"):
        sweep.run(GRID, runs=1, executor=threads)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"problems": []}, "problems"),
        ({"problems": [4]}, "problems"),
        ({"runs": 0}, "runs"),
        ({"runs": 1.5}, "runs"),
        ({"seed": -1}, "seed"),
        ({"batch": 0}, "batch"),
        ({"momentum": 0.9}, "momentum"),
    ],
)
def test_bad_arguments_are_named(arguments, name):
    with pytest.raises(ValueError, match=name):
        sweep.run(**{"problems": GRID, "runs": 1} | arguments)
