"""Descent on a GPU: runs per second against the CPU of the same machine, and the share of the GPU's bmm rate.

    python benchmarks/gpu.py [--output benchmarks/gpu.json]

The steps of Figure 1's setting alone, for growing numbers of runs. Without a GPU it says so and ends well.
"""

import argparse
import json
from pathlib import Path

import torch
from descent import figure_1, show, steps_alone
from environment import environment

STEPS = 10_000  # of a run, about what the setting needs at learning rate 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--numbers", type=int, nargs="*", default=[1, 50, 1000, 20_000], help="of runs on the GPU")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("no GPU here: nothing was measured")
        return

    cpu = steps_alone(figure_1(), 50)
    gpu = [steps_alone(figure_1(), runs, "cuda") for runs in arguments.numbers]
    for name, rows in (("CPU", [cpu]), (torch.cuda.get_device_name(), gpu)):
        print(f"\n{name}: {1 / min(row['seconds'] for row in rows) / STEPS:.1f} runs of {STEPS} steps a second at best")
        show(rows)
    record = {"environment": environment(), "cpu": cpu, "gpu": gpu}
    arguments.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
