"""The front page: where gradient descent ends, run by run, in a narrow and in a wide model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matplotlib.figure import Figure

from dufm_lib import Problem, descent, metrics, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls


def ends(
    width: int,
    runs: int = 20,
    classes: int = 6,
    samples: int = 2,
    depth: int = 2,
    weight_decay: float = 2**-9,
    seed: int = 0,
    report: Report | None = None,
) -> descent.Runs:
    """Descend `runs` times from small random parameters (factor 0.7), with learning rate 1 and at most 12 000 steps."""
    problem = Problem(classes, samples, depth, width, weight_decay)
    return descent.train(problem, runs, seed, learning_rate=1.0, steps=12_000, init_scale=0.7, report=report)


def shares(by_width: Mapping[int, descent.Runs]) -> Figure:
    """Share of the runs that end at DNC and at pairing against the width, with 95% intervals."""
    figure, ax = plots.subplots()
    for name in ("pairing", "dnc"):
        estimate, low, high = zip(*(metrics.share(runs.structure, name) for runs in by_width.values()), strict=True)
        plots.probability(ax, list(by_width), estimate, low, high, structure=name)
    ax.set_xscale("log")
    ax.set_xticks(list(by_width), [str(width) for width in by_width], minor=False)
    ax.minorticks_off()
    ax.set(xlabel="width d", ylabel="share of the runs")
    return figure


def compute(
    classes: int,
    samples: int,
    depth: int,
    width: int,
    weight_decay: float,
    runs: int,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Loss of every run over the steps, beside the best losses of DNC and pairing."""
    result = ends(width, runs, classes, samples, depth, weight_decay, seed, report)
    losses = {
        "dnc": theory.optimal_scale(result.problem, structures.simplex_etf(classes))[1],
        "pairing": theory.optimal_scale(result.problem, structures.pairing(classes))[1],
    }
    figure, ax = plots.subplots()
    plots.loss_curves(ax, result.history.steps, result.history.loss, result.structure, losses)
    low, high = min(losses.values()), max(*losses.values(), float(result.loss.nan_to_num().max()))
    margin = 0.3 * (high - low)
    ax.set_ylim(low - margin, high + 2 * margin)  # the first steps, far above, are left out
    if len(result.history.steps) > 1:  # else stopped at step 0, which has no place on a logarithmic axis
        ax.set_xscale("log")
    counts = ", ".join(f"{count} at {plots.LABELS[name]}" for name, count in Counter(result.structure).most_common())
    return figure, f"Of {runs} runs at width {width}, {counts}."


def experiment() -> Experiment:
    """The widget of the front page."""
    fields = {
        "classes": controls.classes(6, smallest=3),
        "samples": controls.samples(2),
        "depth": controls.depth(2),
        "width": controls.width(20),
        "weight_decay": controls.weight_decay(-9),
        "runs": controls.runs(10),
        "seed": controls.seed(),
    }
    return Experiment(
        compute,
        fields,
        title="Where does descent end?",
        describe="Each curve is the loss of one run, in the colour of the structure it ends at.",
    )
