"""The setting of every experiment: how many classes, samples, layers and units, and what is penalised."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

LOSSES = ("cross_entropy", "mse")
ACTIVATIONS = ("linear", "relu")


def _plain(value: Any) -> Any:
    """Unwrap a NumPy scalar or an array or tensor without axes."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def positive_int(name: str, value: object, smallest: int = 1) -> int:
    """Return `value` as an int, or raise a ValueError that names the argument."""
    number = _plain(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"{name} must be an integer, got {value!r} ({type(value).__name__})")
    if number < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {number}")
    return number


def nonnegative_float(name: str, value: object) -> float:
    """Return `value` as a finite float >= 0, or raise a ValueError that names the argument."""
    number = _plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(f"{name} must be a number, got {value!r} ({type(value).__name__})")
    if not 0 <= number <= sys.float_info.max:  # false for NaN too
        raise ValueError(f"{name} must be finite and not negative, got {number}")
    return float(number)


def one_of(name: str, value: str, known: Sequence[str]) -> str:
    """Return `value` if it is known, or raise a ValueError that names the argument and all that is known."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    return value


def real_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """Return `value`, or raise a ValueError that names the argument: it must be a real tensor of `shape`.

    In `shape` an integer is the size of an axis, a letter any size but zero (the same wherever it occurs),
    and a leading "..." any number of batch axes.
    """
    if not isinstance(value, torch.Tensor):
        got = type(value).__name__
    elif value.is_complex() or not _fits(tuple(value.shape), shape):
        got = f"shape {tuple(value.shape)} of {value.dtype}"
    else:
        return value
    wanted = ", ".join(map(str, shape))
    raise ValueError(f"{name} must be a real torch tensor of shape ({wanted}), got {got}")


def _fits(sizes: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    if shape[0] == "...":
        shape = shape[1:]
        sizes = sizes[max(len(sizes) - len(shape), 0) :]
    letters = {axis: size for axis, size in zip(shape, sizes, strict=False) if isinstance(axis, str)}
    wanted = tuple(letters.get(axis, -1) if isinstance(axis, str) else axis for axis in shape)
    return sizes == wanted and 0 not in letters.values()


def finite_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """As `real_tensor`, and finite; returned in float64, detached."""
    tensor = real_tensor(name, value, *shape).detach().double()
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return tensor


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

        checked("classes", positive_int("classes", self.classes, smallest=2))
        checked("samples", _samples(self.samples, self.classes))
        checked("depth", positive_int("depth", self.depth))
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
        return sum(self.class_sizes)

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
    def labels(self) -> torch.Tensor:
        """The class of each column of H_1, in order: (N,) int64."""
        return torch.repeat_interleave(torch.arange(self.classes), torch.tensor(self.class_sizes))

    def require_balanced(self, what: str) -> int:
        """Return n, or raise a ValueError saying that `what` is for equal class sizes only."""
        if not isinstance(self.samples, int):
            raise ValueError(f"{what} needs balanced classes: samples must be one integer, got {self.samples}")
        return self.samples
