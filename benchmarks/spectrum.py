"""How fast is a Hessian spectrum? The ways of `dufm_lib.hessian`, measured side by side with a dense solve.

    python benchmarks/spectrum.py [--dense 9100] [--output benchmarks/spectrum.json]   (both: the committed record)

At the collapsed point of the paper's size (K = 10, n = 5, L = 2, d = 70: 9100 parameters):

    parameters   hessian.spectrum from the parameters: recognises the aligned point, then the reduction
    lanczos      hessian.extreme_spectrum: the 8 smallest and the 8 largest, by Hessian-vector products
    products     the dense matrix alone, column by column, as torch.func.hessian would form it
    dense        torch.linalg.eigvalsh of that matrix, and how far its eigenvalues are from ours

The dense rivals are measured at widths that hold at most `--dense` parameters: by default up to d = 30 (2700, a few
seconds); with 9100 at the paper's size too, which takes 2 GB and minutes. Then aligned_spectrum from the logits alone,
at d = 70 to 10 000. Targets: at most 50 ms from parameters at the paper's size, and from logits at d = 10 000. The best
of several turns counts; numbers to quote come from an idle machine. Prints two tables and writes them, with the
environment, as JSON.
"""

import time
from collections.abc import Callable

import torch
from environment import command_line, environment, write

from dufm_lib import Problem, hessian, model, structures, theory

TARGET = 0.050  # seconds


def collapsed(classes: int, width: int) -> tuple[Problem, torch.Tensor]:
    """The paper's setting at any width, and the class-mean logits of its collapsed critical point."""
    problem = Problem(classes=classes, samples=5, depth=2, width=width, weight_decay=2**-10)
    return problem, theory.dnc_critical_scales(problem)[-1] * structures.simplex_etf(classes)


def timed(work: Callable[[], object], turns: int) -> tuple[float, object]:
    """Seconds of the best turn, and what the last one returned."""
    seconds = []
    for _ in range(turns):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return min(seconds), result


def from_parameters(classes: int, width: int, dense_limit: int, turns: int) -> dict[str, object]:
    """One row: the four ways at one aligned point."""
    problem, logits = collapsed(classes, width)
    params = model.aligned_point(problem, logits)
    seconds, spectrum = timed(lambda: hessian.spectrum(problem, params), turns)
    lanczos, _ = timed(lambda: hessian.extreme_spectrum(problem, params), turns=2)
    size = int(spectrum.multiplicities.sum())
    row = {"width": width, "parameters": size, "seconds": seconds, "lanczos_seconds": lanczos}
    if size > dense_limit:
        return row
    products, matrix = timed(lambda: hessian.matrix(problem, params, limit=dense_limit), turns=1)
    dense, values = timed(lambda: torch.linalg.eigvalsh(matrix), turns=1)
    return row | {
        "products_seconds": products,
        "dense_seconds": dense,
        "dense_ratio": dense / seconds,
        "largest_difference": float((values - spectrum.expand()).abs().max()),
    }


def from_logits(classes: int, width: int, turns: int) -> dict[str, object]:
    """One row: no parameters are formed."""
    problem, logits = collapsed(classes, width)
    seconds, spectrum = timed(lambda: hessian.aligned_spectrum(problem, logits), turns)
    return {
        "width": width,
        "parameters": int(spectrum.multiplicities.sum()),
        "seconds": seconds,
        "nullity": spectrum.nullity,
    }


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--dense", type=int, default=3000, help="the most parameters that the dense rivals are given")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--widths", type=int, nargs="+", default=[10, 20, 30, 70])
    parser.add_argument("--logits-widths", type=int, nargs="+", default=[70, 200, 1000, 10_000])
    parser.add_argument("--turns", type=int, default=20)
    arguments = parser.parse_args()
    classes, turns = arguments.classes, arguments.turns

    before = environment()
    columns = "".join(f"{name:>13}" for name in ("spectrum ms", "lanczos ms", "matrix s", "eigvalsh s", "ratio"))
    print(f"{'width':>6}{'parameters':>12}{columns}")
    rows = []
    for width in arguments.widths:
        row = from_parameters(classes, width, arguments.dense, turns)
        rows.append(row)
        line = f"{width:6}{row['parameters']:12}{row['seconds'] * 1e3:13.1f}{row['lanczos_seconds'] * 1e3:13.0f}"
        if "dense_seconds" in row:
            line += f"{row['products_seconds']:13.2f}{row['dense_seconds']:13.2f}{row['dense_ratio']:13.0f}"
        print(line, flush=True)

    print(f"\n{'width':>6}{'parameters':>12}{'from logits ms':>16}{'zeros':>12}")
    logits_rows = [from_logits(classes, width, turns) for width in arguments.logits_widths]
    for row in logits_rows:
        print(f"{row['width']:6}{row['parameters']:12}{row['seconds'] * 1e3:16.1f}{row['nullity']:12}")
    for name, row in [("from parameters", rows[-1]), ("from logits", logits_rows[-1])]:
        found = f"{row['seconds'] * 1e3:.1f} ms at d = {row['width']}"
        verdict = "within" if row["seconds"] <= TARGET else "over"
        print(f"{name}: {found}, {verdict} the target of {TARGET * 1e3:.0f} ms")
    write(arguments.output, {"environment": before, "from_parameters": rows, "from_logits": logits_rows})


if __name__ == "__main__":
    main()
