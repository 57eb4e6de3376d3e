"""How fast is descent? Time per step and run, against what one would write otherwise, measured side by side.

    python benchmarks/descent.py [--output benchmarks/descent.json]

At Figure 1's setting (K = 10, n = 5, L = 2, d = 70) and 50 runs:

    train      descent.train as it is called, recording every 100 steps included
    step       its steps alone, between two records
    roofline   torch.bmm alone: the products that these steps multiply, in the same blocks and threads, and nothing else
    module     an nn.Module, autograd and torch.optim.SGD, one seed at a time, with torch's threads as they come
    module-1   the same told to use one thread
    vmap       torch.func.vmap of grad over the 50 runs
    compile    the same under torch.compile (left out where there is no C++ compiler)

The rivals take turns and the best of several turns counts. A machine busy with other things slows them unequally:
`module` and `vmap` most, whose OpenMP threads wait for each other at every operation, and `train` more than
`module-1`, because it wants all cores. Ratios to quote come from an idle machine; the load before is written down.
Then a table over widths and numbers of runs. Prints both and writes them, with the environment, as JSON.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import torch
from environment import environment

from dufm_lib import Problem, descent, model
from dufm_lib._batch import Batch, Share, workers
from dufm_lib._checkpoint import Checkpoint
from dufm_lib._settings import Setting
from dufm_lib._step import LinearBlock, multiplications

LEARNING_RATE = 0.5
TURNS = 5
UNKEPT = Checkpoint(None, {})


Work = Callable[[int], object]  # takes the number of steps


def figure_1(width: int = 70) -> Problem:
    """The setting of the paper's Figure 1, at any width."""
    return Problem(classes=10, samples=5, depth=2, width=width, weight_decay=2**-10)


def timed(work: Work, steps: int) -> float:
    """Seconds a step."""
    began = time.perf_counter()
    work(steps)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - began) / steps


def train(problem: Problem, runs: int) -> Work:
    """descent.train as it is called."""
    start = model.random_point(problem, runs, dtype=torch.float32)
    return lambda steps: descent.train(problem, start=start, learning_rate=LEARNING_RATE, steps=steps, tolerance=0.0)


def batch_of(problem: Problem, runs: int, crew: list, device: str = "cpu") -> Batch:
    """Runs from the same start: what they compute does not matter here."""
    point = model.random_point(problem, 1, dtype=torch.float32)
    point = [tensor.to(device).expand(runs, -1, -1) for tensor in point]
    return Batch([Setting(problem, LEARNING_RATE, 0.0)] * runs, point, crew)


def descend(batch: Batch) -> Work:
    """Steps alone."""

    def work(steps: int) -> None:
        _, block = batch.blocks()[0]
        batch.advance(block.done + steps, steps, lambda fraction, text: None, UNKEPT)

    return work


def products(block: LinearBlock) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """The matrix products (left, right, out) of a step, those that move a factor into memory of their own."""
    F, A, G, layers = block.factors, block.above, block.signals, range(block.problem.depth)
    forward = [(A[l + 1], F[l], A[l]) for l in reversed(layers)]
    back = [(G[l], block.factors_T[l], torch.empty_like(F[-1])) for l in layers]
    slopes = [(block.above_T[l + 1], G[l], torch.empty_like(F[l])) for l in layers]
    return [*forward, *back, *slopes]


def roofline(batch: Batch) -> Work:
    """The products of the batch's steps, by the same workers, and nothing else."""

    def multiply(triples: list, steps: int) -> None:
        for _ in range(steps):
            for left, right, out in triples:
                torch.bmm(left, right, out=out)

    def all_of(share: list, steps: int) -> None:
        for triples in share:
            multiply(triples, steps)

    def triples_of(share: Share) -> list:
        return [products(block) for _, block in share]

    shares = [triples_of(share) for share in batch.shares]
    return lambda steps: wait(
        [worker.submit(all_of, share, steps) for worker, share in zip(batch.workers, shares, strict=False)]
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


def vmap(problem: Problem, runs: int, compiled: bool = False) -> Work:
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


def compiled_vmap(problem: Problem, runs: int) -> Work | None:
    """The same under torch.compile; None, and a line that says why, where that cannot be had."""
    try:
        work = vmap(problem, runs, compiled=True)
        work(3)
    except Exception as error:  # what a missing or broken compiler raises differs from version to version
        print(f"compile is left out: torch.compile needs a working C++ compiler ({type(error).__name__})")
        return None
    return work


def best(rivals: dict[str, tuple[Work, int]]) -> dict[str, float]:
    """Seconds a step of every rival {name: (work, steps a turn)}: they take turns, the best turn counts."""
    for work, _ in rivals.values():
        work(3)  # warm up
    turns = [{name: timed(work, steps) for name, (work, steps) in rivals.items()} for _ in range(TURNS)]
    return {name: min(turn[name] for turn in turns) for name in rivals}


def side_by_side(runs: int) -> dict[str, float]:
    """Seconds per step and run of every rival."""
    problem, threads = figure_1(), torch.get_num_threads()
    with workers(torch.device("cpu")) as crew:
        batch = batch_of(problem, runs, crew)
        rivals = {
            "train": (train(problem, runs), 4000),
            "step": (descend(batch), 1000),
            "roofline": (roofline(batch), 1000),
            "module": (module(problem, threads), 300),
            "module-1": (module(problem, 1), 300),
            "vmap": (vmap(problem, runs), 30),
        }
        if compiled := compiled_vmap(problem, runs):
            rivals["compile"] = compiled, 100
        seconds = best(rivals)
    return {name: each if name.startswith("module") else each / runs for name, each in seconds.items()}


def steps_alone(problem: Problem, runs: int, device: str = "cpu") -> dict[str, float]:
    """Seconds per step and run between two records, and the share of the products' rate that this is."""
    flops = 2 * multiplications(problem)
    steps = int(min(2000, max(2, 5e9 // (flops * runs))))  # a fraction of a second
    with workers(torch.device(device)) as crew:
        batch = batch_of(problem, runs, crew, device)
        seconds = best({"step": (descend(batch), steps), "roofline": (roofline(batch), steps)})
    return {
        "width": problem.width,
        "runs": runs,
        "seconds": seconds["step"] / runs,
        "gflops": flops * runs / seconds["step"] / 1e9,
        "roofline": seconds["roofline"] / seconds["step"],
    }


def show(rows: list[dict[str, float]]) -> None:
    """Print the table."""
    print(f"\n{'width':>6}{'runs':>6}{'us a step and run':>19}{'GFLOP/s':>9}{'of roofline':>12}")
    for row in rows:
        print(f"{row['width']:6}{row['runs']:6}{row['seconds'] * 1e6:19.2f}{row['gflops']:9.1f}{row['roofline']:12.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--widths", type=int, nargs="*", default=[20, 70, 200, 1000])
    parser.add_argument("--numbers", type=int, nargs="*", default=[1, 10, 50, 200], help="of runs")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    arguments = parser.parse_args()

    load = round(os.getloadavg()[0], 1)  # before ours
    print(f"load of the machine before: {load}")
    record = {"environment": environment() | {"load": load}, "runs": arguments.runs}
    seconds = record["seconds_a_step_and_run"] = side_by_side(arguments.runs)
    print(f"{'':10}{'us a step and run':>18}{'x train':>10}")
    for name, value in seconds.items():
        print(f"{name:10}{value * 1e6:18.2f}{value / seconds['train']:10.2f}")
    rows = [steps_alone(figure_1(width), runs) for width in arguments.widths for runs in arguments.numbers]
    show(rows)
    arguments.output.write_text(json.dumps(record | {"table": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
