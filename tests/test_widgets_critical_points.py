"""The critical points chapter's widget."""

import re

import pytest

from dufm_lib.widgets import critical_points


def silent(fraction, text=""):
    return True


def distance(text):
    return float(re.search(r"distance ([\d.e+-]+) from", text)[1])


def test_collapse_is_left_above_the_frontier_and_kept_below():
    unstable, stable = (critical_points.nudged(12, 2, decay, 1e-2, 0, silent)[1] for decay in (2**-4, 2**-7))
    assert "unstable" in unstable and distance(unstable) > 0.3  # another structure: the simplex is far
    assert "is stable" in stable and distance(stable) < 1e-3  # pulled back from a nudge of 1e-2


def test_bad_settings_are_said_in_words():
    with pytest.raises(ValueError, match="weight_decay must be lower"):
        critical_points.nudged(12, 2, 1.0, 1e-2, 0, silent)


def test_it_stops_when_told():
    figure, _ = critical_points.nudged(12, 2, 2**-4, 1e-2, 0, lambda fraction, text="": False)
    assert figure.axes


def test_the_defaults_run():
    experiment = critical_points.nudged_experiment()
    assert experiment.run_now() and "<img" in experiment.figure.value
