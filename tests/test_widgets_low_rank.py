"""The low-rank chapter's experiment, and the comparison of structures that its map shows."""

import math

import pytest

from dufm_lib import Problem, structures, theory
from dufm_lib.widgets import low_rank

SMALL = {"classes": 4, "samples": 1, "depth": 1, "width": 6, "weight_decay": 2**-6, "init_scale": 1.0, "seed": 0}


def silent(fraction, text=""):
    return True


def test_the_cheapest_structure_is_the_one_of_least_optimal_loss():
    problem = Problem(10, 5, 2, 70, 2**-10)
    name, losses = low_rank.cheapest(problem)
    assert name == min(losses, key=losses.get) == "pairing"
    assert losses["dnc"] == theory.optimal_scale(problem, structures.simplex_etf(10))[1]
    # the published values, to their last digit
    assert losses["dnc"] == pytest.approx(0.0906621832, abs=5e-11)
    assert losses["pairing"] == pytest.approx(0.0800126592, abs=5e-11)


@pytest.mark.parametrize(("classes", "name"), [(3, "dnc"), (4, "pairing")])
def test_structures_that_coincide_go_by_their_first_name(classes, name):
    found, losses = low_rank.cheapest(Problem(classes, 1, 3, classes, 1e-3))
    assert found == name
    assert losses["polygon"] == pytest.approx(losses[name], rel=1e-12)  # one matrix up to scale and order


def test_with_too_much_weight_decay_zero_is_cheapest():
    name, losses = low_rank.cheapest(Problem(4, 1, 2, 4, 1.0))
    assert name == "zero" and losses["dnc"] == pytest.approx(math.log(4), rel=1e-12)


def test_no_structure_beats_collapse_at_depth_one_and_the_theorem_holds_deeper():
    for classes in range(4, 9):
        for depth in range(1, 6):
            problem = Problem(classes, 1, depth, classes, 1e-3)
            name, _ = low_rank.cheapest(problem)
            assert name == "dnc" if depth == 1 else name != "dnc" or not theory.dnc_is_excluded(problem).holds


def test_one_layer_descends_to_collapse():
    figure, text = low_rank.descend(**SMALL, report=silent)
    assert "DNC (simplex), rank 3" in text
    loss, bound = (
        float(part.split()[0].rstrip(",).")) for part in (text.split("loss ")[1], text.split("best DNC ")[1])
    )
    assert loss == pytest.approx(bound, abs=1.1e-6)  # both are rounded to six digits in the sentence
    assert len(figure.axes) == 2  # curves, heat map


def test_descent_stops_when_told():
    _, text = low_rank.descend(**SMALL | {"width": 70}, report=lambda fraction, text: False)
    assert "not converged" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [({"width": 3}, "width must be at least 4"), ({"depth": 6, "init_scale": 3.0}, "init_scale 3 is too large")],
)
def test_bad_settings_are_said_in_words(change, message):
    with pytest.raises(ValueError, match=message):
        low_rank.descend(**SMALL | change, report=silent)


def test_the_default_runs():
    experiment = low_rank.descent_experiment()
    assert experiment.run_now() and "<img" in experiment.figure.value
