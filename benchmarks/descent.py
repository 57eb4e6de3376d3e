"""How fast is descent? Time per step and run, against what one would write otherwise, measured side by side.

    python benchmarks/descent.py [--compile] [--output benchmarks/descent.json]

At Figure 1's setting (K = 10, n = 5, L = 2, d = 70) and 50 runs:

    train      descent.train as it is called, recording every 100 steps included
    roofline   torch.bmm alone, of the same shapes, shared among the same threads: what the products cost at least
    module     an nn.Module, autograd and torch.optim.SGD, one seed at a time, with torch's threads as they come
    module-1   the same told to use one thread
    vmap       torch.func.vmap of grad over the 50 runs
    compile    the same under torch.compile (with --compile: needs a C++ compiler and a minute)

The rivals take turns and the best of several turns counts. A machine busy with other things slows them unequally:
`module` and `vmap` most, whose OpenMP threads wait for each other at every operation, and `train` more than
`module-1`, because it wants all cores. Ratios to quote come from an idle machine. Then a table over
widths and numbers of runs. Prints both and writes them, with the environment, as JSON.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import torch

from dufm_lib import Problem, descent, model
from dufm_lib._batch import Batch, workers

LEARNING_RATE = 0.5
TURNS = 5


Work = Callable[[int], object]  # takes the number of steps


def figure_1(width: int = 70) -> Problem:
    """The setting of the paper's Figure 1, at any width."""
    return Problem(classes=10, samples=5, depth=2, width=width, weight_decay=2**-10)


def timed(work: Work, steps: int) -> float:
    """Seconds a step."""
    began = time.perf_counter()
    work(steps)
    return (time.perf_counter() - began) / steps


def train(problem: Problem, runs: int) -> Work:
    """descent.train as it is called."""
    start = model.random_point(problem, runs, dtype=torch.float32)
    return lambda steps: descent.train(problem, start=start, learning_rate=LEARNING_RATE, steps=steps, tolerance=0.0)


def roofline(problem: Problem, runs: int, crew: list[ThreadPoolExecutor]) -> Work:
    """The 3L products of a step, each into memory of its own."""
    shapes = [(rows, columns, problem.total_samples) for rows, columns in problem.shapes[1:]]
    parts = torch.arange(runs).tensor_split(len(crew))

    def operands(runs: int) -> list[tuple[torch.Tensor, ...]]:
        triples = []
        for rows, columns, N in shapes:
            weight, above, below = torch.randn(rows, columns), torch.randn(rows, N), torch.randn(columns, N)
            weight, above, below = (tensor.repeat(runs, 1, 1) for tensor in (weight, above, below))
            triples.append((weight, above, below, *map(torch.empty_like, (weight, above, below))))
        return triples

    def multiply(triples: list[tuple[torch.Tensor, ...]], steps: int) -> None:
        for _ in range(steps):
            for weight, above, below, weight_out, above_out, below_out in triples:
                torch.bmm(weight, below, out=above_out)
                torch.bmm(weight.mT, above, out=below_out)
                torch.bmm(above, below.mT, out=weight_out)

    shares = [operands(len(part)) for part in parts if len(part)]
    return lambda steps: wait(
        [worker.submit(multiply, share, steps) for worker, share in zip(crew, shares, strict=False)]
    )


class Module(torch.nn.Module):
    """The deep unconstrained features model as a user would write it."""

    def __init__(self, problem: Problem, point: list[torch.Tensor]) -> None:
        super().__init__()
        self.features = torch.nn.Parameter(point[0].T.clone())
        self.layers = torch.nn.Sequential(*(torch.nn.Linear(w.shape[1], w.shape[0], bias=False) for w in point[1:]))
        for layer, weight in zip(self.layers, point[1:], strict=True):
            layer.weight.data.copy_(weight)

    def forward(self) -> torch.Tensor:
        """The logits, a row a sample."""
        return self.layers(self.features)


def module(problem: Problem, threads: int) -> Work:
    """Autograd and torch.optim.SGD on one seed."""
    net = Module(problem, model.random_point(problem, dtype=torch.float32))
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE, weight_decay=problem.weight_decay)
    criterion = torch.nn.CrossEntropyLoss()

    def work(steps: int) -> None:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        for _ in range(steps):
            optimizer.zero_grad()
            criterion(net(), problem.labels).backward()
            optimizer.step()
        torch.set_num_threads(before)

    return work


