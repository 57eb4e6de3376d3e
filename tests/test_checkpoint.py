"""Checkpoints of a descent: stopped in any way it goes on to the same bits, and no foreign file is taken."""

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields

import pytest
import torch

from dufm_lib import Problem, _checkpoint, descent

SMALL = Problem(classes=4, samples=2, depth=2, width=8, weight_decay=0.01)
# Mixed, so that runs leave at different steps: one diverges at once, some converge, some go on to the limit.
MIXED = {
    "problem": [SMALL, Problem(4, 2, 2, 8, 0.03), SMALL, Problem(4, 2, 2, 8, 0.001), SMALL],
    "learning_rate": [0.5, 0.5, 2.0, 0.5, 0.5],
    "init_scale": [1.0, 1.0, 1.0, 1.0, 100.0],
    "steps": 4000,
}

# A descent of some seconds, as a user would write it; its checkpoint is due as often as it may be.
SCRIPT = """
import sys
import torch
from dufm_lib import Problem, _checkpoint, descent
_checkpoint.EVERY, _checkpoint.LARGEST_SHARE = 0.0, 0.5
if __name__ == "__main__":
    runs = descent.train(Problem(6, 1, 2, 24, 2**-9), 8, steps=30_000, tolerance=0.0, checkpoint=sys.argv[1])
    torch.save([*runs.params, runs.history.loss, runs.loss, runs.steps], sys.argv[2])
"""


def assert_same(ours, theirs):
    """The same bits in everything returned; NaN where a run has diverged, and in the history where one has left."""
    assert (ours.ended, ours.structure) == (theirs.ended, theirs.structure)
    pairs = [*zip(ours.params, theirs.params, strict=True)]
    pairs += [(getattr(ours, name), getattr(theirs, name)) for name in ("loss", "logits", "rank", "steps")]
    pairs += [(getattr(ours.history, f.name), getattr(theirs.history, f.name)) for f in fields(descent.History)]
    for here, there in pairs:
        torch.testing.assert_close(here, there, rtol=0, atol=0, equal_nan=True)


def stopping_after(seconds):
    end = time.monotonic() + seconds
    return lambda fraction, text: time.monotonic() < end


def test_a_descent_stopped_many_times_ends_as_one_never_stopped(tmp_path):
    file, stops = tmp_path / "descent.pt", 0
    whole = descent.train(**MIXED)
    assert whole.ended == ("converged", "converged", "converged", "steps", "diverged")
    runs = descent.train(**MIXED, checkpoint=file, report=stopping_after(0.0))
    assert "interrupted" in runs.ended
    while "interrupted" in runs.ended:
        runs = descent.train(**MIXED, checkpoint=file, report=stopping_after(0.02))
        stops += 1
        assert stops < 300
    assert stops > 1
    assert_same(runs, whole)


def test_writing_often_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoint, "EVERY", 0.0)
    monkeypatch.setattr(_checkpoint, "LARGEST_SHARE", math.inf)  # at every look
    written, real = [], _checkpoint.write_whole
    monkeypatch.setattr(_checkpoint, "write_whole", lambda *args: written.append(args) or real(*args))
    assert_same(descent.train(**MIXED, checkpoint=tmp_path / "descent.pt"), descent.train(**MIXED))
    assert len(written) > 2


def test_a_descent_that_has_ended_is_only_read(tmp_path, monkeypatch):
    file = tmp_path / "descent.pt"
    first = descent.train(**MIXED, checkpoint=file)
    monkeypatch.setattr("dufm_lib._step.Block.advance", None)  # nothing may move
    assert_same(descent.train(**MIXED, checkpoint=file), first)


def test_a_killed_descent_goes_on_to_the_same_bits(tmp_path):
    script, file, result, whole = (tmp_path / name for name in ("script.py", "descent.pt", "result.pt", "whole.pt"))
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, script, file, result]) as process:
        versions, deadline = set(), time.monotonic() + 120
        while len(versions) < 3:  # of the file
            assert time.monotonic() < deadline and process.poll() is None, "it ended before it could be killed"
            if file.exists():
                versions.add(file.stat().st_mtime_ns)
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL and not result.exists()
    reached = torch.load(file)["state"]["steps"]
    assert 0 < reached.min() < 30_000
    subprocess.run([sys.executable, script, file, result], check=True, timeout=240)
    subprocess.run([sys.executable, script, tmp_path / "other.pt", whole], check=True, timeout=240)
    assert all(map(torch.equal, torch.load(result), torch.load(whole)))


def test_a_checkpoint_of_another_call_is_refused(tmp_path):
    file = tmp_path / "descent.pt"
    descent.train(SMALL, runs=2, steps=50, checkpoint=file)
    for name, arguments in {
        "problem": {"problem": Problem(4, 2, 2, 8, 0.02), "tolerance": 1e-4},
        "learning_rate": {"learning_rate": 0.4},
        "steps": {"steps": 60},
        "record_every": {"record_every": 10},
        "tolerance": {"tolerance": 1e-6},
        "dtype": {"dtype": torch.float64},
        "seed": {"seed": 1},
        "init_scale": {"init_scale": 0.5},
    }.items():
        with pytest.raises(ValueError, match=rf"{file} belongs to a descent with another .*{name}"):
            descent.train(**{"problem": SMALL, "runs": 2, "steps": 50} | arguments, checkpoint=file)


def test_a_damaged_checkpoint_is_named_and_kept(tmp_path):
    file = tmp_path / "descent.pt"
    descent.train(SMALL, steps=50, checkpoint=file)
    whole = file.read_bytes()
    torch.save({"weights": torch.zeros(3)}, file)
    foreign = file.read_bytes()
    for damaged in (b"", b"nonsense", whole[: len(whole) // 2], foreign):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{file} cannot be read: delete it"):
            descent.train(SMALL, steps=50, checkpoint=file)
        assert file.read_bytes() == damaged
    with pytest.raises(ValueError, match="checkpoint must name a file"):
        descent.train(SMALL, steps=50, checkpoint=tmp_path)
    assert os.listdir(tmp_path) == ["descent.pt"]  # no drafts
