"""What is judged of points on the way of a descent: loss, gradient norm, class-mean logits, in float64."""

from __future__ import annotations

from typing import NamedTuple

import torch

from dufm_lib import model
from dufm_lib.problem import Problem

# Parameters measured at once, in two float64 buffers: on a CPU 4 MB, since larger ones leave the cache and smaller ones
# spend their time on calls; a GPU wants few and large kernels, and there the buffers may fill 1 GB.
AT_ONCE_ON_CPU = 1 << 18
AT_ONCE_ELSEWHERE = 1 << 26


class Measurement(NamedTuple):
    """What is judged of a batch of points: in float64 and on the CPU, whatever and wherever they were trained in."""

    loss: torch.Tensor  # (runs,)
    gradient_norm: torch.Tensor  # (runs,) Frobenius norm over all factors together
    logits: torch.Tensor  # (runs, K, K) class means


def one_hot(problem: Problem, like: torch.Tensor) -> torch.Tensor:
    """The targets Y (K, N), a one in the row of each sample's class, in the dtype and on the device of `like`."""
    columns = torch.nn.functional.one_hot(problem.labels, problem.classes).T
    return columns.to(like.device, like.dtype).contiguous()


class Meter:
    """Measures points of one shape, slice by slice, in two float64 buffers that stay: the points, their gradients.

        dF_l = dg/dF_l + lambda_l F_l,    dg/dF_l as in `LinearBlock` and `ReluBlock`, with G_0 (G_L) = dg/dZ

    Memory that is asked for anew at every record costs as much as the arithmetic.
    """

    def __init__(self, problem: Problem, runs: int, device: torch.device) -> None:
        at_once = AT_ONCE_ON_CPU if device.type == "cpu" else AT_ONCE_ELSEWHERE
        room = min(runs, max(1, at_once // problem.parameters))
        sizes = (2, room, problem.parameters)
        self.points, self.slopes = torch.empty(sizes, dtype=torch.float64, device=device)
        self.targets = one_hot(problem, self.points)
        self.averaging = (self.targets / self.targets.sum(-1, keepdim=True)).T  # (N, K)

    def measure(self, problem: Problem, params: model.Parameters) -> Measurement:
        """Measure points with one leading axis; problems of the same shape may differ in their penalties."""
        slices = zip(*(tensor.split(len(self.points)) for tensor in params), strict=True)
        parts = [self._measure(problem, piece) for piece in slices]
        return Measurement(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))

    def _measure(self, problem: Problem, params: model.Parameters) -> Measurement:
        points, slopes = self.points[: len(params[0])], self.slopes[: len(params[0])]
        F, dF = factors(problem, points), factors(problem, slopes)
        for factor, given in zip(F, params, strict=True):
            factor.copy_(given)
        features, weights = problem.penalties
        through = self.through_relu if problem.activation == "relu" else self.through_products
        fit, logits = through(problem, F, dF, [features, *[weights] * problem.depth])
        own = F[0][0].numel()
        squares = [torch.linalg.vector_norm(part, dim=-1).square() for part in (points[:, :own], points[:, own:])]
        loss = fit + (features * squares[0] + weights * squares[1]) / 2
        norm = torch.linalg.vector_norm(slopes, dim=-1)
        return Measurement(loss.cpu(), norm.cpu(), (logits @ self.averaging).cpu())

    def fit_and_signal(self, problem: Problem, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """g(Z) and dg/dZ."""
        N = problem.total_samples
        if problem.loss == "cross_entropy":
            signal = logits.log_softmax(-2)
            fit = (signal * self.targets).sum((-2, -1)) / -N
            signal.exp_().sub_(self.targets)
        else:
            signal = logits - self.targets
            fit = signal.square().sum((-2, -1)) / (2 * N)
        return fit, signal.div_(N)

    def through_products(
        self, problem: Problem, F: list[torch.Tensor], dF: list[torch.Tensor], decays: list[float]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write dF of a linear network; return fit and logits."""
        *lower, top = F
        above = [top]  # A_L, ..., A_0
        for factor in reversed(lower):
            above.append(torch.bmm(above[-1], factor))
        logits = above.pop()
        fit, signal = self.fit_and_signal(problem, logits)
        for l, factor in enumerate(lower):
            torch.baddbmm(factor, above.pop().mT, signal, beta=decays[l], out=dF[l])
            signal = torch.bmm(signal, factor.mT)
        torch.add(signal, top, alpha=decays[-1], out=dF[-1])
        return fit, logits

    def through_relu(
        self, problem: Problem, F: list[torch.Tensor], dF: list[torch.Tensor], decays: list[float]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write dF of a ReLU network; return fit and logits."""
        features, *hidden, top = F
        layers = [features]
        for factor in hidden:
            layers.append(torch.bmm(factor, layers[-1]).relu_())
        logits = torch.bmm(top, layers[-1])
        fit, signal = self.fit_and_signal(problem, logits)
        for l in range(problem.depth, 0, -1):
            torch.baddbmm(F[l], signal, layers[l - 1].mT, beta=decays[l], out=dF[l])
            signal = torch.bmm(F[l].mT, signal)
            if l > 1:
                signal *= layers[l - 1] > 0
        torch.add(signal, features, alpha=decays[0], out=dF[0])
        return fit, logits


def factors(problem: Problem, flat: torch.Tensor) -> list[torch.Tensor]:
    """The matrices [H_1, W_1, ..., W_L] that lie in the rows of `flat` (runs, parameters) in this order: views."""
    parts = flat.split([rows * columns for rows, columns in problem.shapes], dim=-1)
    return [part.unflatten(-1, shape) for part, shape in zip(parts, problem.shapes, strict=True)]
