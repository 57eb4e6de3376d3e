"""The benchmarks that need a browser run, for a moment each."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT, SITE

SHORT = {
    "frames.py": ["--site", str(SITE / "book" / "landscape"), "--steps", "2"],
    "playground.py": ["--seconds", "0.6"],
}


@pytest.mark.parametrize("script", SHORT)
def test_a_benchmark_in_a_browser_runs(script, tmp_path):
    assert (SITE / "index.html").exists(), "the book is not built yet: run 'make book' first"
    file = tmp_path / "record.json"
    command = [sys.executable, ROOT / "benchmarks" / script, *SHORT[script], "--output", file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    record = json.loads(file.read_text())
    assert {"command", "load", "chromium"} <= set(record["environment"])
    rows = record["redraw_ms"] if script == "frames.py" else record["steps_a_second"]
    assert rows and all(row["figure"] if script == "frames.py" else row["bare"] > 0 for row in rows)
