"""The flatness chapter's widget."""

import re

import pytest

from dufm_lib.widgets import flatness


def silent(fraction, text=""):
    return True


def test_the_ratios_approach_the_limits_and_the_trace_is_last():
    _, text = flatness.ratios(6, 1, 2, 6, 1e-250, silent)
    spectral, frobenius, trace = (float(value) for value in re.findall(r" (\d\.\d+)[,.]", text))
    # the constants are 1, 0.8916 and 8/9; what is left is a few over the scale, which is about 580
    assert (spectral, trace) == (pytest.approx(1, abs=1e-3), pytest.approx(8 / 9, abs=5e-3))
    assert frobenius == pytest.approx(0.8916, abs=5e-3)


def test_strong_weight_decay_is_left_out():
    figure, text = flatness.ratios(10, 10_000, 2, 10, 1e-6, silent)
    assert len(figure.axes[0].get_lines()[0].get_xdata()) < 13 and "spectral" in text


def test_bad_settings_are_said_in_words():
    with pytest.raises(ValueError, match="even number of classes"):
        flatness.ratios(5, 1, 2, 6, 1e-6, silent)


def test_it_stops_when_told():
    figure, text = flatness.ratios(6, 1, 2, 6, 1e-6, lambda fraction, text="": False)
    assert figure.axes and text.startswith("Stopped")


def test_the_defaults_run():
    experiment = flatness.ratios_experiment()
    assert experiment.run_now() and "<img" in experiment.figure.value
