"""The digits chapter's widget, on few images and few steps."""

import math

import pytest

from dufm_lib import Problem, structures, theory
from dufm_lib.widgets import digits

SMALL = {
    "samples": 5,
    "width": 10,
    "depth": 1,
    "activation": "linear",
    "regularization": "ufm",
    "feature_decay": 0.005,
    "weight_decay": 0.005,
    "init_scale": 1.0,
    "learning_rate": 0.1,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


def reached_and_collapse(text):
    """The objective and the best loss of DNC, as the sentence has them."""
    return float(text.split("objective ")[1].split()[0]), float(text.split("best DNC ")[1].split(",")[0])


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(digits, "STEPS", 60)


def test_one_layer_collapses():
    figure, text = digits.surviving_directions(**SMALL, report=silent)
    assert "After 800 steps: rank 9" in text and text.endswith("Structure: DNC (simplex).")
    spectrum, objective = figure.axes
    assert len(spectrum.lines) == 10 and len(objective.lines) == 3  # singular values; the curve and two bounds
    reached, bound = reached_and_collapse(text)
    assert bound - 1e-5 < reached < 1.01 * bound  # nothing is below collapse at depth 1; both are rounded


@pytest.mark.parametrize("samples", [5, 10])
def test_bounds_depend_on_the_feature_decay_of_a_class_only(short, samples):
    _, text = digits.surviving_directions(**SMALL | {"samples": samples, "depth": 3}, report=silent)
    problem = Problem(10, 1, 3, 10, 0.005)  # one sample a class with the penalty of the whole class
    for name, shape in (("DNC", structures.simplex_etf(10)), ("pairing", structures.pairing(10))):
        assert f"best {name} {theory.optimal_scale(problem, shape)[1]:.5f}" in text


@pytest.mark.parametrize(
    ("change", "bounds"), [({}, 2), ({"activation": "relu"}, 1), ({"regularization": "standard"}, 0)]
)
def test_the_bounds_that_are_proved_are_drawn(short, change, bounds):
    figure, text = digits.surviving_directions(**SMALL | {"depth": 2} | change, report=silent)
    _, objective = figure.axes
    assert len(objective.lines) == 1 + bounds and text.count("best") == bounds
    assert objective.get_legend().get_texts()[0].get_text() == "this network"


def test_without_penalised_features_their_penalty_does_not_count(short):
    setting = SMALL | {"regularization": "standard"}
    texts = {digits.surviving_directions(**setting | {"feature_decay": d}, report=silent)[1] for d in (0.001, 0.02)}
    assert len(texts) == 1


def test_the_seed_decides(short):
    texts = {digits.surviving_directions(**SMALL | {"seed": seed}, report=silent)[1] for seed in (0, 0, 1)}
    assert len(texts) == 2


def test_it_stops_when_told():
    figure, text = digits.surviving_directions(**SMALL, report=lambda fraction, text: False)
    assert "After 0 steps" in text and len(figure.axes[0].lines[0].get_xdata()) == 1


def test_it_reports_up_to_the_end(short):
    seen = []
    digits.surviving_directions(**SMALL, report=lambda fraction, text: seen.append(fraction) or True)
    assert seen == sorted(seen) and math.isclose(seen[-1], 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 5, "init_scale": 2.0}, "training diverged at learning rate 0.1"),
        ({"width": 9}, "width must be at least 10"),
        ({"samples": 175}, "per_class must be at most 174"),
    ],
)
def test_bad_settings_are_said_in_words(short, change, message):
    with pytest.raises(ValueError, match=message):
        digits.surviving_directions(**SMALL | change, report=silent)


def test_the_default_ends_below_collapse():
    experiment = digits.experiment()
    text = experiment.run_now()
    assert reached_and_collapse(text)[0] < 0.9 * reached_and_collapse(text)[1]  # pairing, at 0.80, is what one sees
    assert "<img" in experiment.figure.value
