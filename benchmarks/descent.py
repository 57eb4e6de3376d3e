"""How fast is descent? Time per step and run, against what one would write otherwise, measured side by side.

    python benchmarks/descent.py [--output benchmarks/descent.json]     (naming it renews the committed record)

At Figure 1's setting (K = 10, n = 5, L = 2, d = 70) and 50 runs:

    train      descent.train as it is called, recording every 100 steps included
    step       its steps alone, between two records
    roofline   the products that these steps multiply, alone: torch.bmm, and baddbmm where a product is added to a
               factor, in the same order, blocks, threads and memory, without the decay. No step can be faster
    module     an nn.Module, autograd and torch.optim.SGD, one seed at a time, with torch's threads as they come
    module-1   the same told to use one thread
    vmap       torch.func.vmap of grad over the 50 runs
    compile    the same under torch.compile (left out where there is no C++ compiler)

The rivals take turns and the best of several turns counts. A machine busy with other things slows them unequally:
`module` and `vmap` most, whose OpenMP threads wait for each other at every operation, and `train` more than
`module-1`, because it wants all cores. Ratios to quote come from an idle machine; the load before is written down.
Each target is printed and written with its verdict and with the most that could be found, were train as fast as the
roofline. Then a table of the steps alone over widths and numbers of runs.
"""

import time
from collections.abc import Callable
from concurrent.futures import wait
from functools import partial

import torch
from environment import command_line, environment, write
from rivals import LEARNING_RATE, Work, compiled_vmap, module, vmap

from dufm_lib import Problem, descent, model
from dufm_lib._batch import Batch, workers
from dufm_lib._checkpoint import Checkpoint
from dufm_lib._settings import Setting
from dufm_lib._step import LinearBlock, multiplications

UNKEPT = Checkpoint(None, {})
NOTHING = 1e-30  # times a product: vanishes when it is added to a factor in float32
# what is compared, and how many times faster (of the roofline: which share) the first shall be
TARGETS = [
    ("train", "module", 45.0),
    ("train", "vmap", 5.0),
    ("train", "compile", 2.0),
    ("step", "roofline", 0.8),
    ("train", "roofline", 0.8),
]


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


def train(problem: Problem, runs: int, device: str = "cpu") -> Work:
    """descent.train as it is called."""
    start = model.random_point(problem, runs, dtype=torch.float32)
    given = {"start": start, "learning_rate": LEARNING_RATE, "tolerance": 0.0, "device": device}
    return lambda steps: descent.train(problem, steps=steps, **given)


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


def products(block: LinearBlock) -> list[Callable[[], object]]:
    """The matrix products of a step, in its order; those that move a factor add next to nothing to it."""
    F, A, G, L = block.factors, block.above, block.signals, block.problem.depth
    calls = [partial(torch.bmm, A[l + 1], F[l], out=A[l]) for l in reversed(range(L))]
    for l in range(L):
        passed_on = partial(torch.bmm, out=G[l + 1]) if l + 1 < L else partial(F[L].baddbmm_, alpha=NOTHING)
        calls.append(partial(passed_on, G[l], block.factors_T[l]))
        calls.append(partial(F[l].baddbmm_, block.above_T[l + 1], G[l], alpha=NOTHING))
    return calls


def multiply(share: list[list[Callable[[], object]]], steps: int) -> None:
    """Each block of a share by itself, as `Block.advance` does."""
    for calls in share:
        for _ in range(steps):
            for call in calls:
                call()


def roofline(batch: Batch) -> Work:
    """The products of the batch's steps, by the same workers, and nothing else."""
    shares = [[products(block) for _, block in share] for share in batch.shares]
    crew = [*zip(batch.workers, shares, strict=False)]
    return lambda steps: wait([worker.submit(multiply, share, steps) for worker, share in crew])


def best(rivals: dict[str, tuple[Work, int]], turns: int) -> dict[str, float]:
    """Seconds a step of every rival {name: (work, steps a turn)}: they take turns, the best turn counts."""
    for work, _ in rivals.values():
        work(3)  # warm up
    seconds = [{name: timed(work, steps) for name, (work, steps) in rivals.items()} for _ in range(turns)]
    return {name: min(turn[name] for turn in seconds) for name in rivals}


def side_by_side(runs: int, steps: int, turns: int) -> dict[str, float]:
    """Seconds per step and run of every rival; `steps` a turn of train, fewer of the slow ones."""
    problem, threads = figure_1(), torch.get_num_threads()
    few, fewer = max(1, steps // 10), max(1, steps // 100)
    with workers(torch.device("cpu")) as crew:
        batch = batch_of(problem, runs, crew)
        rivals = {
            "train": (train(problem, runs), steps),
            "step": (descend(batch), steps),
            "roofline": (roofline(batch), steps),
            "module": (module(problem, threads), few),
            "module-1": (module(problem, 1), few),
            "vmap": (vmap(problem, runs), fewer),
        }
        if compiled := compiled_vmap(problem, runs):
            rivals["compile"] = compiled, fewer
        seconds = best(rivals, turns)
    return {name: each if name.startswith("module") else each / runs for name, each in seconds.items()}


def judged(seconds: dict[str, float]) -> list[dict[str, object]]:
    """Targets, verdicts, and the most that could be found; of the two modules the faster one counts."""
    seconds = seconds | {"module": min(seconds["module"], seconds["module-1"])}
    rows = []
    for name, rival, target in TARGETS:
        if rival not in seconds:
            continue
        found = seconds[rival] / seconds[name]
        row = {"rival": rival, "of": name, "target": target, "found": found, "met": found >= target}
        rows.append(row | {"at_most": seconds[rival] / seconds["roofline"]})
    return rows


def steps_alone(problem: Problem, runs: int, turns: int, device: str = "cpu") -> dict[str, float]:
    """Seconds per step and run between two records, and the share of the products' rate that this is."""
    flops = 2 * multiplications(problem)
    steps = int(min(2000, max(2, 5e9 // (flops * runs))))  # a fraction of a second
    with workers(torch.device(device)) as crew:
        batch = batch_of(problem, runs, crew, device)
        seconds = best({"step": (descend(batch), steps), "roofline": (roofline(batch), steps)}, turns)
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
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--widths", type=int, nargs="*", default=[20, 70, 200, 1000])
    parser.add_argument("--numbers", type=int, nargs="*", default=[1, 10, 50, 200], help="of runs")
    parser.add_argument("--steps", type=int, default=4000, help="a turn")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    runs, steps, turns = arguments.runs, arguments.steps, arguments.turns

    record = {"environment": environment(), "runs": runs}
    seconds = record["seconds_a_step_and_run"] = side_by_side(runs, steps, turns)
    print(f"{'':10}{'us a step and run':>18}{'x train':>10}")
    for name, value in seconds.items():
        print(f"{name:10}{value * 1e6:18.2f}{value / seconds['train']:10.2f}")
    record["targets"] = judged(seconds)
    for row in record["targets"]:
        verdict = "met" if row["met"] else "NOT met"
        numbers = f"{row['found']:.3g} x (at most {row['at_most']:.3g} x), wanted {row['target']:g} x: {verdict}"
        print(f"{row['rival']} / {row['of']}: {numbers}")
    record["table"] = [
        steps_alone(figure_1(width), number, turns) for width in arguments.widths for number in arguments.numbers
    ]
    show(record["table"])
    write(arguments.output, record)


if __name__ == "__main__":
    main()
