"""The front page: the losses of collapse and of its rival, and where gradient descent ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matplotlib.figure import Figure

from dufm_lib import Problem, descent, metrics, plots, structures, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


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


def curves(classes: int = 6, samples: int = 2, depth: int = 2) -> Figure:
    """Best losses of DNC and pairing against the weight decay, and their ratio: the live figure at rest, for print."""
    decays = [2.0**power for power in range(-14, 0)]
    problems = [Problem(classes, samples, depth, classes, decay) for decay in decays]
    best = {
        name: [theory.optimal_scale(problem, shape(classes))[1] for problem in problems]
        for name, shape in {"dnc": structures.simplex_etf, "pairing": structures.pairing}.items()
    }
    figure, (left, right) = plots.subplots(1, 2)
    plots.by_structure(left, decays, best)
    ratios = {
        name: [loss / dnc for loss, dnc in zip(losses, best["dnc"], strict=True)] for name, losses in best.items()
    }
    plots.by_structure(right, decays, ratios)
    left.set(xscale="log", yscale="log", xlabel="weight decay", ylabel="best loss")
    right.set(xscale="log", xlabel="weight decay", ylabel="loss / loss of DNC")
    return figure


class Puzzle(LiveFigure):
    """The losses of DNC and pairing and their crossing, in the page; with Python, where descent ends beside them."""

    _esm = bundle("puzzle.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of its fields may differ from the start."""
        super().__init__(
            name="puzzle",
            title="Is collapse worth its loss?",
            about="The best losses of DNC and pairing against the weight decay, and on the right in parts of the loss "
            "of DNC: where pairing is below 1, collapse is not optimal. Try four classes, or depth 1.",
            fields=[
                fields.number("K", "classes K", 6, 3, 16),
                fields.number("L", "depth L", 2, 1, 6),
                fields.power("lambda", "weight decay λ", 2.0**-9, 2.0**-14, 0.5),
                fields.number("n", "samples per class n", 2, 1, 20),
                fields.number("d", "width d", 20, 3, 120, kernel=True),
                fields.number("runs", "runs", 10, 1, 20, kernel=True),
                fields.number("seed", "seed", 0, 0, 999, kernel=True),
            ],
            structures=["dnc", "pairing", "polygon", "mixed", "zero", "unconverged", "diverged"],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Loss of every run over the steps, beside the best losses of DNC and pairing."""
        K, n, L, d = (values[name] for name in "KnLd")
        runs = ends(d, values["runs"], K, n, L, values["lambda"], values["seed"], report)
        shapes = {"dnc": structures.simplex_etf(K), "pairing": structures.pairing(K)}
        result = {name: theory.optimal_scale(runs.problem, shape)[1] for name, shape in shapes.items()}
        losses = [[float(f"{loss:.6g}") for loss in run[run.isfinite()].tolist()] for run in runs.history.loss.T]
        result |= {
            "K": K,
            "n": n,
            "L": L,
            "lambda": values["lambda"],
            "steps": runs.history.steps.tolist(),
            "loss": losses,
            "structure": list(runs.structure),
        }
        counts = ", ".join(f"{count} at {plots.LABELS[name]}" for name, count in Counter(runs.structure).most_common())
        return result, f"Of {len(runs)} runs at width {d}, {counts}."
