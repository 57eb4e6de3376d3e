"""The live figure of flatness: norms of the Hessian at collapse over those at pairing."""

from __future__ import annotations

from dufm_lib import Problem, hessian, model, structures, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Sharpness(LiveFigure):
    """Three norms of the Hessian, DNC over pairing, with their limits; with Python, at parameters built for it."""

    _esm = bundle("sharpness.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of m, n, L, d and lambda (as `**{"lambda": 0.01}`) may differ from the start."""
        super().__init__(
            name="sharpness",
            title="Which is flatter?",
            about="Norms of the Hessian at DNC over those at pairing: below 1 collapse is flatter. Left, as the weight "
            "decay vanishes; right, the limits for each depth. Raise L, then n, and the answer changes sides.",
            fields=[
                fields.number("m", "pairs of classes, K = 2m", 5, 2, 20),
                fields.number("n", "samples per class n", 5, 1, 100),
                fields.number("L", "depth L", 2, 1, 12),
                fields.number("d", "width d", 70, 4, 200),
                fields.power("lambda", "weight decay λ", 2.0**-10, 2.0**-80, 2.0**-6),
            ],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Norms from the Hessian spectrum at random parameters aligned to each structure."""
        K, n, L, d = 2 * values["m"], values["n"], values["L"], values["d"]
        problem = Problem(K, n, L, d, values["lambda"])
        pairing = theory.optimal_scale(problem, structures.pairing(K))[0]
        scales = max(theory.dnc_critical_scales(problem), default=0.0), pairing
        if 0 in scales:
            raise ValueError("lambda must be lower: here one of the two points does not exist")
        norms = []
        for scale, shape in zip(scales, (structures.simplex_etf(K), structures.pairing(K)), strict=True):
            report(0.5 * len(norms), "Hessian")
            found = hessian.spectrum(problem, model.aligned_point(problem, scale * shape))
            sizes, counts = found.eigenvalues.abs() / problem.mean_weight_decay, found.multiplicities
            norms.append((sizes.max(), (sizes.square() * counts).sum().sqrt(), (sizes * counts).sum()))
        ratios = [float(one / other) for one, other in zip(*norms, strict=True)]
        names = ("spectral", "frobenius", "trace")
        result = {name: values[name] for name in ("m", "n", "L", "d", "lambda")} | dict(zip(names, ratios, strict=True))
        return result, "At parameters: " + ", ".join(f"{each} {x:.5f}" for each, x in zip(names, ratios, strict=True))
