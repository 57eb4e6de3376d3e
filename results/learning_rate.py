"""Does the learning rate change where descent ends? The paper's 0.5, where the other table has 4, from the same starts.

    python results/learning_rate.py --store results/store

Fifty seeds at the widths and initial scales at which descent has several ends (K = 10, n = 5, L = 2, lambda = 2^-10).
An eighth of the rate has eight times the steps: the limit and the distance between two looks at convergence grow by
that. The table beside this file has a row a run; `widths_and_decays.parquet` has the same runs at rate 4.
"""

import time

from widths_and_decays import COLUMNS, GRID, command_line, write

from dufm_lib import Problem, sweep

SLOWER = 8
PROBLEMS = [Problem(10, 5, 2, width, 2**-10) for width in (50, 70, 140)]
SLOW = {
    "learning_rate": GRID["learning_rate"] / SLOWER,
    "steps": GRID["steps"] * SLOWER,
    "record_every": sweep.OPTIONS["record_every"] * SLOWER,
    "init_scale": [1.0, 2.0],
}
PARSER = command_line(__file__, __doc__.splitlines()[0], runs=50)


def main() -> None:
    """Run what is missing in the store, and write the table."""
    arguments = PARSER.parse_args()
    began = time.monotonic()
    table = sweep.run(PROBLEMS, arguments.runs, batch=25, store=arguments.store, progress=True, **SLOW)
    write(table, COLUMNS, f"python results/learning_rate.py --runs {arguments.runs}", arguments.output)
    print(f"{len(table)} runs in {time.monotonic() - began:.0f} s: {table.ended.value_counts().to_dict()}")


if __name__ == "__main__":
    main()
