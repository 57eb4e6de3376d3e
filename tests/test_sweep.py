"""Sweeps: the table and its provenance, the store, and executors other than the processes of this machine."""

import functools
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import dask
import pandas as pd
import pytest
from distributed import Client, KilledWorker, LocalCluster

from dufm_lib import Problem, descent, sweep

GRID = [Problem(4, 1, 2, width, 2**-7) for width in (4, 6)]
OPTIONS = {"steps": 300, "init_scale": [0.5, 1.0]}


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_a_row_a_run_with_setting_outcome_and_provenance(threads):
    table = sweep.run(GRID, runs=3, executor=threads, **OPTIONS)
    assert len(table) == 2 * 2 * 3
    assert {*sweep.SETTING, "seed", "loss", "rank", "structure", "torch", "command"} <= set(table.columns)
    assert set(table.dtype) == {"float32"} and set(table.record_every) == {100}
    one = table[(table.width == 6) & (table.init_scale == 0.5) & (table.seed == 2)].iloc[0]
    alone = descent.train(GRID[1], 1, seed=2, steps=300, init_scale=0.5)
    assert one.loss == alone.loss[0].item()  # the same numbers, whatever was in the batch or the task


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["/home/me/.venv/bin/python3", "results/grid.py", "--runs", "10"], "python3 results/grid.py --runs 10"),
        ([".venv/bin/python", "/home/me/grid.py", "--store=/scratch/me/store"], "python grid.py --store=store"),
        (["python", "grid.py", "--note=two words", "a/b=c"], "python grid.py '--note=two words' a/b=c"),
    ],
)
def test_the_command_tells_nothing_of_the_machine(threads, monkeypatch, given, kept):
    monkeypatch.setattr(sys, "orig_argv", given)
    table = sweep.run(GRID[0], runs=1, executor=threads, steps=1)
    assert set(table.command) == {kept}


def test_convergence_is_looked_for_as_often_as_asked(threads):
    often, seldom = (
        sweep.run(GRID[0], runs=2, executor=threads, steps=4000, record_every=every) for every in (50, 1000)
    )
    assert set(often.ended) == set(seldom.ended) == {"converged"}
    assert (often.steps_taken % 50 == 0).all() and (seldom.steps_taken % 1000 == 0).all()
    assert (often.steps_taken < seldom.steps_taken).all()


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


def test_more_seeds_reuse_whole_batches(tmp_path, threads, monkeypatch):
    grid = {"problems": GRID[0], "batch": 2, "executor": threads, "steps": 50}
    sweep.run(runs=3, store=tmp_path, **grid)  # seeds 0 and 1, and 2 alone
    performed = []
    monkeypatch.setattr(sweep, "perform", lambda task, real=sweep.perform: performed.append(task) or real(task))
    grown = sweep.run(runs=5, store=tmp_path, **grid)
    assert sorted((task.seed, task.runs) for task in performed) == [(2, 2), (4, 1)]
    pd.testing.assert_frame_equal(grown, sweep.run(runs=5, **grid))


def test_another_version_of_the_library_takes_nothing_from_the_store(tmp_path, threads, monkeypatch):
    sweep.run(GRID[0], runs=1, executor=threads, store=tmp_path, steps=50)
    monkeypatch.setattr(sweep, "version", lambda name: "99.0")
    table = sweep.run(GRID[0], runs=1, executor=threads, store=tmp_path, steps=50)
    assert table.dufm_lib.tolist() == ["99.0"] and len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("left", [0, 10, 1000], ids="{} bytes left".format)
def test_a_damaged_file_is_named(tmp_path, threads, left):
    grid = {"problems": GRID[0], "runs": 1, "executor": threads, "store": tmp_path, "steps": 50}
    whole = sweep.run(**grid)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size > left
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(ValueError, match=rf"{file.name} of the store cannot be read: delete it"):
        sweep.run(**grid)
    file.unlink()
    pd.testing.assert_frame_equal(sweep.run(**grid), whole)


def test_what_a_killed_write_left_is_removed_when_it_is_old(tmp_path, threads):
    old, new = tmp_path / "a.parquet.1.draft", tmp_path / "b.parquet.2.draft"
    for draft in (old, new):
        draft.write_bytes(b"half a table")
    os.utime(old, (time.time() - 7200,) * 2)
    sweep.run(GRID[0], runs=1, executor=threads, store=tmp_path, steps=50)
    assert not old.exists() and new.exists()  # the new one may be another sweep's, writing now
    assert len(list(tmp_path.glob("*.parquet"))) == 1


def test_the_bar_counts_runs(tmp_path, threads, capsys):
    grid = {"problems": GRID, "batch": 2, "executor": threads, "store": tmp_path, "steps": 50}
    sweep.run(runs=2, progress=True, **grid)
    assert "100%" in (shown := capsys.readouterr().err) and "4/4" in shown
    sweep.run(runs=3, progress=True, **grid)  # of six, four are in the store
    assert "6/6" in capsys.readouterr().err
    sweep.run(runs=3, **grid)
    assert capsys.readouterr().err == ""


def test_an_interrupted_task_has_no_outcome(tmp_path, threads, monkeypatch):
    """As of a worker that is sent SIGINT: `descent.train` returns what it has, and that is no end of descent."""
    stopping = functools.partial(descent.train, report=lambda fraction, text: False)
    assert set(stopping(GRID[0], 2, steps=50).ended) == {"interrupted"}
    monkeypatch.setattr(descent, "train", stopping)
    with pytest.raises(RuntimeError, match="interrupted"):
        sweep.run(GRID[0], runs=2, executor=threads, store=tmp_path, steps=50)
    assert not list(tmp_path.iterdir())


def _die(task):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_dask_worker_that_dies_leaves_the_store(tmp_path, monkeypatch):
    """No second try here; by default Dask makes three."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        sweep.run(GRID[0], runs=1, executor=executor, store=tmp_path, steps=50)
        monkeypatch.setattr(sweep, "perform", _die)
        with pytest.raises(KilledWorker):
            sweep.run(GRID, runs=1, executor=executor, store=tmp_path, steps=50)
    assert len(list(tmp_path.iterdir())) == 1


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
