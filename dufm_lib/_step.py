"""The arithmetic of descent: the gradient written by hand, and a fused step for many runs, in place."""

from __future__ import annotations

import itertools
import threading
from typing import NamedTuple

import torch

from dufm_lib import model
from dufm_lib.problem import Problem

# Points are measured in slices of at most this many parameters: larger float64 temporaries leave the cache.
MEASURED_AT_ONCE = 1 << 16


def _targets(problem: Problem, like: torch.Tensor) -> torch.Tensor:
    """One-hot columns Y (K, N), in the dtype and on the device of `like`."""
    columns = torch.nn.functional.one_hot(problem.labels, problem.classes).T
    return columns.to(like.device, like.dtype).contiguous()


def _residual(problem: Problem, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """N times the gradient of the fit, written over the logits (..., K, N): softmax(Z) - Y, or Z - Y for MSE."""
    if problem.loss == "cross_entropy":
        torch.softmax(logits, -2, out=logits)
    return logits.sub_(targets)


def gradient(problem: Problem, params: model.Parameters) -> list[torch.Tensor]:
    """The gradient of `model.objective` without autograd: [dH_1, dW_1, ..., dW_L], shaped like `params`.

    With A_0 = H_1, A_l = s(W_l A_{l-1}) and G_L = (softmax(Z) - Y)/N, or (Z - Y)/N for MSE:

        dW_l = G_l A_{l-1}^T + lambda_W W_l      G_{l-1} = s'(A_{l-1}) * (W_l^T G_l)
        dH_1 = W_1^T G_1 + lambda_H H_1
    """
    return _slopes(problem, params, model.activations(problem, params))


def _slopes(problem: Problem, params: model.Parameters, activations: list[torch.Tensor]) -> list[torch.Tensor]:
    """The gradient where the activations are known; their last, the logits, is written over."""
    features, *weights = params
    *layers, logits = activations
    decay_features, decay_weights = problem.penalties
    signal = _residual(problem, logits, _targets(problem, logits)) / problem.total_samples  # G_L
    slopes = []
    for layer in reversed(range(problem.depth)):
        slopes.append(torch.add(signal @ layers[layer].mT, weights[layer], alpha=decay_weights))
        signal = weights[layer].mT @ signal
        if layer > 0 and problem.activation == "relu":
            signal = signal * (layers[layer] > 0)
    slopes.append(torch.add(signal, features, alpha=decay_features))
    return slopes[::-1]


class Measurement(NamedTuple):
    """What is judged of a batch of points: in float64, whatever they were trained in."""

    loss: torch.Tensor  # (runs,)
    gradient_norm: torch.Tensor  # (runs,) Frobenius norm over all factors together
    logits: torch.Tensor  # (runs, K, K) class means


def measure(problem: Problem, params: model.Parameters) -> Measurement:
    """Loss, gradient norm and class-mean logits, on the CPU, of points with one leading axis."""
    at_once = max(1, MEASURED_AT_ONCE // sum(tensor[0].numel() for tensor in params))
    parts = []
    for piece in zip(*(tensor.split(at_once) for tensor in params), strict=True):
        point = [tensor.double() for tensor in piece]
        activations = model.activations(problem, point)
        loss = model.fit(problem, activations[-1]) + model.penalty(problem, point)
        means = model.class_means(problem, activations[-1])
        squares = sum(slope.square().sum((-2, -1)) for slope in _slopes(problem, point, activations))
        parts.append(Measurement(loss.cpu(), squares.sqrt().cpu(), means.cpu()))
    return Measurement(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def _shrink(learning_rate: float, penalty: float, dtype: torch.dtype) -> tuple[float, float]:
    """The numbers (beta, rate) of an update W <- beta W - rate * dfit/dW, with beta = 1 - rate * penalty.

    `dtype` must be able to hold beta. Rounding it alone would shift the penalty (in float32 by up to 6e-5 of it at
    learning_rate * penalty = 5e-4), and the minima with it. So the rate is shifted instead, by the same small share.
    """
    beta = torch.tensor(1 - learning_rate * penalty, dtype=dtype).item()
    return (beta, (1 - beta) / penalty) if penalty > 0 and beta != 1 else (1.0, learning_rate)


def _padded(problem: Problem, dtype: torch.dtype) -> tuple[int, int]:
    """The smallest (d', N') >= (d, N) at which every factor and the logits fill whole units of 16 bytes.

    Then every run of a packed batch starts on such a boundary. Which kernel a matrix product takes, and so how it
    rounds, depends on that: without it a run ends at other bits at another place in the batch.
    """
    unit, K = 16 // dtype.itemsize, problem.classes
    d, N = problem.shapes[0]
    return next(
        (rows, columns)
        for columns, rows in itertools.product(range(N, N + unit), range(d, d + unit))
        if all(size % unit == 0 for size in (rows * columns, rows * rows, K * rows, K * columns))
    )


class Block:
    """Runs of one problem and learning rate that move together; a step allocates nothing.

    Where the shapes need padding there are a few units and samples more. They are zero and stay zero.
    """

    def __init__(self, problem: Problem, params: model.Parameters, learning_rate: float, done: int = 0) -> None:
        self.problem = problem
        self.done = done  # steps taken
        like, runs, K, depth = params[0], len(params[0]), problem.classes, problem.depth
        d, N = _padded(problem, like.dtype)
        shapes = [(d, N), *[(d, d)] * (depth - 1), (K, d)]
        self.factors = [like.new_zeros(runs, *shape) for shape in shapes]  # H_1, W_1, ..., W_L
        for tensor, start in zip(self.params, params, strict=True):
            tensor.copy_(start)
        self.layers = [like.new_empty(runs, d, N) for _ in range(depth - 1)]  # A_1, ..., A_{L-1}
        self.logits = like.new_empty(runs, K, N)  # A_L
        self.signals = [like.new_empty(runs, d, N) for _ in range(2)]
        self.targets = torch.nn.functional.pad(_targets(problem, like), (0, N - problem.total_samples))
        self.rates = [_shrink(learning_rate, penalty, like.dtype) for penalty in problem.penalties]

    @property
    def params(self) -> list[torch.Tensor]:
        """[H_1, W_1, ..., W_L] as they are now, without padding: views."""
        shapes = self.problem.shapes
        return [f[:, :rows, :columns] for f, (rows, columns) in zip(self.factors, shapes, strict=True)]

    def step(self) -> None:
        """Move every factor by -learning_rate times its gradient at the point before the step.

        One `baddbmm` applies decay and gradient in a single pass, W <- beta W - rate/N (N G) A^T. Every factor
        serves its neighbour's gradient before it is overwritten.
        """
        features, *weights = self.factors
        relu, last = self.problem.activation == "relu", self.problem.depth - 1
        inputs, outputs = [features, *self.layers], [*self.layers, self.logits]
        for layer, weight in enumerate(weights):
            torch.bmm(weight, inputs[layer], out=outputs[layer])
            if relu and layer < last:
                outputs[layer].relu_()

        N = self.problem.total_samples
        (features_beta, features_rate), (beta, rate) = self.rates
        signal = _residual(self.problem, self.logits, self.targets)  # N G_L
        if signal.shape[-1] > N:
            signal[..., N:] = 0  # samples of the padding
        free, other = self.signals
        for layer in range(last, 0, -1):
            torch.bmm(weights[layer].mT, signal, out=free)
            if relu:  # the signal passes where the unit is active
                torch.ops.aten.threshold_backward.grad_input(free, inputs[layer], 0, grad_input=free)
            weights[layer].baddbmm_(signal, inputs[layer].mT, beta=beta, alpha=-rate / N)
            signal, free, other = free, other, free
        free.copy_(features)
        features.baddbmm_(weights[0].mT, signal, beta=features_beta, alpha=-features_rate / N)
        weights[0].baddbmm_(signal, free.mT, beta=beta, alpha=-rate / N)

    def advance(self, to: int, stop: threading.Event) -> None:
        """Take steps until `to` of them are done, or `stop` is set."""
        while self.done < to and not stop.is_set():
            self.step()
            self.done += 1

    def measure(self) -> Measurement:
        """Loss, gradient norm and class-mean logits of the block's runs."""
        return measure(self.problem, self.params)
