"""The experiment of the chapter on the deep unconstrained features model."""

import pytest

from dufm_lib.widgets import deep_model

SETTING = {
    "classes": 3,
    "samples": 2,
    "depth": 2,
    "width": 5,
    "weight_decay": 2**-5,
    "init_scale": 1.0,
    "seed": 0,
}


def test_a_run_to_the_end_names_the_structure_and_the_losses():
    figure, text = deep_model.aligning_factors(**SETTING, report=lambda fraction, text: True)
    assert "structure DNC" in text  # three classes: the simplex is the triangle, and lambda is far from its frontier
    left, right = figure.axes
    assert len(left.lines) == (2 + 1) * 3  # depth + 1 factors, K singular values each
    assert [line.get_xdata()[0] for line in left.lines] == [0] * 9
    ends = [line.get_ydata()[-1] for line in left.lines]
    for value in range(3):  # lines come factor by factor
        assert max(ends[value::3]) - min(ends[value::3]) < 1e-3  # what two lambda t = 50 and tolerance 1e-5 leave
    assert "loss" in right.get_ylabel()


def test_reports_rise_and_a_stop_ends_the_run_with_what_there_is():
    fractions = []

    def report(fraction, text):
        fractions.append(fraction)
        return len(fractions) < 3

    figure, text = deep_model.aligning_factors(**SETTING, report=report)
    assert len(fractions) == 3 and fractions == sorted(fractions) and fractions[-1] < 0.1
    assert f"After {deep_model.MARKS[3]} steps" in text
    assert len(figure.axes[0].lines[0].get_xdata()) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 2}, "width must be at least 3"),
        ({"init_scale": 60.0}, "init_scale 60 is too large"),
    ],
)
def test_a_bad_setting_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        deep_model.aligning_factors(**SETTING | change, report=lambda fraction, text: True)


def test_the_widget_runs_at_its_default_setting():
    summary = deep_model.experiment().run_now()
    assert "structure other" in summary  # five classes at depth 3: two pairs and a single class


@pytest.mark.parametrize(
    ("change", "structure"),
    [
        ({"depth": 1}, "DNC"),
        ({"init_scale": 0.5}, "polygon"),
        ({"init_scale": 0.1}, "zero"),
        ({"weight_decay": 2**-3}, "zero"),
        ({"classes": 6, "depth": 2, "width": 20, "seed": 1}, "DNC"),
        ({"classes": 6, "depth": 2, "width": 20, "seed": 5}, "pairing"),
    ],
)
def test_what_the_chapter_suggests_to_try_shows_what_it_promises(change, structure):
    settings = deep_model.experiment().settings() | change
    _, text = deep_model.aligning_factors(**settings, report=lambda fraction, text: True)
    assert f"structure {structure}" in text
