"""The landscape chapter's widgets, and the frontier of stability they show."""

import math
import re

import pytest

from dufm_lib import Problem, hessian, theory
from dufm_lib.structures import simplex_etf
from dufm_lib.widgets import landscape


def silent(fraction, text=""):
    return True


def test_the_spectra_widget_counts_the_zero_modes():
    figure, text = landscape.spectra(6, 1, 2, 9, 2**-10, silent)
    assert re.findall(r"(\d+) zero eigenvalues", text) == ["60", "42"]  # the table of Theorem 5 in the chapter
    assert text.count("and 0 negative ones") == 2
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["DNC (simplex)", "pairing (orthoplex)"]


def test_the_spectra_widget_takes_the_polygon_for_an_odd_number_of_classes():
    assert "polygon: " in landscape.spectra(7, 2, 3, 8, 2**-12, silent)[1]
    assert "polygon" not in landscape.spectra(3, 2, 3, 8, 2**-12, silent)[1]  # it is the simplex


def test_the_spectra_widget_shows_where_stability_ends():
    stable, unstable = (landscape.spectra(6, 1, 2, 9, decay, silent)[1] for decay in (2**-4, 2**-3))
    assert "DNC (simplex): 60 zero eigenvalues" in stable and "and 0 negative" in stable.split("pairing")[0]
    assert "and 9 negative" in unstable and "pairing (orthoplex): left out" in unstable  # K (K - 3) / 2 = 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [((10, 1, 2, 9, 2**-10), "width must be at least 10"), ((6, 1, 2, 9, 1.0), "weight_decay must be lower")],
)
def test_bad_settings_are_said_in_words(settings, message):
    with pytest.raises(ValueError, match=message):
        landscape.spectra(*settings, silent)


def test_the_training_widget_finds_dnc_more_often_in_wide_models():
    share = {
        width: int(landscape.ends(6, width, 2**-8, 1.0, 30, 0, silent)[1].split(" of 30 runs")[0]) for width in (6, 48)
    }
    assert share[6] <= 5 and share[48] >= 25  # about 1% and 99%: a miss of either has probability below 1e-6


def test_the_training_widget_stops_when_told():
    figure, text = landscape.ends(6, 18, 2**-10, 1.0, 4, 0, lambda fraction, text="": False)
    assert text.startswith("0 of 4 runs") and figure.axes


@pytest.mark.parametrize("make", [landscape.spectra_experiment, landscape.ends_experiment])
def test_the_defaults_run(make):
    experiment = make()
    assert experiment.run_now() and "<img" in experiment.figure.value


@pytest.mark.parametrize(("K", "L", "n"), [(4, 2, 1), (10, 2, 1), (6, 3, 4), (5, 4, 2)])
def test_the_hessian_at_dnc_loses_its_negative_eigenvalues_at_the_stable_scale(K, L, n):
    for factor in (0.95, 1.05):
        alpha = factor * theory.dnc_stable_scale(Problem(K, n, L, K, 1.0))
        decay = alpha ** ((L - 1) / (L + 1)) / (math.exp(alpha) + K - 1) / n ** (1 / (L + 1))
        spectrum = hessian.aligned_spectrum(Problem(K, n, L, K, decay), alpha * simplex_etf(K))
        predicted = decay * ((L + 1) * alpha / K - (L - 1))
        # rounding of an eigenvalue solver: 1e-16 times the largest eigenvalue (below 1) times the size of the block
        assert (spectrum.eigenvalues - predicted).abs().min() < 1e-13
        assert spectrum.negative == (K * (K - 3) // 2 if factor < 1 else 0)
        if factor < 1:
            assert spectrum.smallest == pytest.approx(predicted, abs=1e-13)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": (1, 1, 1, 2)}, "balanced"),
        ({"loss": "mse"}, "cross_entropy"),
        ({"activation": "relu"}, "linear"),
    ],
)
def test_the_stable_scale_says_what_it_is_not_for(options, message):
    with pytest.raises(ValueError, match=message):
        theory.dnc_stable_scale(
            Problem(**{"classes": 4, "samples": 1, "depth": 2, "width": 4, "weight_decay": 0.01} | options)
        )
