"""The live figure of the Hessian spectrum at collapse and at pairing."""

from __future__ import annotations

from dufm_lib import Problem, hessian, model, plots, structures, theory
from dufm_lib.widgets import Report, fields
from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.live import LiveFigure


class Curvature(LiveFigure):
    """Hessian eigenvalues with their multiplicities, in the page; with Python, those of parameters built for it."""

    _esm = bundle("curvature.js")

    def __init__(self, **values: object) -> None:
        """Make the figure; `values` of K, L, d, n and lambda (as `**{"lambda": 0.01}`) may differ from the start."""
        super().__init__(
            name="curvature",
            title="Flat and curved directions",
            about="Above, all Hessian eigenvalues at the critical point of each structure: zero modes at 0, negative "
            "ones in the grey. Below, the zero modes against the width. Raise the weight decay until DNC is unstable.",
            fields=[
                fields.number("d", "width d", 70, 3, 200),
                fields.power("lambda", "weight decay λ", 2.0**-10, 2.0**-14, 2.0**-4),
                fields.number("K", "classes K", 10, 3, 10),
                fields.number("L", "depth L", 2, 1, 4),
                fields.number("n", "samples per class n", 5, 1, 5),
            ],
            structures=["dnc", "pairing"],
            values=values,
        )

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """Eigenvalues and multiplicities at random parameters aligned to each structure."""
        K, n, L, d = (values[name] for name in "KnLd")
        problem = Problem(K, n, L, d, values["lambda"])
        points = {"dnc": max(theory.dnc_critical_scales(problem), default=0) * structures.simplex_etf(K)}
        if K % 2 == 0:
            points["pairing"] = theory.optimal_scale(problem, structures.pairing(K))[0] * structures.pairing(K)
        points = {name: logits for name, logits in points.items() if logits.any()}
        if not points:
            raise ValueError("lambda must be lower: here neither structure has a critical point that beats zero")
        result = {name: values[name] for name in ("K", "n", "L", "d", "lambda")}
        said = []
        for done, (name, logits) in enumerate(points.items()):
            if not report(done / len(points), plots.LABELS[name]):
                break
            found = hessian.spectrum(problem, model.aligned_point(problem, logits))
            result[name] = list(zip(found.eigenvalues.tolist(), found.multiplicities.tolist(), strict=True))
            said.append(f"{plots.LABELS[name]}: {found.nullity} zeros and {found.negative} negative eigenvalues.")
        return result, " ".join(said)
