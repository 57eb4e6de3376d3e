"""What the tests compare the library with: its definitions as slow float64 loops, and a minimiser of its own.

Nothing here shares code with `dufm_lib` but the `Problem` and, in `minimise`, the objective whose minima are asked for.
"""

import math

import numpy as np
import torch
from pytest import approx
from scipy.optimize import minimize

from dufm_lib import Problem, model, theory

# One case of everything that the model distinguishes: depth, loss, activation, balance, penalties, n = 1.
CASES = {
    "plain": Problem(3, 2, 2, 4, 0.01),
    "depth 1": Problem(3, 2, 1, 3, 0.02),
    "deep": Problem(3, 1, 4, 3, 0.01),
    "relu": Problem(3, 2, 3, 4, 0.01, activation="relu"),
    "mse": Problem(3, 2, 2, 4, 0.01, loss="mse"),
    "relu mse": Problem(3, 2, 2, 5, 0.01, loss="mse", activation="relu"),
    "imbalanced": Problem(3, (1, 4, 2), 2, 4, 0.01),
    "unequal": Problem(3, 2, 2, 4, (0.003, 0.04)),
    "all at once": Problem(3, (3, 1, 2), 3, 4, (0.05, 0.002), loss="mse", activation="relu"),
}


def near(expected, rel):
    """`pytest.approx` without the absolute tolerance of 1e-12 that it adds unasked: much here is smaller than that."""
    return approx(expected, rel=rel, abs=0)


def logits(problem: Problem, params) -> np.ndarray:
    """Z, sample by sample and unit by unit."""
    features, *weights = (np.asarray(tensor, dtype=np.float64) for tensor in params)
    columns = []
    for sample in range(features.shape[1]):
        signal = [features[unit, sample] for unit in range(features.shape[0])]
        for layer, weight in enumerate(weights, start=1):
            signal = [
                math.fsum(weight[row, unit] * signal[unit] for unit in range(len(signal)))
                for row in range(weight.shape[0])
            ]
            if layer < len(weights) and problem.activation == "relu":
                signal = [max(value, 0.0) for value in signal]
        columns.append(signal)
    return np.array(columns).T


def classes_of_samples(problem: Problem) -> list[int]:
    return [k for k, count in enumerate(problem.class_sizes) for _ in range(count)]


def fit(problem: Problem, Z: np.ndarray) -> float:
    """g(Z), sample by sample."""
    losses = []
    for sample, own in enumerate(classes_of_samples(problem)):
        column = [float(Z[k, sample]) for k in range(problem.classes)]
        if problem.loss == "cross_entropy":
            losses.append(math.log(math.fsum(math.exp(value - column[own]) for value in column)))
        else:
            losses.append(0.5 * math.fsum((value - (k == own)) ** 2 for k, value in enumerate(column)))
    return math.fsum(losses) / len(losses)


def objective(problem: Problem, params) -> float:
    decays = [problem.penalties[0]] + [problem.penalties[1]] * problem.depth
    squares = [math.fsum(float(value) ** 2 for value in tensor.flatten()) for tensor in params]
    return fit(problem, logits(problem, params)) + math.fsum(d * s for d, s in zip(decays, squares, strict=True)) / 2


def reduced(problem: Problem, class_logits: np.ndarray) -> float:
    """The reduced objective, from the eigenvalues of Z Z^T with the columns written out n_k times."""
    Z = np.stack([class_logits[:, k] for k in classes_of_samples(problem)], axis=1)
    sigma = np.sqrt(np.clip(np.linalg.eigvalsh(Z @ Z.T), 0, None))
    sigma = [value for value in sigma if value > 1e-7 * max(sigma)]  # the square root of float64's rounding
    features, weights = problem.penalties
    mean = (features * weights**problem.depth) ** (1 / (problem.depth + 1))
    penalty = mean * (problem.depth + 1) / 2 * math.fsum(value ** (2 / (problem.depth + 1)) for value in sigma)
    return fit(problem, Z) + penalty


def class_means(features: np.ndarray, labels) -> tuple[np.ndarray, np.ndarray]:
    """Class means (d, K) and their own mean (d,), summed exactly."""
    d, K = len(features), max(labels) + 1
    means = np.zeros((d, K))
    for unit in range(d):
        for k in range(K):
            own = [float(features[unit, i]) for i in range(len(labels)) if labels[i] == k]
            means[unit, k] = math.fsum(own) / len(own)
    return means, np.array([math.fsum(row) / K for row in means])


def nc1(features: np.ndarray, labels) -> float:
    """tr(Sigma_W pinv(Sigma_B)) / K with the two matrices summed sample by sample."""
    means, centre = class_means(features, labels)
    d, K = means.shape
    within, between = np.zeros((d, d)), np.zeros((d, d))
    for sample, own in enumerate(labels):
        gap = features[:, sample].astype(np.float64) - means[:, own]
        within += np.outer(gap, gap) / len(labels)
    for k in range(K):
        gap = means[:, k] - centre
        between += np.outer(gap, gap) / K
    values, vectors = np.linalg.eigh(between)
    kept = [i for i in range(d) if values[i] > 1e-12 * values[-1]][-(K - 1) :]
    return math.fsum(float(vectors[:, i] @ within @ vectors[:, i]) / values[i] for i in kept) / K


def simplex(K: int) -> np.ndarray:
    return np.array([[(1 - 1 / K) if row == column else -1 / K for column in range(K)] for row in range(K)])


def distance(A: np.ndarray, B: np.ndarray) -> float:
    A, B = A / math.sqrt((A * A).sum()), B / math.sqrt((B * B).sum())
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(A.flatten(), B.flatten(), strict=True)))


def autograd_hessian(problem: Problem, params) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient and Hessian by torch's own reverse-over-reverse differentiation, one row at a time."""
    flat = torch.cat([tensor.flatten() for tensor in params])

    def value(flat):
        parts = flat.split([a * b for a, b in problem.shapes])
        return model.objective(problem, [p.reshape(shape) for p, shape in zip(parts, problem.shapes, strict=True)])

    jacobian = torch.autograd.functional.jacobian(value, flat)
    return jacobian, torch.autograd.functional.hessian(value, flat)


def minimise(problem: Problem, params, newton: int = 8) -> list[torch.Tensor]:
    """A minimum of the objective near `params` to float64 accuracy: L-BFGS, then Newton steps off the zero modes."""

    def unflatten(flat):
        parts = flat.split([a * b for a, b in problem.shapes])
        return [part.reshape(shape) for part, shape in zip(parts, problem.shapes, strict=True)]

    def value_and_slope(numbers):
        flat = torch.tensor(numbers, requires_grad=True)
        value = model.objective(problem, unflatten(flat))
        return value.item(), torch.autograd.grad(value, flat)[0].numpy()

    start = torch.cat([tensor.flatten() for tensor in params]).numpy()
    options = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 30, "ftol": 0, "gtol": 1e-9}
    flat = torch.tensor(minimize(value_and_slope, start, jac=True, method="L-BFGS-B", options=options).x)
    for _ in range(newton):
        slope, matrix = autograd_hessian(problem, unflatten(flat))
        values, vectors = torch.linalg.eigh(matrix)
        keep = values.abs() > 1e-2 * min(problem.penalties)  # the others are zero modes, along which nothing changes
        flat = flat - vectors[:, keep] @ ((vectors[:, keep].T @ slope) / values[keep])
    return unflatten(flat)


def unit_problem(K, L, weight_decay, d=None, n=1, **changes):
    return Problem(K, n, L, d or K, weight_decay, **changes)


def optimal(problem, structure):
    return theory.optimal_scale(problem, structure)[0] * structure
