"""The widget of the chapter on images, with few steps."""

import pytest

from dufm_lib.widgets import digits, heads, images

SMALL = {
    "samples": 2,
    "depth": 2,
    "activation": "linear",
    "regularization": "ufm",
    "feature_decay": 0.005,
    "weight_decay": 0.005,
    "init_scale": 1.0,
    "learning_rate": 0.05,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(images, "STEPS", 30)


@pytest.mark.parametrize(
    "change", [{}, {"activation": "relu", "depth": 3}, {"regularization": "standard"}, {"depth": 1, "samples": 3}]
)
def test_one_panel_a_layer_and_one_for_the_logits(short, change):
    setting = SMALL | change
    figure, text = images.spectra_of_layers(**setting, report=silent)
    assert len(figure.axes) == setting["depth"] + 1
    assert all(len(ax.lines) == 10 for ax in figure.axes)
    assert "After 30 steps: rank" in text
    assert ("best DNC" in text) == (setting["regularization"] == "ufm")


def test_both_networks_have_the_same_controls():
    assert set(digits.experiment().controls) - set(images.experiment().controls) == {"width"}


def test_every_control_of_descent_counts(short):
    changes = [{}, {"feature_decay": 0.02}, {"init_scale": 0.3}, {"learning_rate": 0.02}]
    assert len({images.spectra_of_layers(**SMALL | change, report=silent)[1] for change in changes}) == len(changes)


def test_it_stops_when_told():
    _, text = images.spectra_of_layers(**SMALL, report=lambda fraction, text: False)
    assert "After 0 steps" in text


def test_bad_settings_are_said_in_words(short, monkeypatch):
    with pytest.raises(ValueError, match="per_class must be at most 174"):
        images.spectra_of_layers(**SMALL | {"samples": 175}, report=silent)
    monkeypatch.setitem(heads.MOMENTUM, "standard", 0.999)
    with pytest.raises(ValueError, match="training diverged"):
        images.spectra_of_layers(**SMALL | {"regularization": "standard", "weight_decay": 1e3}, report=silent)


def test_the_default_ends_below_collapse():
    experiment = images.experiment()
    text = experiment.run_now()
    reached, bound = (float(text.split(word)[1].split()[0].rstrip(",);")) for word in ("objective ", "best DNC "))
    assert reached < 0.9 * bound  # 0.83 of it is what one sees
    assert "<img" in experiment.figure.value
