"""The experiment of the chapter on all layers: DNC1 to DNC3 over the training of a head."""

import pytest

from dufm_lib.widgets import every_layer

SETTING = {
    "classes": 3,
    "samples": 10,
    "depth": 2,
    "activation": "linear",
    "weight_decay": 2**-7,
    "steps": 200,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


def value(text, name):
    return float(text.split(f"{name} ")[1].split(",")[0].rstrip(".").split(". ")[0])


@pytest.mark.parametrize("depth", [1, 3])
def test_one_line_a_layer_in_each_panel(depth):
    figure, text = every_layer.by_layer(**SETTING | {"depth": depth}, report=silent)
    assert [len(ax.lines) for ax in figure.axes] == [depth] * 3
    assert [ax.get_title() for ax in figure.axes] == ["DNC1", "DNC2", "DNC3"]
    assert text.startswith("After 200 epochs, worst layer: DNC1 ")


def test_three_classes_collapse_at_the_default_setting():
    text = every_layer.experiment().run_now()
    assert value(text, "DNC1") < 5e-3 and value(text, "DNC2") < 0.05 and value(text, "DNC3") < 0.1
    assert "Accuracy 1.000, logits of rank 2." in text


def test_six_classes_keep_another_shape():
    settings = every_layer.experiment().settings() | {"classes": 6}
    text = every_layer.by_layer(**settings, report=silent)[1]
    assert value(text, "DNC2") > 0.5 and value(text, "DNC1") < 0.05  # as the chapter says


def test_relu_separates_the_lines_of_dnc1():
    settings = every_layer.experiment().settings()
    ratios = {}
    for activation in ("linear", "relu"):
        figure, _ = every_layer.by_layer(**settings | {"activation": activation}, report=silent)
        ends = [line.get_ydata()[-1] for line in figure.axes[0].lines]
        ratios[activation] = max(ends) / min(ends)
    assert ratios["linear"] < 1.2 and ratios["relu"] > 2


def test_reports_and_a_stop_ends_the_training():
    told = []

    def report(fraction, text):
        told.append(fraction)
        return False

    text = every_layer.by_layer(**SETTING | {"steps": 100_000}, report=report)[1]
    assert told and int(text.split("After ")[1].split()[0]) < 50_000


@pytest.mark.parametrize(
    ("change", "message"), [({"samples": 200}, "per_class must be at most"), ({"seed": -1}, "seed must be")]
)
def test_a_bad_setting_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        every_layer.by_layer(**SETTING | change, report=silent)
