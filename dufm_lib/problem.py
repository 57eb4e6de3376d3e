"""The setting of every experiment: how many classes, samples, layers and units, and what is penalised."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from dufm_lib._arguments import nonnegative_float, one_of, positive_int, room, shown

LOSSES = ("cross_entropy", "mse")
ACTIVATIONS = ("linear", "relu")
MANY = 10**6  # classes, or layers: each of them is listed somewhere


def _samples(value: object, classes: int) -> int | tuple[int, ...]:
    counts = value.tolist() if hasattr(value, "tolist") else value  # of an array or a tensor
    if not isinstance(counts, (list, tuple)):
        return positive_int("samples", counts)
    if len(counts) != classes:
        raise ValueError(
            f"samples must be one integer or one for each of the {classes} classes; got {len(counts)} of them"
        )
    sizes = tuple(positive_int("samples", count) for count in counts)
    return sizes[0] if len(set(sizes)) == 1 else sizes


def _weight_decay(value: object) -> float | tuple[float, float]:
    if isinstance(value, (list, tuple)):
        if len(value) != 2:
            raise ValueError(
                "weight_decay must be one number, or the pair (features, weights) = (lambda_H, lambda_W); "
                f"got {len(value)} numbers"
            )
        features, weights = (nonnegative_float("weight_decay", v) for v in value)
        return features if features == weights else (features, weights)
    return nonnegative_float("weight_decay", value)


@dataclass(frozen=True)
class Problem:
    """A deep unconstrained features model with its training objective.

        objective = g(Z) + lambda_H/2 ||H_1||_F^2 + lambda_W/2 sum_l ||W_l||_F^2,
        Z = W_L s(W_{L-1} s( ... s(W_1 H_1)))

    Args:
        classes: K >= 2, the number of classes.
        samples: n >= 1, samples per class; or K integers (n_1, ..., n_K) for imbalanced classes.
        depth: L >= 1, the number of weight matrices above the features H_1 (so L + 1 factors).
        width: d >= K, the size of the features and of the hidden layers.
        weight_decay: lambda >= 0; or the pair (lambda_H, lambda_W) for features and weights.
        loss: g. "cross_entropy": the mean over all samples of -log softmax(z)_{class}.
            "mse": 1/(2N) ||Z - Y||_F^2 with one-hot columns Y.
        activation: s, between the layers only. "linear" (the identity) or "relu".

    Raises:
        ValueError: an argument is not as said above; the message names it.

    Source: Garrod & Keating (2025), section 2; imbalanced classes: their Appendix A; unequal penalties: the
    "UFM-style regularization" of their section 4.

    >>> problem = Problem(classes=10, samples=5, depth=2, width=70, weight_decay=2**-10)
    >>> problem.total_samples, problem.balanced, problem.shapes
    (50, True, ((70, 50), (70, 70), (10, 70)))
    >>> Problem(classes=10, samples=5, depth=2, width=7, weight_decay=2**-10)
    Traceback (most recent call last):
    ...
    ValueError: width must be at least 10, the number of classes; got 7
    """

    classes: int
    samples: int | tuple[int, ...]
    depth: int
    width: int
    weight_decay: float | tuple[float, float]
    loss: str = "cross_entropy"
    activation: str = "linear"

    def __post_init__(self) -> None:
        def checked(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        checked("classes", positive_int("classes", self.classes, smallest=2, largest=MANY))
        checked("samples", _samples(self.samples, self.classes))
        checked("depth", positive_int("depth", self.depth, largest=MANY))
        checked("width", positive_int("width", self.width))
        checked("weight_decay", _weight_decay(self.weight_decay))
        if self.width < self.classes:
            raise ValueError(f"width must be at least {self.classes}, the number of classes; got {self.width}")
        one_of("loss", self.loss, LOSSES)
        one_of("activation", self.activation, ACTIVATIONS)

    @property
    def balanced(self) -> bool:
        """Whether every class has the same number of samples."""
        return isinstance(self.samples, int)

    @property
    def class_sizes(self) -> tuple[int, ...]:
        """(n_1, ..., n_K), whether or not they are equal."""
        return (self.samples,) * self.classes if isinstance(self.samples, int) else self.samples

    @property
    def total_samples(self) -> int:
        """N = n_1 + ... + n_K."""
        return self.samples * self.classes if isinstance(self.samples, int) else sum(self.samples)

    @property
    def penalties(self) -> tuple[float, float]:
        """(lambda_H, lambda_W), whether or not they are equal."""
        decay = self.weight_decay
        return decay if isinstance(decay, tuple) else (decay, decay)

    @property
    def mean_weight_decay(self) -> float:
        """(lambda_H lambda_W^L)^{1/(L+1)}: all the reduced objective sees of the penalties."""
        features, weights = self.penalties
        if features == weights:
            return features
        if 0 in (features, weights):
            return 0.0
        return math.exp((math.log(features) + self.depth * math.log(weights)) / (self.depth + 1))

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Shapes of (H_1, W_1, ..., W_L): (d, N), (d, d), ..., (d, d), (K, d)."""
        d = self.width
        return ((d, self.total_samples), *(((d, d),) * (self.depth - 1)), (self.classes, d))

    @property
    def parameters(self) -> int:
        """P = d N + (L - 1) d^2 + K d, how many numbers (H_1, W_1, ..., W_L) are."""
        return self.width * (self.total_samples + (self.depth - 1) * self.width + self.classes)

    @property
    def labels(self) -> torch.Tensor:
        """The class of each column of H_1, in order: (N,) int64."""
        room("samples", self.total_samples)
        return torch.repeat_interleave(torch.arange(self.classes), torch.tensor(self.class_sizes))


def suited(
    what: str,
    problem: Problem,
    *,
    loss: str | None = None,
    activation: str | None = None,
    balanced: bool = False,
    decaying: bool = False,
) -> Problem:
    """Return `problem`, or raise a ValueError: it is none, or none that `what` is about.

    Args:
        what: the name of a function.
        problem: to be checked.
        loss, activation: what it must have.
        balanced: whether its classes must have equal sizes.
        decaying: whether features and weights must be penalised.
    """
    if not isinstance(problem, Problem):
        raise ValueError(f"problem must be a Problem, got {shown(problem)}")
    if balanced and not problem.balanced:
        raise ValueError(f"{what} needs balanced classes: samples must be one integer, got {shown(problem.samples)}")
    for argument, wanted in (("loss", loss), ("activation", activation)):
        if wanted is not None and getattr(problem, argument) != wanted:
            raise ValueError(f"{what} is about {argument} {wanted!r}, got {getattr(problem, argument)!r}")
    if decaying and problem.mean_weight_decay == 0:
        raise ValueError(
            f"weight_decay must be positive for features and weights in {what}: nothing else bounds them; "
            f"got {problem.weight_decay}"
        )
    return problem
