"""Every benchmark runs, at the smallest of settings, and the changelog says what stands in the committed record."""

import json
import os
import re
import runpy
import subprocess
import sys

import pytest
from conftest import ROOT

BENCHMARKS = ROOT / "benchmarks"
SMALL = {
    "descent.py": "--runs 2 --steps 20 --turns 1 --widths 12 --numbers 1 2",
    "mixed.py": "--runs 3 --steps 20 --turns 1 --widths 12",
    "spectrum.py": "--classes 4 --widths 5 --logits-widths 6 --turns 1",
}


def run(script, *arguments):
    """What a script prints, in a process of its own."""
    plain = os.environ | {"TORCH_COMPILE_DISABLE": "1"}  # compiling takes half a minute
    command = [sys.executable, BENCHMARKS / script, *arguments]
    done = subprocess.run(command, env=plain, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SMALL)
def test_a_benchmark_runs_and_writes_what_it_was_asked(script, tmp_path):
    file = tmp_path / "new" / "record.json"
    printed = run(script, *SMALL[script].split(), "--output", file)
    record = json.loads(file.read_text())
    assert record["environment"]["command"] == [script, *SMALL[script].split(), "--output", str(file)]
    assert f"load of the machine before: {record['environment']['load']}" in printed
    assert len(record) > 1


def test_without_a_gpu_nothing_is_measured_and_where_it_runs_can_be_asked(tmp_path):
    hidden = run("gpu.py", "--numbers", "1", "--output", tmp_path / "gpu.json")
    assert ("nothing was measured" in hidden) != (tmp_path / "gpu.json").exists()
    assert "torch" in json.loads(run("environment.py").partition("\n")[2])


def test_no_script_overwrites_a_committed_record_unasked(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    environment = runpy.run_path(str(BENCHMARKS / "environment.py"))
    output = environment["command_line"]("benchmarks/descent.py", "").parse_args([]).output
    assert output == ROOT / "_build" / "benchmarks" / "descent.json"


def test_targets_say_what_was_found_and_what_could_be(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    judged = runpy.run_path(str(BENCHMARKS / "descent.py"))["judged"]
    seconds = {"train": 2.0, "step": 1.0, "roofline": 0.5, "module": 80.0, "module-1": 50.0, "vmap": 10.0}
    rows = {(row["rival"], row["of"]): row for row in judged(seconds)}
    assert rows["module", "train"] == {
        "rival": "module", "of": "train", "target": 45.0, "found": 25.0, "met": False, "at_most": 100.0
    }  # fmt: skip
    assert rows["vmap", "train"]["met"] and not rows["roofline", "step"]["met"]
    assert ("compile", "train") not in rows


def test_what_the_changelog_says_of_descent_stands_in_the_record():
    seconds = json.loads((BENCHMARKS / "descent.json").read_text())["seconds_a_step_and_run"]
    module = min(seconds["module"], seconds["module-1"])
    said = re.search(
        r"takes ([\d.]+) us .*?: ([\d.]+) times less than an `nn.Module`.*?([\d.]+) times less than `vmap`.*?"
        r"([\d.]+) times less than that compiled.*?were ([\d.]+) times, and they are missed:.*?would give ([\d.]+)\.",
        (ROOT / "CHANGELOG.md").read_text(),
        re.DOTALL,
    )
    us, one, vmap, compiled, wanted, most = map(float, said.groups())
    train = seconds["train"]
    assert us == round(train * 1e6, 1)
    assert one == round(module / train) < wanted == 45
    assert (vmap, compiled) == (round(seconds["vmap"] / train, 1), round(seconds["compile"] / train, 1))
    assert most == round(module / seconds["roofline"])
