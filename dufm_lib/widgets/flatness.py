"""The flatness chapter: norms of the Hessian at collapse over those at pairing, against the weight decay."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import Problem, hessian, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

NORMS = ("spectral", "Frobenius", "trace")


def ratios(classes: int, samples: int, depth: int, width: int, lowest: float, report: Report) -> tuple[Figure, str]:
    """Ratio of DNC to pairing in three norms, from a weight decay where both are critical down to the lowest."""
    problem = Problem(classes, samples, depth, width, lowest)
    dnc, pairing = theory.dnc_flatness(problem), theory.pairing_flatness(problem)
    limits = [one / other for one, other in zip(dnc, pairing, strict=True)]
    pair = structures.simplex_etf(classes), structures.pairing(classes)
    decays, found = [], []
    for done in range(13):
        decay = 2.0**-6 * (lowest * 2**6) ** (done / 12)
        if not report(done / 13, f"λ = {decay:.0e}"):
            break
        case = Problem(classes, samples, depth, width, decay)
        scales = [theory.optimal_scale(case, structure)[0] for structure in pair]
        if 0 in scales:
            continue  # zero beats one of them
        norms = [_norms(case, scale * structure) for scale, structure in zip(scales, pair, strict=True)]
        decays.append(decay)
        found.append([one / other for one, other in zip(*norms, strict=True)])
    figure, ax = plots.subplots()
    for name, limit, values in zip(NORMS, limits, zip(*found, strict=True), strict=False):
        (line,) = ax.semilogx(decays, values, label=f"{name}, limit {limit:.3f}")
        ax.axhline(limit, color=line.get_color(), linestyle=":", linewidth=1)
    ax.set(xlabel="weight decay λ", ylabel="norm at DNC / at pairing")
    if found:
        ax.legend()
    ends = ", ".join(f"{name} {value:.3f}" for name, value in zip(NORMS, found[-1] if found else (), strict=False))
    return figure, f"At weight decay {decays[-1]:.0e}: {ends}." if found else "Stopped before the first weight decay."


def _norms(problem: Problem, logits) -> tuple[float, float, float]:
    """Spectral, Frobenius and trace norm of the Hessian over lambda, at which the squares do not underflow."""
    spectrum = hessian.aligned_spectrum(problem, logits)
    sizes, counts = spectrum.eigenvalues.abs() / problem.mean_weight_decay, spectrum.multiplicities
    return float(sizes.max()), float((sizes.square() * counts).sum().sqrt()), float((sizes * counts).sum())


def ratios_experiment() -> Experiment:
    """The widget of the ratios."""
    fields = {
        "classes": controls.slider("classes K (even)", 10, 4, 14, 2),
        "samples": controls.samples(5),
        "depth": controls.depth(2, smallest=1, largest=5),
        "width": controls.width(70, smallest=4),
        "lowest": controls.choice("lowest λ", {"10⁻⁶": 1e-6, "10⁻²⁰": 1e-20, "10⁻²⁵⁰": 1e-250}, 1e-20),
    }
    return Experiment(
        ratios,
        fields,
        title="Which is flatter?",
        describe="Below one, collapse is flatter than pairing. Dotted: the limits for vanishing weight decay.",
    )
