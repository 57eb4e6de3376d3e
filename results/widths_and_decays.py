"""Figures 2 and 5 of the paper with 200 runs a point: where descent ends, against width and against weight decay.

    python results/widths_and_decays.py --store results/store
    python results/widths_and_decays.py ten.parquet --runs 10

The first command made the table beside this file, a row a run; the second makes one with the paper's ten runs a point,
and `benchmarks/figures_2_and_5.py` draws those and takes the time. The setting is that of Figure 1 (K = 10, n = 5,
L = 2; d = 70 and lambda = 2^-10 where they do not vary), from three initial scales. The learning rate is 4 where the
paper has 0.5: at 0.5 most runs are still moving after the 20 000 steps that the paper's figures show, and 4 reaches
their ends in an eighth of the steps. A sweep that was stopped goes on from its store. What is the same in all rows is
not a column of the table, and stands in its `attrs`.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from dufm_lib import Problem, sweep

WIDTHS = [10, 20, 30, 50, 70, 100, 140, 200, 300]
DECAYS = [2.0**-exponent for exponent in range(6, 14)]
PROBLEMS = [Problem(10, 5, 2, width, 2**-10) for width in WIDTHS]
PROBLEMS += [Problem(10, 5, 2, 70, decay) for decay in DECAYS if decay != 2**-10]
GRID = {"learning_rate": 4.0, "steps": 200_000, "init_scale": [0.5, 1.0, 2.0]}
COLUMNS = ["width", "lambda_weights", "init_scale", "seed", "loss", "rank", "structure", "ended", "steps_taken"]


def command_line(script: str, purpose: str, runs: int) -> argparse.ArgumentParser:
    """What the command of a table of descents takes."""
    parser = argparse.ArgumentParser(description=purpose)
    output = Path(script).with_suffix(".parquet")
    parser.add_argument("output", type=Path, nargs="?", default=output, help="the file to write (default: beside this)")
    parser.add_argument("--runs", type=int, default=runs, help=f"a point (default {runs})")
    parser.add_argument("--store", type=Path, help="a folder for finished tasks")
    return parser


PARSER = command_line(__file__, __doc__.splitlines()[0], runs=200)


def constants(table: pd.DataFrame, columns: list[str]) -> dict[str, object]:
    """The setting and the versions, as far as all rows share them and no column tells."""
    names = [name for name in (*sweep.SETTING, "dufm_lib", "torch", "python") if name not in columns]
    values = {name: table[name].unique().tolist() for name in names}
    return {name: only[0] for name, only in values.items() if len(only) == 1}


def write(table: pd.DataFrame, columns: list[str], command: str, output: Path) -> None:
    """These columns as a Parquet file, with the command that makes it and what all rows share."""
    kept = table[columns].astype({"structure": "category", "ended": "category"})
    kept.attrs = {"command": command, **constants(table, columns)}
    kept.to_parquet(output, index=False, compression="zstd")


def main() -> None:
    """Run what is missing in the store, and write the table."""
    arguments = PARSER.parse_args()
    began = time.monotonic()
    table = sweep.run(PROBLEMS, arguments.runs, store=arguments.store, progress=True, **GRID)
    write(table, COLUMNS, f"python results/widths_and_decays.py --runs {arguments.runs}", arguments.output)
    print(f"{len(table)} runs in {time.monotonic() - began:.0f} s: {table.ended.value_counts().to_dict()}")


if __name__ == "__main__":
    main()
