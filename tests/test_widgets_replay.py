"""The replay of a training: what it carries against the history, its second run, its numbers in JavaScript."""

import json
import math

import numpy as np
import pytest
import torch
from javascript import node

from dufm_lib import data, metrics, networks
from dufm_lib.plots import COLORS
from dufm_lib.widgets.replay import Replay, recorded

DIGITS = data.digits(per_class=5)


def train(seed=0, report=None, regularization="ufm", weight_decay=(1e-3, 5e-3), steps=60, **network):
    start = networks.mlp(DIGITS, hidden=(16,), width=12, depth=2, seed=seed, **network)
    decays = {"weight_decay": weight_decay, "steps": steps, "record_every": 20, "report": report}
    return networks.train(start, DIGITS, regularization, **decays)


@pytest.fixture(scope="module")
def training():
    return train()


def test_what_is_recorded_is_the_history(training):
    found, history = recorded(training), training.history
    assert found["steps"] == [0, 20, 40, 60] and found["names"] == [str(k) for k in range(10)]
    # four digits
    np.testing.assert_allclose(found["objective"], history.objective, rtol=5e-4)
    np.testing.assert_allclose(found["sigma"], history.singular_values, rtol=5e-4)
    np.testing.assert_allclose([each[0] for each in found["dnc"]], history.dnc1[:, -1], rtol=5e-4)
    assert set(found["structure"]) <= set(COLORS)
    assert list(found["bounds"]) == ["dnc", "pairing"] and found["bounds"]["dnc"] == training.dnc_bound


def test_the_points_are_the_centred_means_in_the_last_leading_directions(training):
    found = recorded(training)
    # independently: the Gram matrix of the last points is the best one of rank three, up to scale (Eckart and Young)
    means = training.history.features[-1].numpy()
    means = means - means.mean(1, keepdims=True)
    values, vectors = np.linalg.eigh(means.T @ means)
    best = (vectors[:, -3:] * values[-3:]) @ vectors[:, -3:].T
    points = np.array(found["points"][-1])
    gram = points @ points.T
    np.testing.assert_allclose(
        gram / np.trace(gram), best / np.trace(best), atol=2e-3
    )  # three decimals of a coordinate
    assert found["carried"][-1] == pytest.approx(values[-3:].sum() / values.sum(), rel=5e-4)
    longest = np.linalg.norm(np.array(found["points"]), axis=-1).max(1)
    assert longest[-1] == pytest.approx(1, abs=2e-3) and longest.max() < 1.002 and found["edges"] == []


def test_no_bounds_without_the_penalty_of_the_model_and_no_pairing_with_relu():
    assert recorded(train(regularization="standard", weight_decay=1e-3, steps=20))["bounds"] == {}
    assert list(recorded(train(activation="relu", steps=20))["bounds"]) == ["dnc"]


def test_what_is_not_defined_is_carried_as_none():
    dead = recorded(train(init_scale=0.0, steps=20))  # it answers zero: the second layer receives zeros
    assert dead["structure"][-1] == "zero" and dead["dnc"][-1] == [None, None, None]
    json.dumps(dead, allow_nan=False)


def test_the_slider_moves_from_record_to_record(training):
    longer = train(steps=100)
    figure = Replay("replay-test", {"short": training, "long": longer}, train)
    fields = {field["name"]: field for field in figure.card["controls"]}
    assert figure.values == {"run": "short", "step": 60, "seed": 1, "turn": 0, "tilt": 0, "zoom": 1}
    assert (fields["step"]["step"], fields["step"]["max"]) == (20, 100)
    assert "run" not in Replay("replay-test", {"one": training}, train).values
    # nine records of ten classes: a page carries some fifty
    assert len(json.dumps(figure.card)) < 9 * 1_000


def test_python_trains_once_more(training):
    figure = Replay("replay-test", {"run": training}, train, seed=3)
    said = figure.run_now()
    again = train(seed=3)
    assert figure.result["objective"] == pytest.approx(again.history.objective.tolist(), rel=5e-4)
    assert said == f"seed 3: other, rank {again.rank}, objective {figure.result['objective'][-1]:.4f}."


def test_a_training_that_diverges_is_said(training):
    figure = Replay("replay-test", {"run": training}, lambda seed, report: train(init_scale=1e4))
    with pytest.raises(ValueError, match="choose another seed"):
        figure.run_now()


@pytest.mark.parametrize("sigma", [[3, 3, 3, 0, 0], [5, 2, 1e-3], [7]])
def test_effective_ranks_are_entropies(sigma):
    shares = torch.tensor(sigma, dtype=torch.float64) / sum(sigma)
    expected = math.exp(torch.distributions.Categorical(shares).entropy())
    assert node("stats.js", "return m.effectiveRank(given)", sigma) == pytest.approx(expected, rel=1e-6)  # it clamps 0


def test_the_nearest_record():
    steps = [0, 20, 40, 50]
    expected = [min(steps, key=lambda each: abs(each - step)) for step in range(60)]
    assert (
        node("records.js", "return given.map(s => [0, 20, 40, 50][m.nearest([0, 20, 40, 50], s)])", [*range(60)])
        == expected
    )


@pytest.mark.parametrize("most", [1, 7, 40, 99, 100, 200])
def test_thinned_records_are_even_and_end_at_the_last(most):
    found = node("records.js", "return m.thinned(...given)", [[*range(100)], most])
    assert found == sorted({*range(0, 100, math.ceil(100 / most)), 99}) and len(found) <= most + 1


def test_structures_are_named_as_metrics_name_them(training):
    found = recorded(training)["structure"]
    labels = metrics.structure_labels(training.history.logits)
    assert all(label in (each, "mixed") for each, label in zip(found, labels, strict=True))
