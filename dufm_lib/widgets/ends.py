"""Where descent ends in the setting of the paper's Figures 2 and 5: shares of the structures, and ranks."""

from __future__ import annotations

from collections import Counter

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dufm_lib import Problem, descent, metrics, plots
from dufm_lib.widgets import Experiment, Report, controls


def ends(
    width: int,
    weight_decay: float,
    init_scale: float,
    learning_rate: float,
    runs: int,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Share of the runs that end at each structure, with 95% intervals, and how many converged at each rank."""
    problem = Problem(10, 5, 2, width, weight_decay)
    result = descent.train(problem, runs, seed, learning_rate, init_scale=init_scale, report=report)
    found = {name: metrics.share(result.structure, name) for name, _ in Counter(result.structure).most_common()}
    ranks = Counter(
        rank for rank, ended in zip(result.rank.tolist(), result.ended, strict=True) if ended == "converged"
    )

    figure, (left, right) = plots.subplots(1, 2, size=(7.2, 2.8), width_ratios=[4, 3])
    plots.shares(left, found)
    right.bar(list(ranks), list(ranks.values()), color=plots.STYLE["text.color"])
    right.set(xlim=(-0.6, 10.6), xticks=range(0, 11, 2), xlabel="rank", ylabel="converged runs")
    right.yaxis.set_major_locator(MaxNLocator(integer=True))
    dnc = metrics.share(result.structure, "dnc")
    listed = ", ".join(f"{count} at rank {rank}" for rank, count in sorted(ranks.items())) or "none yet"
    return figure, (
        f"DNC: {result.structure.count('dnc')} of {runs} runs, 95% interval {dnc.low:.0%} to {dnc.high:.0%}. "
        f"Converged: {listed}."
    )


def experiment() -> Experiment:
    """The widget of the chapter."""
    rates = {"0.5 (the paper)": 0.5, "1": 1.0, "2": 2.0, "4": 4.0}
    fields = {
        "width": controls.width(70, smallest=10, largest=140),
        "weight_decay": controls.weight_decay(-10, smallest=-12, largest=-6),
        "init_scale": controls.init_scale(2.0),
        "learning_rate": controls.choice("learning rate", rates, 4.0),
        "runs": controls.runs(10),
        "seed": controls.seed(),
    }
    return Experiment(
        ends,
        fields,
        title="Where does descent end?",
        describe="Ten classes of five samples, two weight matrices, at most 20 000 steps.",
    )
