"""The dynamics chapter's widget."""

import re

import pytest

from dufm_lib.widgets import dynamics


def silent(fraction, text=""):
    return True


def alive(text):
    return int(text.split(" of ")[0])


def test_depth_leaves_fewer_modes():
    shallow, deep = (alive(dynamics.spectral(8, depth, 0.1, 1.0, 1, silent)[1]) for depth in (1, 6))
    assert shallow == 7  # at depth 1 ratios stay early and even out late
    assert 3 <= deep < 7  # three modes are needed to tell eight classes apart


def test_descent_and_the_equation_agree():
    _, text = dynamics.spectral(4, 2, 0.3, 1.0, 0, silent)
    descent, equation = (float(value) for value in re.findall(r"(\d+\.\d{3})", text))
    assert descent == pytest.approx(equation, rel=0.02)  # Euler's error at a step of 0.05


def test_it_stops_when_told():
    figure, _ = dynamics.spectral(8, 3, 0.1, 1.0, 0, lambda fraction, text="": False)
    assert figure.axes


def test_the_defaults_run():
    experiment = dynamics.spectral_experiment()
    assert experiment.run_now() and "<img" in experiment.figure.value
