"""The experiment of the chapter on one layer: many starts against the closed form."""

import pytest

from dufm_lib import Problem, structures, theory
from dufm_lib.widgets import one_layer

SETTING = {
    "classes": 4,
    "samples": 3,
    "depth": 1,
    "weight_decay": 0.02,
    "init_scale": 1.0,
    "runs": 5,
    "steps": 3000,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


def test_one_layer_always_ends_at_the_closed_form():
    figure, text = one_layer.against_the_bound(**SETTING, report=silent)
    assert "Of 5 runs 5 end there, 0 below and 0 above" in text
    scale, loss = theory.optimal_scale(Problem(4, 3, 1, 6, 0.02), structures.simplex_etf(4))
    assert f"scale {scale:.4g} and loss {loss:.6f}" in text
    left, right = figure.axes
    assert len(left.lines) == 5 + 1  # and the bound
    assert abs(right.lines[0].get_ydata()).max() < one_layer.NEAR


def test_above_the_threshold_nothing_survives():
    text = one_layer.against_the_bound(**SETTING | {"weight_decay": 2**-2}, report=silent)[1]
    assert text.startswith("Kλ√n = 1.73; the best simplex has scale 0 ")
    assert "5 end there" in text


@pytest.mark.parametrize(
    ("change", "ends"),
    [
        ({"weight_decay": 2**-3}, "10 end there, 0 below and 0 above"),  # past the threshold: zero
        ({"depth": 2}, "0 end there, 10 below and 0 above"),
        ({"depth": 2, "init_scale": 0.1}, "0 end there, 0 below and 10 above"),  # dead, as at log K
    ],
)
def test_what_the_chapter_suggests_to_try_shows_what_it_promises(change, ends):
    settings = one_layer.experiment().settings() | change
    assert one_layer.against_the_bound(**settings, report=silent)[1].endswith(f"Of 10 runs {ends}.")


def test_the_widget_shows_what_the_chapter_says_at_its_default_setting():
    assert "Of 10 runs 10 end there" in one_layer.experiment().run_now()


def test_reports_and_a_stop():
    told = []

    def report(fraction, text):
        told.append(fraction)
        return False

    text = one_layer.against_the_bound(**SETTING, report=report)[1]
    assert told and "Of 5 runs" in text


def test_a_bad_setting_is_named():
    with pytest.raises(ValueError, match="seed must be"):
        one_layer.against_the_bound(**SETTING | {"seed": -1}, report=silent)
