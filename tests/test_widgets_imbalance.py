"""The widget of the chapter on imbalance."""

import pytest
import torch

from dufm_lib import Problem, theory
from dufm_lib.widgets import imbalance

SMALL = {
    "classes": 4,
    "minority": 2,
    "ratio": 10,
    "depth": 1,
    "weight_decay": 0.01,
    "init_scale": 1.0,
    "seed": 0,
}


def silent(fraction, text=""):
    return True


@pytest.mark.parametrize("minority", [1, 2, 3])
def test_the_spread_is_the_c_of_the_theory(minority):
    problem = Problem(5, theory.step_sizes(5, minority, 4), 1, 5, 0.005)
    found = theory.step_optimum(problem)
    spread = imbalance.spread_of_small_classes(problem, found.logits)
    assert spread == pytest.approx(found.small if minority > 1 else 0, abs=1e-12)
    assert imbalance.spread_of_small_classes(problem, found.logits + 7) == pytest.approx(spread, abs=1e-12)
    assert imbalance.spread_of_small_classes(problem, torch.zeros(5, 5)) == 0


@pytest.mark.parametrize(("ratio", "merged"), [(10, False), (60, True)])
def test_small_classes_merge_beyond_the_threshold(ratio, merged):
    _, text = imbalance.merging(**SMALL | {"ratio": ratio}, report=silent)
    problem = Problem(4, theory.step_sizes(4, 2, ratio), 1, 20, 0.01)
    assert ("merged small classes" in text) == merged == (theory.merging_decay(problem) <= 0.01)
    loss, best = (float(part.split()[0].rstrip(";.")) for part in (text.split("Loss ")[1], text.split("alike has ")[1]))
    assert loss == pytest.approx(best, abs=1.1e-5)  # both are rounded to five digits in the sentence


def test_stops_when_told():
    _, text = imbalance.merging(**SMALL, report=lambda fraction, text: False)
    assert "After 250 steps" in text  # the first report


@pytest.mark.parametrize(
    ("change", "message"), [({"minority": 4}, "minority must be less"), ({"depth": 4, "init_scale": 8.0}, "too large")]
)
def test_bad_settings_are_said_in_words(change, message):
    with pytest.raises(ValueError, match=message):
        imbalance.merging(**SMALL | change, report=silent)


def test_the_default_runs():
    experiment = imbalance.experiment()
    assert "merged small classes" in experiment.run_now() and "<img" in experiment.figure.value
