"""Gradient descent as one would write it otherwise: what `benchmarks/descent.py` compares with."""

from collections.abc import Callable

import torch

from dufm_lib import Problem, model

LEARNING_RATE = 0.5

Work = Callable[[int], object]  # takes the number of steps


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
