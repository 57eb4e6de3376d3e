"""The widget of the front page, by its callback."""

import pytest

from dufm_lib import theory
from dufm_lib.structures import pairing, simplex_etf
from dufm_lib.widgets import puzzle

SETTING = {"classes": 4, "samples": 1, "depth": 2, "weight_decay": 2**-6, "runs": 3, "seed": 0}


def going(fraction, text):
    return True


def test_the_defaults_run():
    experiment = puzzle.experiment()
    summary = experiment.run_now()
    assert summary.startswith("Of 10 runs at width 20, ") and "<img" in experiment.figure.value


def test_the_figure_shows_every_run_and_both_bounds():
    figure, summary = puzzle.compute(width=8, report=going, **SETTING)
    problem = puzzle.ends(8, **SETTING).problem
    levels = {line.get_ydata()[0] for line in figure.axes[0].lines if len(set(line.get_ydata())) == 1}
    for structure in (simplex_etf(4), pairing(4)):
        assert theory.optimal_scale(problem, structure)[1] in levels
    assert len(figure.axes[0].lines) == 3 + 2
    assert summary.startswith("Of 3 runs at width 8, ")


def test_the_same_seed_gives_the_same_ends():
    first, second = (puzzle.ends(8, **SETTING) for _ in range(2))
    assert first.structure == second.structure and first.loss.equal(second.loss)


def test_stopping_still_draws():
    told = []

    def stopping(fraction, text):
        told.append(fraction)
        return False

    _, summary = puzzle.compute(width=60, report=stopping, **SETTING | {"classes": 10, "runs": 20})
    assert told and "20 at not converged" in summary


def test_the_share_figure_has_a_point_a_width_for_both_structures():
    figure = puzzle.shares({width: puzzle.ends(width, **SETTING) for width in (4, 6)})
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["4", "6"]
    assert len(figure.axes[0].containers) == 2


def test_a_bad_setting_is_said_in_words():
    experiment = puzzle.experiment()
    experiment.controls["width"].value = 4
    with pytest.raises(ValueError, match="width must be at least 6"):
        experiment.run_now()
    assert "width must be at least 6" in experiment.message.value
