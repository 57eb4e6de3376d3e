"""The front page's runs; its live figure is in test_widgets_live.py."""

from dufm_lib.widgets import puzzle

SETTING = {"classes": 4, "samples": 1, "depth": 2, "weight_decay": 2**-6, "runs": 3, "seed": 0}


def test_the_same_seed_gives_the_same_ends():
    first, second = (puzzle.ends(8, **SETTING) for _ in range(2))
    assert first.structure == second.structure and first.loss.equal(second.loss)


def test_a_run_stopped_at_once_still_has_a_result():
    figure = puzzle.Puzzle(K=10, d=60, runs=20)
    result, text = figure.compute(figure.values, lambda fraction, text: False)
    assert "20 at not converged" in text and len(result["loss"]) == 20


def test_the_share_figure_has_a_point_a_width_for_both_structures():
    figure = puzzle.shares({width: puzzle.ends(width, **SETTING) for width in (4, 6)})
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["4", "6"]
    assert len(figure.axes[0].containers) == 2
