"""What does it cost when the runs of one call of descent.train have different settings?

    python benchmarks/mixed.py [--output benchmarks/mixed.json]     (naming it renews the committed record)

At K = 10, n = 5, L = 2 and several widths, fifty runs of which each has a value of its own:

    weight_decay, learning_rate, tolerance     runs of different settings make blocks of their own, which small products
                                               do not fill
    init_scale                                 changes the start alone

How many times longer than with equal runs is printed and written, with the environment, as JSON. The calls take turns
and the best of several turns counts; numbers to quote come from an idle machine.
"""

from dataclasses import replace

import torch
from descent import best, figure_1
from environment import command_line, environment, write

from dufm_lib import descent, model


def row(width: int, runs: int, steps: int, turns: int) -> dict[str, float]:
    """Seconds a step and run of equal runs, and how many times that the others take."""
    problem, values = figure_1(width), [1 + run / runs for run in range(runs)]
    start = model.random_point(problem, runs, dtype=torch.float32)
    equal = {"problem": problem, "start": start, "tolerance": 0.0}
    varied = {
        "weight_decay": {"problem": [replace(problem, weight_decay=problem.weight_decay * value) for value in values]},
        "learning_rate": {"learning_rate": [0.5 * value for value in values]},
        "tolerance": {"tolerance": [1e-30 * value for value in values]},  # never reached
        "init_scale": {"start": [tensor * torch.tensor(values)[:, None, None] for tensor in start]},
    }

    def call(settings: dict[str, object]) -> tuple:
        return lambda steps: descent.train(**equal | settings, steps=steps), steps

    seconds = best({"equal": call({})} | {name: call(settings) for name, settings in varied.items()}, turns)
    ratios = {name: seconds[name] / seconds["equal"] for name in varied}
    return {"width": width, "runs": runs, "seconds": seconds["equal"] / runs} | ratios


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--widths", type=int, nargs="*", default=[20, 70, 200])
    parser.add_argument("--steps", type=int, default=1000, help="a turn")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()

    record, rows = {"environment": environment()}, []
    for width in arguments.widths:
        rows.append(row(width, arguments.runs, arguments.steps, arguments.turns))
        if len(rows) == 1:
            print("".join(f"{name:>15}" for name in rows[0]))
        print("".join(f"{value:15.3g}" for value in rows[-1].values()), flush=True)
    write(arguments.output, record | {"times_equal": rows})


if __name__ == "__main__":
    main()