def vmap(problem: Problem, runs: int, compiled: bool) -> Work:
    """Autograd by torch.func over all runs at once."""

    def loss(params: list[torch.Tensor]) -> torch.Tensor:
        features, *weights = params
        signal = features
        for weight in weights:
            signal = weight @ signal
        squares = sum(tensor.square().sum() for tensor in params)
        fit = torch.nn.functional.cross_entropy(signal.T, problem.labels)
        return fit + problem.weight_decay / 2 * squares

    slopes = torch.func.vmap(torch.func.grad(loss))

    def step(params: list[torch.Tensor]) -> list[torch.Tensor]:
        return [tensor - LEARNING_RATE * slope for tensor, slope in zip(params, slopes(params), strict=True)]

    step = torch.compile(step) if compiled else step
    params = model.random_point(problem, runs, dtype=torch.float32)

    def work(steps: int) -> None:
        point = params
        for _ in range(steps):
            point = step(point)

    return work


def side_by_side(runs: int, compiled: bool) -> dict[str, float]:
    """Seconds per step and run of every rival: the best of TURNS turns."""
    problem, threads = figure_1(), torch.get_num_threads()
    with workers(torch.device("cpu")) as crew:
        rivals = {
            "train": (train(problem, runs), 1000, runs),
            "roofline": (roofline(problem, runs, crew), 300, runs),
            "module": (module(problem, threads), 300, 1),
            "module-1": (module(problem, 1), 300, 1),
            "vmap": (vmap(problem, runs, False), 30, runs),
        }
        if compiled:
            rivals["compile"] = (vmap(problem, runs, True), 100, runs)
        for work, _, _ in rivals.values():
            work(3)  # warm up
        turns = [
            {name: timed(work, steps) / share for name, (work, steps, share) in rivals.items()} for _ in range(TURNS)
        ]
    return {name: min(turn[name] for turn in turns) for name in rivals}


def steps_alone(problem: Problem, runs: int) -> dict[str, float]:
    """Seconds per step and run between two records, and the share of the products' rate that this is."""
    flops = 6 * problem.total_samples * sum(rows * columns for rows, columns in problem.shapes[1:])
    steps = int(min(2000, max(2, 1e10 // (flops * runs))))  # a fraction of a second
    point = [tensor.expand(runs, -1, -1) for tensor in model.random_point(problem, 1, dtype=torch.float32)]
    with workers(torch.device("cpu")) as crew:
        batch = Batch(problem, list(point), LEARNING_RATE, 0.0, crew)
        products = roofline(problem, runs, crew)

        def descend(steps: int) -> None:
            reached = batch.blocks[0][1].done
            batch.advance(reached + steps, steps, lambda fraction, text: None)

        for work in (descend, products):
            work(1)  # warm up
        turns = [(timed(descend, steps) / runs, timed(products, steps) / runs) for _ in range(TURNS)]
    seconds, bare = (min(times) for times in zip(*turns, strict=True))
    return {
        "width": problem.width,
        "runs": runs,
        "seconds": seconds,
        "gflops": flops / seconds / 1e9,
        "roofline": bare / seconds,
    }


def environment() -> dict[str, object]:
    """What the numbers depend on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "date": time.strftime("%Y-%m-%d"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--widths", type=int, nargs="*", default=[20, 70, 200, 1000])
    parser.add_argument("--numbers", type=int, nargs="*", default=[1, 10, 50, 200], help="of runs")
    parser.add_argument("--compile", action="store_true", help="also time torch.compile of vmap(grad)")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()

    seconds = side_by_side(arguments.runs, arguments.compile)
    print(f"{'':10}{'us a step and run':>18}{'x train':>10}")
    for name, value in seconds.items():
        print(f"{name:10}{value * 1e6:18.2f}{value / seconds['train']:10.2f}")

    rows = [steps_alone(figure_1(width), runs) for width in arguments.widths for runs in arguments.numbers]
    print(f"\n{'width':>6}{'runs':>6}{'us a step and run':>19}{'GFLOP/s':>9}{'of roofline':>12}")
    for row in rows:
        print(f"{row['width']:6}{row['runs']:6}{row['seconds'] * 1e6:19.2f}{row['gflops']:9.1f}{row['roofline']:12.0%}")
    record = {
        "environment": environment(),
        "runs": arguments.runs,
        "seconds_a_step_and_run": seconds,
        "table": rows,
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
