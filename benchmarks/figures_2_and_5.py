"""How long do Figures 2 and 5 take, from one command? The paper's ten runs a point, computed and drawn.

    python benchmarks/figures_2_and_5.py [--figures FILE.png] [--output benchmarks/figures_2_and_5.json]

Runs `results/widths_and_decays.py` with ten runs a point, as a reader would, and draws where they end: the share of
DNC (Figure 2) and the shares of the ranks (Figure 5), against width and against weight decay, from three initial
scales. The target is five minutes on two cores, start of Python and drawing included; the time of the processor is
given too, since the other grows with what else the machine does. Then each run is held against the same run in the
committed table, which has 200 a point. Prints a table and a verdict, and writes both, with the environment, as JSON.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from environment import BUILT, command_line, environment, write
from matplotlib import pyplot as plt

from dufm_lib import metrics, plots

RUNS = 10  # a point, as in the paper
TARGET = 300  # seconds
SCRIPT = Path(__file__).resolve().parents[1] / "results" / "widths_and_decays.py"
POINT = ["width", "lambda_weights", "init_scale"]
VARIED = {"width": "width d", "lambda_weights": "weight decay λ"}
RANKS = list(range(3, 10))


def compute() -> pd.DataFrame:
    """The table of the command."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "ten.parquet"
        subprocess.run([sys.executable, SCRIPT, table, "--runs", str(RUNS)], check=True)
        return pd.read_parquet(table)


def slices(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The runs in which one of the two varies, and the other is as in Figure 1."""
    return {"width": table[table.lambda_weights == 2**-10], "lambda_weights": table[table.width == 70]}


def draw(table: pd.DataFrame, file: Path) -> None:
    """Figure 2 in the first row, Figure 5 in the two below."""
    plots.use_style()
    scales = sorted(table.init_scale.unique())
    figure, axes = plt.subplot_mosaic([[*"AAABBB"], [*"CCDDEE"], [*"FFGGHH"]], figsize=(9, 9))
    for (column, rows), share, maps in zip(slices(table).items(), "AB", ("CDE", "FGH"), strict=True):
        for scale, place in zip(scales, maps, strict=True):
            each = rows[rows.init_scale == scale]
            dnc = {x: metrics.share(group.structure, "dnc") for x, group in each.groupby(column)}
            estimates = zip(*dnc.values(), strict=True)
            plots.probability(axes[share], list(dnc), *estimates, label=f"initial scale {scale:g}")
            found = pd.crosstab(each["rank"], each[column], normalize="columns").reindex(RANKS, fill_value=0)
            names = [x if column == "width" else f"{math.log2(x):.0f}" for x in found.columns]
            plots.share_map(axes[place], names, RANKS, found)
            axes[place].tick_params(labelsize=6)
            axes[place].set(xlabel="width d" if column == "width" else "log₂ λ", title=f"initial scale {scale:g}")
        axes[share].set_xscale("log", base=2 if column == "lambda_weights" else 10)
        axes[share].set(xlabel=VARIED[column], ylabel="probability of DNC")
        axes[maps[0]].set_ylabel("rank")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)


def held_against_committed(table: pd.DataFrame) -> dict[str, float]:
    """Shares of the runs that end as the same runs in the committed table."""
    kept = pd.read_parquet(SCRIPT.with_suffix(".parquet"))
    both = table.merge(kept, on=[*POINT, "seed"], suffixes=("", "_kept"), validate="one_to_one")
    return {
        "runs": len(table),
        "found_there": len(both),
        "same_rank": float((both["rank"] == both.rank_kept).mean()),
        "same_structure": float((both.structure.astype(str) == both.structure_kept.astype(str)).mean()),
        "largest_relative_difference_of_loss": float((both.loss / both.loss_kept - 1).abs().max()),
    }


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, default=BUILT / "figures_2_and_5.png")
    arguments = parser.parse_args()

    record = {"environment": environment(), "runs_a_point": RUNS, "target": TARGET}
    began = time.monotonic()
    table = compute()
    draw(table, arguments.figures)
    seconds = time.monotonic() - began
    used = os.times()
    record["seconds"] = seconds
    record["processor_seconds"] = used.user + used.system + used.children_user + used.children_system
    agreement = record["against_the_committed_table"] = held_against_committed(table)

    shares = {column: rows.groupby([column, "init_scale"]) for column, rows in slices(table).items()}
    for column, groups in shares.items():
        print(f"\nruns of {RUNS} that end at DNC, by {VARIED[column]} and initial scale")
        print(groups.structure.agg(lambda names: (names == "dnc").sum()).unstack().to_string())
    print(f"\nof {agreement['runs']} runs, {agreement['found_there']} are in the committed table too:")
    print(f"{agreement['same_rank']:.1%} have the same rank, {agreement['same_structure']:.1%} the same structure")
    verdict = "within" if seconds <= TARGET else "over"
    print(f"{seconds:.0f} s, {record['processor_seconds']:.0f} s of the processor: {verdict} the target of {TARGET} s")
    write(arguments.output, record)


if __name__ == "__main__":
    main()
