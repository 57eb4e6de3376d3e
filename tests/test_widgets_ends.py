"""The widget of the chapter on where descent ends."""

from dufm_lib.widgets import ends


def silent(fraction, text=""):
    return True


def test_the_initial_scale_changes_where_descent_ends():
    # In the committed sweep DNC has 0 and 94 of 200 runs at these settings: 0 of 8 is certain at the first, and
    # impossible to 1% at the second.
    small, large = (ends.ends(70, 2**-10, scale, 4.0, 8, 0, silent)[1] for scale in (0.5, 2.0))
    assert small.startswith("DNC: 0 of 8 runs") and not large.startswith("DNC: 0 of 8 runs")


def test_every_run_is_in_the_histogram_of_ranks():
    figure, text = ends.ends(10, 2**-6, 1.0, 4.0, 6, 3, silent)
    shares, ranks = figure.axes
    assert sum(bar.get_height() for bar in ranks.patches) == 6
    assert len(shares.get_xticklabels()) >= 1 and "Converged: " in text


def test_a_stopped_experiment_says_that_nothing_has_converged():
    figure, text = ends.ends(10, 2**-10, 1.0, 4.0, 3, 0, lambda fraction, text="": False)
    assert text.startswith("DNC: 0 of 3 runs") and text.endswith("Converged: none yet.")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["not converged"]


def test_the_default_runs():
    experiment = ends.experiment()
    assert experiment.run_now() and "<img" in experiment.figure.value
