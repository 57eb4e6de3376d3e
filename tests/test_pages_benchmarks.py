"""The benchmarks that need a browser run, for a moment each."""

import json
import re
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


def record(name):
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())


def test_the_record_of_frames_has_every_slider_of_the_book_and_each_is_drawn_in_time():
    rows = record("frames")["redraw_ms"]
    measured = {(row["page"], row["figure"], row["control"]) for row in rows}
    states = re.compile(r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', re.DOTALL)
    sliders = set()
    for page in SITE.glob("book/**/*.html"):
        for models in states.findall(page.read_text()):
            cards = [model["state"].get("card") for model in json.loads(models)["state"].values()]
            for card in filter(None, cards):
                controls = [each for each in card["controls"] if each["kind"] == "number" and not each["kernel"]]
                # the three that hold the view of a picture in space are set by turning it
                names = {"turn" if each.get("hidden") else each["name"] for each in controls}
                sliders |= {(str(page.relative_to(SITE)), card["id"], name) for name in names}
    assert measured == sliders and len(sliders) > 50
    assert max(row["median"] for row in rows) <= 16


def test_the_record_of_the_playground_has_the_speed_that_was_wanted():
    wanted = {"classes": 10, "samples": 5, "depth": 2, "width": 20}
    rates = [row["worker"] for row in record("playground")["steps_a_second"] if wanted.items() <= row.items()]
    assert len(rates) == 2 and min(rates) >= 3000  # linear and ReLU
