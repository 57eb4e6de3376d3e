"""The landscape chapter: Hessian spectra with their zero modes counted, and where descent ends at a given width."""

from __future__ import annotations

from collections import Counter

from matplotlib.figure import Figure

from dufm_lib import Problem, descent, hessian, metrics, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls


def spectra(
    classes: int, samples: int, depth: int, width: int, weight_decay: float, report: Report
) -> tuple[Figure, str]:
    """Hessian eigenvalues at the best point of each structure, and its zero modes beside both dimension counts."""
    problem = Problem(classes, samples, depth, width, weight_decay)
    candidates = {"dnc": structures.simplex_etf(classes)}
    if classes % 2 == 0:
        candidates["pairing"] = structures.pairing(classes)
    elif classes > 3:  # an odd number of classes has no critical pairing; its rival here is the polygon
        candidates["polygon"] = structures.polygon(classes)

    ladders, lines = {}, []
    for done, (name, structure) in enumerate(candidates.items()):
        report(done / len(candidates), plots.LABELS[name])
        # DNC: the larger root of the critical equation, which exists a little beyond the point where zero gets better
        scales = theory.dnc_critical_scales(problem) if name == "dnc" else theory.optimal_scale(problem, structure)[:1]
        scale = max(scales, default=0)
        if scale == 0:
            lines.append(f"{plots.LABELS[name]}: left out, the weight decay is too large for it.")
            continue
        found = hessian.aligned_spectrum(problem, scale * structure)
        ladders[name] = found.eigenvalues, found.multiplicities
        size = int(structures.rank(structure)), width, depth
        lines.append(
            f"{plots.LABELS[name]}: {found.nullity} zero eigenvalues (this chapter counts "
            f"{theory.solution_dimension(*size)}, the paper {theory.solution_dimension_paper(*size)}) "
            f"and {found.negative} negative ones."
        )
    if not ladders:
        raise ValueError("weight_decay must be lower: here no structure has a critical point that beats zero")
    figure, ax = plots.subplots(size=(7.2, 4.2))
    plots.eigenvalue_ladder(ax, ladders, resolution=problem.mean_weight_decay / 100)
    return figure, " ".join(lines)


def spectra_experiment() -> Experiment:
    """The widget of the spectra."""
    fields = {
        "classes": controls.classes(6, smallest=3),
        "samples": controls.samples(1),
        "depth": controls.depth(2),
        "width": controls.width(9, smallest=3, largest=100),
        "weight_decay": controls.weight_decay(-10),
    }
    return Experiment(
        spectra,
        fields,
        title="The Hessian spectrum and its zero modes",
        describe="Each rung is an eigenvalue with its multiplicity. Raise the weight decay, and DNC gets unstable.",
    )


def ends(
    classes: int, width: int, weight_decay: float, init_scale: float, runs: int, seed: int, report: Report
) -> tuple[Figure, str]:
    """Share of the runs that end at each structure, with 95% intervals (one sample a class, two weight matrices)."""
    problem = Problem(classes, 1, 2, width, weight_decay)
    result = descent.train(
        problem,
        runs,
        seed,
        learning_rate=2.0,
        steps=20_000,
        init_scale=init_scale,
        tolerance=1e-5,  # float32 rounding stays well below it, and structures are told apart long before
        report=report,
    )
    found = {name: metrics.share(result.structure, name) for name, _ in Counter(result.structure).most_common()}
    figure, ax = plots.subplots(size=(7.2, 2.8))
    plots.shares(ax, found)
    dnc = metrics.share(result.structure, "dnc")
    return figure, (
        f"{result.structure.count('dnc')} of {runs} runs of width {width} ended at DNC: "
        f"{dnc.estimate:.0%}, 95% interval {dnc.low:.0%} to {dnc.high:.0%}."
    )


def ends_experiment() -> Experiment:
    """The widget that trains."""
    fields = {
        "classes": controls.classes(6, smallest=3, largest=8),
        "width": controls.width(18, smallest=3, largest=80),
        "weight_decay": controls.weight_decay(-8, smallest=-10),
        "init_scale": controls.init_scale(),
        "runs": controls.runs(50, largest=200),
        "seed": controls.seed(),
    }
    return Experiment(
        ends,
        fields,
        title="Where does descent end?",
        describe="Many runs from independent random starts; the bars are 95% intervals.",
    )
