"""The deep unconstrained features model itself: parameters, logits, objective, aligned points.

Parameters are a list [H_1, W_1, ..., W_L] of tensors (..., d, N), (..., d, d), ..., (..., K, d) with the same leading
batch axes. Nothing here knows a closed form: `dufm_lib.theory` derives those, and the tests hold the two together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from dufm_lib._arguments import (
    dtype_of,
    finite_tensor,
    floating_tensor,
    nonnegative_float,
    positive_int,
    real_tensor,
    room,
    seed_int,
    shown,
)
from dufm_lib.problem import Problem, suited
from dufm_lib.structures import ROUNDING

Parameters = Sequence[torch.Tensor]


def check_parameters(problem: Problem, params: Parameters) -> None:
    """Raise a ValueError unless `params` has the shapes of `problem`, with equal batch axes and dtypes."""
    suited("the model", problem)
    if not isinstance(params, (list, tuple)) or len(params) != problem.depth + 1:
        got = len(params) if isinstance(params, (list, tuple)) else shown(params)
        raise ValueError(
            f"params must be a list of {problem.depth + 1} tensors (H_1, W_1, ..., W_L) for depth {problem.depth}, "
            f"got {got}"
        )
    names = ["H_1", *(f"W_{layer}" for layer in range(1, problem.depth + 1))]
    for name, tensor, shape in zip(names, params, problem.shapes, strict=True):
        real_tensor(name, tensor, "...", *shape)
        batch, first = tensor.shape[:-2], params[0].shape[:-2]
        if batch != first:
            raise ValueError(f"{name} must have the batch axes of H_1, {tuple(first)}, got {tuple(batch)}")
        if tensor.dtype != params[0].dtype or not tensor.is_floating_point():
            raise ValueError(f"{name} must be floating, of the dtype of H_1 ({params[0].dtype}), got {tensor.dtype}")


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed_int("seed", seed))


def random_point(
    problem: Problem,
    runs: int | None = None,
    seed: int = 0,
    init_scale: float = 1.0,
    dtype: torch.dtype = torch.float64,
) -> list[torch.Tensor]:
    """Gaussian parameters: i.i.d. entries of standard deviation init_scale / sqrt(d).

    Run i of a batch is drawn from a generator of its own, seeded with `seed + i`: it is the same point whatever
    else is in the batch, and the point of a single run with that seed.

    Args:
        problem: gives the shapes.
        runs: number of points on a new leading axis; None for a single point without batch axis.
        seed: integer >= 0.
        init_scale: factor >= 0 on the standard deviation.
        dtype: torch.float64 or torch.float32, of the result; the numbers are drawn in float64 and rounded to it.

    Returns:
        [H_1, W_1, ..., W_L], with the leading axis `runs` if it is given.

    Raises:
        ValueError: a bad argument, by name.
    """
    suited("random_point", problem)
    seed, dtype = seed_int("seed", seed), dtype_of("dtype", dtype)
    deviation = nonnegative_float("init_scale", init_scale) / math.sqrt(problem.width)
    count = 1 if runs is None else positive_int("runs", runs)
    room("problem, or runs,", count * problem.parameters)
    points = []
    for run in range(count):
        generator = _generator(seed + run)
        points.append(
            [torch.randn(shape, generator=generator, dtype=torch.float64) * deviation for shape in problem.shapes]
        )
    if runs is None:
        return [tensor.to(dtype) for tensor in points[0]]
    return [torch.stack(tensors).to(dtype) for tensors in zip(*points, strict=True)]


def activations(problem: Problem, params: Parameters) -> list[torch.Tensor]:
    """What each weight matrix receives, and the logits: [A_0 = H_1, A_1, ..., A_{L-1}, A_L = Z].

    A_l = s(W_l A_{l-1}) for l < L and Z = W_L A_{L-1}; shapes (..., d, N), ..., (..., K, N).

    Raises:
        ValueError: the parameters do not have the shapes of `problem`.

    Source: Garrod & Keating (2025), section 2.
    """
    check_parameters(problem, params)
    features, *weights = params
    layers = [features]
    for layer, weight in enumerate(weights, start=1):
        signal = weight @ layers[-1]
        layers.append(signal.relu() if problem.activation == "relu" and layer < problem.depth else signal)
    return layers


def logits(problem: Problem, params: Parameters) -> torch.Tensor:
    """Z = W_L s(W_{L-1} ... s(W_1 H_1)): (..., K, N).

    Raises:
        ValueError: the parameters do not have the shapes of `problem`.
    """
    return activations(problem, params)[-1]


def fit(problem: Problem, logits: torch.Tensor) -> torch.Tensor:
    """g(Z), the loss without penalties: (..., K, N) -> (...).

    Cross-entropy: the mean over samples of -log softmax(z)_{class}. MSE: 1/(2N) ||Z - Y||_F^2, Y one-hot.

    Raises:
        ValueError: `logits` is not a floating (..., K, N) tensor.

    >>> problem = Problem(classes=4, samples=2, depth=2, width=5, weight_decay=0.01)
    >>> round(float(fit(problem, torch.zeros(4, 8)).exp()), 4)
    4.0
    """
    suited("fit", problem)
    logits = floating_tensor("logits", logits, "...", problem.classes, problem.total_samples)
    labels = problem.labels.to(logits.device)
    if problem.loss == "cross_entropy":
        own = logits.log_softmax(-2)[..., labels, torch.arange(len(labels), device=logits.device)]
        return -own.mean(-1)
    targets = torch.nn.functional.one_hot(labels, problem.classes).T
    return (logits - targets).square().sum((-2, -1)) / (2 * problem.total_samples)


def penalty(problem: Problem, params: Parameters) -> torch.Tensor:
    """lambda_H/2 ||H_1||_F^2 + lambda_W/2 sum_l ||W_l||_F^2: (...).

    Raises:
        ValueError: the parameters do not have the shapes of `problem`.
    """
    check_parameters(problem, params)
    decay_features, decay_weights = problem.penalties
    squares = [tensor.square().sum((-2, -1)) for tensor in params]
    return (decay_features * squares[0] + decay_weights * sum(squares[1:])) / 2


def objective(problem: Problem, params: Parameters) -> torch.Tensor:
    """g(Z) + lambda_H/2 ||H_1||_F^2 + lambda_W/2 sum_l ||W_l||_F^2: (...).

    Raises:
        ValueError: the parameters do not have the shapes of `problem`.

    >>> problem = Problem(classes=4, samples=2, depth=2, width=5, weight_decay=0.01)
    >>> zero = random_point(problem, init_scale=0.0)
    >>> round(float(objective(problem, zero)), 6) == round(math.log(4), 6)
    True
    """
    return fit(problem, logits(problem, params)) + penalty(problem, params)


def expand(problem: Problem, class_logits: torch.Tensor) -> torch.Tensor:
    """Repeat each class's column for its samples: (..., K, K) -> (..., K, N).

    Raises:
        ValueError: `class_logits` is not a real (..., K, K) tensor.

    >>> expand(Problem(classes=2, samples=(1, 3), depth=1, width=2, weight_decay=0.01), torch.eye(2))
    tensor([[1., 0., 0., 0.],
            [0., 1., 1., 1.]])
    """
    suited("expand", problem)
    real_tensor("class_logits", class_logits, "...", problem.classes, problem.classes)
    return class_logits[..., problem.labels.to(class_logits.device)]


def class_means(problem: Problem, signal: torch.Tensor) -> torch.Tensor:
    """Average the columns of each class: (..., m, N) -> (..., m, K).

    Raises:
        ValueError: `signal` is not a floating tensor with one column a sample.
    """
    suited("class_means", problem)
    signal = floating_tensor("signal", signal, "...", "m", problem.total_samples)
    return torch.stack([part.mean(-1) for part in signal.split(problem.class_sizes, dim=-1)], dim=-1)


def random_frame(rows: int, columns: int, generator: torch.Generator) -> torch.Tensor:
    """A Haar-distributed (rows, columns) float64 matrix with orthonormal columns, at most as many as rows.

    Raises:
        ValueError: a bad argument, by name.
    """
    rows = positive_int("rows", rows)
    columns = positive_int("columns", columns, smallest=0, largest=rows)
    room("rows", rows * columns)
    if not isinstance(generator, torch.Generator):
        raise ValueError(f"generator must be a torch.Generator, got {shown(generator)}")
    gauss = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    frame, upper = torch.linalg.qr(gauss)
    return frame * upper.diagonal().sign()  # without the signs QR is not Haar


def aligned_point(problem: Problem, logits: torch.Tensor, seed: int = 0) -> list[torch.Tensor]:
    """Parameters aligned as in Lemma 1 that produce given class-mean logits, with random inner frames.

        Z = U_L diag(sigma) V_0^T,  W_l = s_W U_l U_{l-1}^T,  H_1 = s_H U_0 V_0^T,  s_W^L s_H = sigma,
        lambda_H s_H^2 = lambda_W s_W^2   (equal singular values when the penalties are equal)

    Args:
        problem: a linear problem (ReLU has no such points in general).
        logits: (K, K) class-mean logits; column k is shared by the samples of class k. Any are allowed: the point
            is critical only for logits at which the reduced objective is.
        seed: of the inner frames U_0, ..., U_{L-1} (Haar on the Stiefel manifold of rank-many columns).

    Returns:
        [H_1, W_1, ..., W_L] in float64.

    Raises:
        ValueError: ReLU problem, wrong shape or non-finite logits, exactly one penalty equal to zero, or a bad seed.

    Source: Garrod & Keating (2025), Lemma 1; unequal penalties: derived in the book.
    """
    suited("aligned_point", problem, activation="linear")
    room("problem", problem.parameters)
    logits = finite_tensor("logits", logits, problem.classes, problem.classes)
    decay_features, decay_weights = problem.penalties
    if (decay_features == 0) != (decay_weights == 0):
        raise ValueError("weight_decay must be positive for features and weights, or zero for both")
    ratio = math.sqrt(decay_weights / decay_features) if decay_features != decay_weights else 1.0  # s_H / s_W

    L, d = problem.depth, problem.width
    left, sigma, right = torch.linalg.svd(expand(problem, logits.cpu()), full_matrices=False)
    r = int((sigma > ROUNDING * sigma[0]).sum())
    left, sigma, right = left[:, :r], sigma[:r], right[:r]
    size = (sigma / ratio) ** (1 / (L + 1))  # singular values s_W of every weight matrix

    generator = _generator(seed)
    frames = [random_frame(d, r, generator) for _ in range(L)] + [left]
    features = (frames[0] * (ratio * size)) @ right
    weights = [(frames[layer] * size) @ frames[layer - 1].T for layer in range(1, L + 1)]
    return [features, *weights]
