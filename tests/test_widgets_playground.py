"""The playground's Python: the run in PyTorch and what it sends to the page."""

import json

import pytest
import torch

from dufm_lib.widgets.playground import LIMIT, Playground, problem, train
from dufm_lib.widgets.playground_start import start


def test_the_run_starts_where_the_page_starts_and_follows_its_settings():
    values = Playground(K=4, L=3, activation="relu", rate=0.5, scale=1.5, seed=9).values
    runs = train(values | {"lambda": 2.0**-6})
    assert (runs.problem.classes, runs.problem.depth, runs.problem.activation) == (4, 3, "relu")
    assert runs.problem.weight_decay == 2.0**-6
    first = runs.history.logits[0, 0]
    H, *weights = (tensor[0] for tensor in start(runs.problem, 9, 1.5))
    for weight in weights[:-1]:
        H = (weight @ H).relu()
    expected = (weights[-1] @ H).reshape(4, 4, values["n"]).mean(-1)
    assert torch.allclose(first, expected, rtol=0, atol=1e-12)  # two float64 products


def test_what_the_page_gets_is_small_and_json():
    figure = Playground()
    text = figure.run_now()
    assert "converged" in text and "rank 3, pairing" in text
    points = figure.result["points"]
    assert 10 < len(points) <= 120 and points[0][0] == 0
    steps, losses = zip(*points, strict=True)
    assert list(steps) == sorted(steps) and losses[-1] < losses[0]
    assert figure.result["values"] == figure.values
    assert len(json.dumps(figure.result, allow_nan=False)) < 10_000


def test_a_diverged_run_sends_what_was_finite():
    figure = Playground(L=4, seed=2)
    assert "diverged" in figure.run_now()
    assert len(figure.result["points"]) >= 1
    json.dumps(figure.result, allow_nan=False)


def test_stop_is_heard():
    told = []
    result, text = Playground(K=10, d=40).compute(
        Playground(K=10, d=40).values, lambda fraction, text: told.append(fraction) or False
    )
    assert told and "interrupted" in text
    assert result["points"][0][0] == 0


def test_every_setting_of_the_controls_is_a_problem():
    controls = {control["name"]: control for control in Playground().card["controls"]}
    corners = [(controls[name]["min"], controls[name]["max"]) for name in ("K", "d")]
    assert corners[0][1] <= corners[1][0]  # the width is never below the number of classes
    for end in ("min", "max"):
        values = {name: control.get(end, control["value"]) for name, control in controls.items()}
        assert problem(Playground(**values).values)
    with pytest.raises(ValueError, match="K must be from 2 to 10"):
        Playground(K=11)


def test_the_limit_is_that_of_the_page(root):
    script = (root / "dufm_lib" / "widgets" / "js" / "run.js").read_text()
    assert f"export const LIMIT = {LIMIT:_};" in script
