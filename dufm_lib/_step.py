"""The arithmetic of descent: the gradient written by hand, in a fused step for many runs, in place."""

from __future__ import annotations

import itertools
import threading

import torch

from dufm_lib import model
from dufm_lib._measure import one_hot
from dufm_lib.problem import Problem


def _residual(problem: Problem, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """N dg/dZ, written over the logits (..., K, N): softmax(Z) - Y, or Z - Y for MSE."""
    if problem.loss == "cross_entropy":
        torch.softmax(logits, -2, out=logits)
    return logits.sub_(targets)


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
        like, runs, K, N = params[0], len(params[0]), problem.classes, problem.total_samples
        d, columns = _padded(problem, like.dtype)
        shapes = [(d, columns), *[(d, d)] * (problem.depth - 1), (K, d)]
        self.factors = [like.new_zeros(runs, *shape) for shape in shapes]  # F_0 = H_1, F_l = W_l
        for tensor, start in zip(self.params, params, strict=True):
            tensor.copy_(start)
        self.logits = like.new_empty(runs, K, columns)
        self.padding = self.logits[..., N:]
        self.targets = torch.nn.functional.pad(one_hot(problem, like), (0, columns - N))
        features, weights = (_shrink(learning_rate, penalty, like.dtype) for penalty in problem.penalties)
        self.rates = [{"beta": beta, "alpha": -rate / N} for beta, rate in (features, *[weights] * problem.depth)]

    @property
    def params(self) -> list[torch.Tensor]:
        """[H_1, W_1, ..., W_L] as they are now, without padding: views."""
        shapes = self.problem.shapes
        return [f[:, :rows, :columns] for f, (rows, columns) in zip(self.factors, shapes, strict=True)]

    def residual(self) -> None:
        """Write N dg/dZ over the logits, zero for the samples of the padding."""
        _residual(self.problem, self.logits, self.targets)
        if self.padding.numel():
            self.padding.zero_()

    def move(self, layer: int, left: torch.Tensor, right: torch.Tensor) -> None:
        """F_l <- beta F_l - rate/N left right: decay and gradient in a single pass."""
        self.factors[layer].baddbmm_(left, right, **self.rates[layer])

    def step(self) -> None:
        """Move every factor by -learning_rate times its gradient at the point before the step."""
        raise NotImplementedError

    def advance(self, to: int, stop: threading.Event) -> None:
        """Take steps until `to` of them are done, or `stop` is set."""
        while self.done < to and not stop.is_set():
            self.step()
            self.done += 1


class LinearBlock(Block):
    """A linear network is one product, F_L ... F_1 F_0, that is multiplied from its narrow side, the K logits.

        A_L = F_L            A_l = A_{l+1} F_l         Z = A_0
        G_0 = N dg/dZ        G_{l+1} = G_l F_l^T       N dg/dF_l = A_{l+1}^T G_l  (l < L)      N dg/dF_L = G_L

    All A_l and G_l have K rows. The 3K (N d + (L-1) d^2) multiplications replace the 3N (K d + (L-1) d^2) of
    back-propagation, and K <= N.
    """

    def __init__(self, problem: Problem, params: model.Parameters, learning_rate: float, done: int = 0) -> None:
        super().__init__(problem, params, learning_rate, done)
        *lower, top = self.factors
        self.above = [self.logits, *(torch.empty_like(top) for _ in lower)]  # A_0, ..., A_L
        self.signals = [self.logits, *(torch.empty_like(top) for _ in lower[1:])]  # G_0, ..., G_{L-1}
        self.factors_T, self.above_T = ([tensor.mT for tensor in tensors] for tensors in (lower, self.above))

    def step(self) -> None:
        """Every factor passes the signal on before it is overwritten."""
        F, A, G, L = self.factors, self.above, self.signals, self.problem.depth
        A[L].copy_(F[L])
        for l in reversed(range(L)):
            torch.bmm(A[l + 1], F[l], out=A[l])
        self.residual()  # the logits A_0 become G_0
        for l in range(L):
            if l + 1 < L:
                torch.bmm(G[l], self.factors_T[l], out=G[l + 1])
            else:  # G_L is not needed apart from F_L
                self.move(L, G[l], self.factors_T[l])
            self.move(l, self.above_T[l + 1], G[l])


class ReluBlock(Block):
    """Back-propagation, through A_0 = F_0, A_l = relu(F_l A_{l-1}), Z = F_L A_{L-1}.

    G_L = N dg/dZ        G_{l-1} = relu'(A_{l-1}) * (F_l^T G_l)        N dg/dF_l = G_l A_{l-1}^T        N dg/dF_0 = G_0
    """

    def __init__(self, problem: Problem, params: model.Parameters, learning_rate: float, done: int = 0) -> None:
        super().__init__(problem, params, learning_rate, done)
        features = self.factors[0]
        self.layers = [torch.empty_like(features) for _ in range(problem.depth)]  # A_0, ..., A_{L-1}
        self.signals = [torch.empty_like(features) for _ in range(2)]

    def step(self) -> None:
        """Every factor serves its neighbour's gradient before it is overwritten."""
        F, A, L = self.factors, self.layers, self.problem.depth
        A[0].copy_(F[0])
        for l in range(1, L):
            torch.bmm(F[l], A[l - 1], out=A[l]).relu_()
        torch.bmm(F[L], A[L - 1], out=self.logits)
        self.residual()
        signal, (free, other) = self.logits, self.signals
        for l in range(L, 1, -1):
            torch.bmm(F[l].mT, signal, out=free)
            # the signal passes where the unit is active
            torch.ops.aten.threshold_backward.grad_input(free, A[l - 1], 0, grad_input=free)
            self.move(l, signal, A[l - 1].mT)
            signal, free, other = free, other, free
        self.move(0, F[1].mT, signal)
        self.move(1, signal, A[0].mT)


def multiplications(problem: Problem) -> int:
    """How many of them a step takes for one run, in the order that its block uses."""
    K, L, d, N = problem.classes, problem.depth, problem.width, problem.total_samples
    if problem.activation == "relu" and L > 1:
        return 3 * N * (K * d + (L - 1) * d * d)
    return 3 * K * (N * d + (L - 1) * d * d)


def make_block(problem: Problem, params: model.Parameters, learning_rate: float, done: int = 0) -> Block:
    """The block for a problem: one layer has no hidden units, so it is linear."""
    kind = ReluBlock if problem.activation == "relu" and problem.depth > 1 else LinearBlock
    return kind(problem, params, learning_rate, done)
