"""The widget of the chapter on ReLU."""

import pytest

from dufm_lib import Problem, structures, theory
from dufm_lib.widgets import relu

SMALL = {
    "loss": "cross_entropy",
    "classes": 6,
    "depth": 2,
    "width": 10,
    "weight_decay": 2**-8,
    "init_scale": 1.0,
    "learning_rate": 1.0,
    "steps": 2000,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


def test_bounds_of_the_papers_figure_6():
    problem = Problem(10, 5, 3, 70, 2**-9, activation="relu")
    found = relu.bounds(problem)
    assert found["dnc"] == theory.optimal_scale(problem, structures.simplex_etf(10))[1]
    assert found["strongly_regular"] < found["dnc"] < found["pairing"]


def test_codes_fit_the_problem():
    names = {
        (7, "cross_entropy", 3): [],
        (8, "cross_entropy", 1): [],
        (8, "cross_entropy", 2): ["pairing"],
        (15, "cross_entropy", 3): ["strongly_regular"],
        (6, "mse", 2): [],
        (6, "mse", 3): ["strongly_regular"],
        (3, "mse", 3): [],
    }
    for (classes, loss, depth), expected in names.items():
        assert list(relu.codes(Problem(classes, 1, depth, classes, 1e-3, loss, "relu"))) == expected


@pytest.mark.parametrize("change", [{}, {"loss": "mse"}, {"classes": 5}, {"depth": 1, "weight_decay": 1.0}])
def test_a_run_is_compared_with_collapse(change):
    figure, text = relu.below_collapse(**SMALL | change, report=silent)
    assert "the least loss of collapse" in text and "Rank" in text
    assert len(figure.axes) == 2


def test_one_layer_never_goes_below_collapse():
    _, text = relu.below_collapse(**SMALL | {"depth": 1}, report=silent)
    assert "above" in text


def test_stops_when_told():
    _, text = relu.below_collapse(**SMALL, report=lambda fraction, text: False)
    assert "After 2000 steps" not in text


@pytest.mark.parametrize(
    ("change", "message"), [({"width": 3}, "width must be"), ({"learning_rate": 1e4}, "too large for depth 2")]
)
def test_bad_settings_are_said_in_words(change, message):
    with pytest.raises(ValueError, match=message):
        relu.below_collapse(**SMALL | change, report=silent)


def test_the_default_goes_below_collapse():
    experiment = relu.experiment()
    assert "below" in experiment.run_now() and "<img" in experiment.figure.value


def test_what_the_chapter_says_to_try():
    settings = relu.experiment().settings()
    mse = {"loss": "mse", "depth": 4, "init_scale": 0.7}
    assert "below" in relu.below_collapse(**settings | mse, report=silent)[1]
    assert "above" in relu.below_collapse(**settings | {"depth": 1}, report=silent)[1]
