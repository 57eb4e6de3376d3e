"""Kinds of answers and how each is judged: what is wrong is said, what is right is not given away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Protocol

import numpy as np
import torch


class Judge(Protocol):
    """Judges an answer: the fault in words, or None if the answer is right."""

    def fault(self, answer: object) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class Number:
    """A real number.

    Attributes:
        value: called for the right answer.
        rtol: accepted relative error. It is what the exercise asks for, not rounding.
        mistakes: {remark: what one gets by that mistake}; told to those who make it.
    """

    value: Callable[[], float]
    rtol: float = 1e-3
    mistakes: Mapping[str, Callable[[], float]] = field(default_factory=dict)

    def fault(self, answer: object) -> str | None:
        """The fault in words, or None."""
        if isinstance(answer, bool) or not isinstance(number := _scalar(answer), Real):
            return f"a number is expected, and this is of type {type(answer).__name__}"
        if not np.isfinite(number):
            return f"a finite number is expected, and this is {number}"
        right = self.value()
        if self._close(number, right):
            return None
        for remark, wrong in self.mistakes.items():
            if self._close(number, wrong()):
                return remark
        if right != 0 and number * right <= 0:
            return "the sign is wrong" if number else "it is not zero"
        if right != 0 and not 0.1 <= number / right <= 10:
            return f"it is more than ten times too {'large' if abs(number) > abs(right) else 'small'}"
        return f"close, but not within a relative error of {self.rtol:g}"

    def _close(self, number: float, other: float) -> bool:
        return abs(number - other) <= self.rtol * abs(other)


@dataclass(frozen=True)
class Whole:
    """A whole number: a rank, a dimension, a count.

    Attributes:
        value: called for the right answer.
        mistakes: {remark: what one gets by that mistake}.
    """

    value: Callable[[], int]
    mistakes: Mapping[str, Callable[[], int]] = field(default_factory=dict)

    def fault(self, answer: object) -> str | None:
        """The fault in words, or None."""
        number = _scalar(answer)
        if isinstance(number, bool) or not isinstance(number, Integral):
            return f"a whole number is expected, and this is {answer!r}"
        if number == self.value():
            return None
        for remark, wrong in self.mistakes.items():
            if number == wrong():
                return remark
        return "that is not the number"


@dataclass(frozen=True)
class Matrix:
    """A matrix or vector, as an array, a tensor or nested lists.

    Attributes:
        value: called for the right answer.
        atol: accepted absolute error of each entry.
    """

    value: Callable[[], object]
    atol: float = 1e-6

    def fault(self, answer: object) -> str | None:
        """The fault in words, or None."""
        right = np.asarray(self.value(), dtype=float)
        array = _array(answer, right.shape)
        if isinstance(array, str):
            return array
        wrong = ~(np.abs(array - right) <= self.atol)  # NaN is wrong too
        if not wrong.any():
            return None
        first = tuple(int(index) for index in np.argwhere(wrong)[0])
        return f"{wrong.sum()} of {wrong.size} entries are wrong, the first at index {first}"


@dataclass(frozen=True)
class Construction:
    """A matrix that must have some properties, and there is more than one.

    Attributes:
        shape: of the matrix.
        faults: {remark: whether a float64 tensor of that shape has this fault}, asked in this order.
    """

    shape: tuple[int, int]
    faults: Mapping[str, Callable[[torch.Tensor], bool]]

    def fault(self, answer: object) -> str | None:
        """The fault in words, or None."""
        array = _array(answer, self.shape)
        if isinstance(array, str):
            return array
        if not np.isfinite(array).all():
            return "finite entries are expected"
        matrix = torch.from_numpy(array)
        return next((remark for remark, has in self.faults.items() if has(matrix)), None)


@dataclass(frozen=True)
class Function:
    """A function, tried on a few inputs.

    Attributes:
        reference: gives the right value for the same arguments.
        inputs: the tuples of arguments it is tried on.
        rtol: accepted relative error of each value.
    """

    reference: Callable[..., float]
    inputs: Sequence[tuple]
    rtol: float = 1e-6

    def fault(self, answer: object) -> str | None:
        """The fault in words, or None."""
        if not callable(answer):
            return f"a function is expected, and this is of type {type(answer).__name__}"
        for arguments in self.inputs:
            shown = ", ".join(map(repr, arguments))
            try:
                value = answer(*arguments)
            except Exception as error:
                return f"called with ({shown}) it raises {type(error).__name__}: {error}"
            if isinstance(fault := Number(lambda: self.reference(*arguments), self.rtol).fault(value), str):  # noqa: B023
                return f"called with ({shown}) it returns {value!r}: {fault}"
        return None


def _scalar(answer: object) -> object:
    """The number in an array or tensor of one entry; anything else as it is."""
    return answer.item() if getattr(answer, "ndim", None) == 0 and hasattr(answer, "item") else answer


def _array(answer: object, shape: tuple[int, ...]) -> np.ndarray | str:
    """The answer as an array of that shape, or what is wrong with it in words."""
    try:
        array = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return f"an array of shape {shape} is expected, and this is of type {type(answer).__name__}"
    if array.shape != shape:
        return f"an array of shape {shape} is expected, and this one has shape {array.shape}"
    return array
