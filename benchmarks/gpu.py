"""Descent on a GPU: runs per second against the CPU of the same machine, and the share of the GPU's bmm rate.

    python benchmarks/gpu.py [--output benchmarks/gpu.json]

At Figure 1's setting, for growing numbers of runs: the steps alone, and descent.train as it is called. Without a GPU it
says so and ends well.

No record is committed: this has not run on a GPU yet. How large a slice to measure at once, and whether a step should
be captured in a CUDA graph, is therefore not known; a step is some ten kernels, each started from Python.
"""

import torch
from descent import best, figure_1, show, steps_alone, train
from environment import command_line, environment, write

STEPS = 10_000  # of a run, about what the setting needs at learning rate 0.5
TURNS = 5


def measured(runs: int, device: str) -> dict[str, float]:
    """Steps alone, and seconds per step and run of a whole call with ten records."""
    problem = figure_1()
    seconds = best({"train": (train(problem, runs, device), 1000)}, TURNS)
    return steps_alone(problem, runs, TURNS, device) | {"train_seconds": seconds["train"] / runs}


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--numbers", type=int, nargs="*", default=[1, 50, 1000, 20_000], help="of runs on the GPU")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU here: nothing was measured")
        return

    record = {"environment": environment(), "cpu": [measured(50, "cpu")]}
    record["gpu"] = [measured(runs, "cuda") for runs in arguments.numbers]
    for name, rows in (("CPU", record["cpu"]), (torch.cuda.get_device_name(), record["gpu"])):
        for what, key in (("steps alone", "seconds"), ("as called", "train_seconds")):
            rate = 1 / min(row[key] for row in rows) / STEPS
            print(f"\n{name}, {what}: {rate:.1f} runs of {STEPS} steps a second at best")
        show(rows)
    write(arguments.output, record)


if __name__ == "__main__":
    main()
