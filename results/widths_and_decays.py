"""Figures 2 and 5 of the paper with 200 runs a point: where descent ends, against width and against weight decay.

    python results/widths_and_decays.py results/store

The setting is that of Figure 1 (K = 10, n = 5, L = 2; d = 70 and lambda = 2^-10 where they do not vary), from three
initial scales. The learning rate is 4 where the paper has 0.5: at 0.5 most runs are still moving after the 20 000 steps
that the paper's figures show, and 4 reaches their ends in an eighth of the steps. A sweep that was stopped goes on
from its store. The result, a row a run, is written beside this file.
"""

import sys
from pathlib import Path

from dufm_lib import Problem, sweep

WIDTHS = [10, 20, 30, 50, 70, 100, 140, 200]
DECAYS = [2.0**-exponent for exponent in range(6, 12)]
COLUMNS = ["width", "lambda_weights", "init_scale", "seed", "loss", "rank", "structure", "ended", "steps_taken"]


def main(store: str) -> None:
    """Run what is missing in the store, and write the table."""
    problems = [Problem(10, 5, 2, width, 2**-10) for width in WIDTHS]
    problems += [Problem(10, 5, 2, 70, decay) for decay in DECAYS if decay != 2**-10]
    grid = {"learning_rate": 4.0, "steps": 60_000, "init_scale": [0.5, 1.0, 2.0]}
    table = sweep.run(problems, 200, store=store, progress=True, **grid)
    table.attrs = {"command": "python results/widths_and_decays.py", **table.iloc[0][["dufm_lib", "torch", "python"]]}
    table["structure"], table["ended"] = table["structure"].astype("category"), table["ended"].astype("category")
    table[COLUMNS].to_parquet(Path(__file__).with_suffix(".parquet"), index=False, compression="zstd")


if __name__ == "__main__":
    main(*sys.argv[1:])
