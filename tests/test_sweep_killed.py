"""A sweep in a process of its own, as a user runs it: what is left when driver or worker is killed or interrupted."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pandas as pd
import psutil
import pytest

# A sweep of 24 tasks on two cores, slow enough to be killed in the middle. A shell's background job, and what it
# starts, ignores SIGINT: not here.
SCRIPT = """
import os, signal, sys
from dufm_lib import Problem, sweep
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.cpu_count = lambda: 2
    problems = [Problem(4, 1, 2, width, 2**-7) for width in range(4, 28)]
    table = sweep.run(problems, runs=5, store=sys.argv[1], steps=2000, tolerance=0.0)
    print(len(table))
"""
PATIENCE = 300  # seconds: ends a hang, and is no measure of speed


def stored(store):
    return {path.name: path.stat().st_mtime_ns for path in store.glob("*.parquet")}


def rows(store):
    return pd.concat([pd.read_parquet(path) for path in store.glob("*.parquet")])


@contextmanager
def under_way(folder, script=SCRIPT):
    """A sweep that has stored something: its process, the leader of a group as in a terminal, and its store."""
    (folder / "script.py").write_text(script)
    store, pipe = folder / "store", subprocess.PIPE
    command = [sys.executable, folder / "script.py", store]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as driver:
        deadline = time.monotonic() + PATIENCE
        while not stored(store):
            assert time.monotonic() < deadline and driver.poll() is None, "the sweep ended before it could be killed"
            time.sleep(0.02)
        yield driver, store


def goes_on(folder):
    """The same call once more completes the table, and does nothing twice."""
    store = folder / "store"
    before = stored(store)
    command = [sys.executable, folder / "script.py", store]
    again = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert again.stdout.strip() == "120"  # nothing lost
    after = stored(store)
    assert len(after) == 24 and before.items() <= after.items()
    assert set(rows(store).ended) == {"steps"} and set(rows(store).steps_taken) == {2000}


def workers_of(driver):
    children = psutil.Process(driver.pid).children()
    return [child.pid for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.parametrize("whom", ["driver", "worker"])
def test_a_killed_sweep_goes_on_where_it_was(tmp_path, whom):
    with under_way(tmp_path) as (driver, store):
        os.kill(driver.pid if whom == "driver" else workers_of(driver)[0], signal.SIGKILL)
        _, errors = driver.communicate(timeout=PATIENCE)  # also waits for the workers, who hold the same pipe
    assert driver.returncode != 0
    if whom == "worker":
        assert "a worker of the sweep died" in errors
    assert 0 < len(stored(store)) < 24
    goes_on(tmp_path)


def test_a_worker_ignores_an_interrupt(tmp_path):
    """As by `scancel --signal=INT`. One worker, so that what is stored shows that it has started."""
    with under_way(tmp_path, SCRIPT.replace("lambda: 2", "lambda: 1")) as (driver, store):
        for _ in range(3):
            os.kill(workers_of(driver)[0], signal.SIGINT)
            time.sleep(0.05)
        assert 0 < len(stored(store)) < 24
        printed, _ = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0 and int(printed) == 120
    assert set(rows(store).ended) == {"steps"} and set(rows(store).steps_taken) == {2000}


def test_ctrl_c_ends_at_once_and_keeps_what_is_done(tmp_path):
    """A terminal sends it to the driver and to the workers, whose tasks here would last for days."""
    endless = SCRIPT.replace("steps=2000", "steps=[2000, 10**9]")  # one task of each problem ends, one does not
    with under_way(tmp_path, endless) as (driver, store):
        os.killpg(driver.pid, signal.SIGINT)
        printed, errors = driver.communicate(timeout=PATIENCE)
    assert driver.returncode == 0
    kept = len(stored(store))
    assert f"stopped: {48 - kept} tasks of the sweep are missing" in errors
    assert int(printed) == 5 * kept == len(rows(store))
    assert set(rows(store).ended) == {"steps"} and set(rows(store).steps_taken) == {2000}
