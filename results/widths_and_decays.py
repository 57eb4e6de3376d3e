"""Figures 2 and 5 of the paper with 200 runs a point: where descent ends, against width and against weight decay.

    python results/widths_and_decays.py results/widths_and_decays.parquet --store results/store
    python results/widths_and_decays.py ten.parquet --runs 10

The first command made the table beside this file, a row a run; the second makes one with the paper's ten runs a point
in half a minute on two cores. The setting is that of Figure 1 (K = 10, n = 5, L = 2; d = 70 and lambda = 2^-10 where
they do not vary), from three initial scales. The learning rate is 4 where the paper has 0.5: at 0.5 most runs are still
moving after the 20 000 steps that the paper's figures show, and 4 reaches their ends in an eighth of the steps. A sweep
that was stopped goes on from its store.
"""

import argparse
import time
from pathlib import Path

from dufm_lib import Problem, sweep

WIDTHS = [10, 20, 30, 50, 70, 100, 140, 200, 300]
DECAYS = [2.0**-exponent for exponent in range(6, 14)]
GRID = {"learning_rate": 4.0, "steps": 200_000, "init_scale": [0.5, 1.0, 2.0]}
COLUMNS = ["width", "lambda_weights", "init_scale", "seed", "loss", "rank", "structure", "ended", "steps_taken"]


def main() -> None:
    """Run what is missing in the store, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the Parquet file to write")
    parser.add_argument("--runs", type=int, default=200, help="a point (default 200)")
    parser.add_argument("--store", type=Path, help="a folder for finished tasks")
    arguments = parser.parse_args()

    began = time.monotonic()
    problems = [Problem(10, 5, 2, width, 2**-10) for width in WIDTHS]
    problems += [Problem(10, 5, 2, 70, decay) for decay in DECAYS if decay != 2**-10]
    table = sweep.run(problems, arguments.runs, store=arguments.store, progress=True, **GRID)
    command = f"python results/widths_and_decays.py --runs {arguments.runs}"
    table.attrs = {"command": command, **table.iloc[0][["dufm_lib", "torch", "python"]]}
    table["structure"], table["ended"] = table["structure"].astype("category"), table["ended"].astype("category")
    table[COLUMNS].to_parquet(arguments.output, index=False, compression="zstd")
    print(f"{len(table)} runs in {time.monotonic() - began:.0f} s: {table.ended.value_counts().to_dict()}")


if __name__ == "__main__":
    main()
