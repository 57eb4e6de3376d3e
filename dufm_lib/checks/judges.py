"""Kinds of answers and how each is judged: what is wrong is said, what is right is not given away."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Protocol

import numpy as np
import torch

from dufm_lib._arguments import shown

CLOSE = 0.05  # relative error up to which a wrong number is called close
TOLD = 20  # a whole number is called too small or too large only if it or the right one is at least this


class Judge(Protocol):
    """Judges an answer: the fault in words, or None if the answer is right."""

    def fault(self, answer: object) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class Number:
    """A real number other than zero.

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
        number = _real(answer)
        if number is None:
            return f"a number is expected, and this is {shown(answer)}"
        if not math.isfinite(number):
            return f"a finite number is expected, and this is {shown(answer)}"
        right = float(self.value())
        if self._near(number, right, self.rtol):
            return None
        for remark, wrong in self.mistakes.items():
            if self._near(number, wrong(), self.rtol):
                return remark
        if number == 0:
            return "it is not zero"
        if (number > 0) != (right > 0):
            return "the sign is wrong"
        if self._near(number, right, CLOSE):
            return f"close, but not within a relative error of {self.rtol:g}"
        return _off(number, right) or f"it is of the right size, but off by more than {max(CLOSE, self.rtol):.0%}"

    @staticmethod
    def _near(number: float, other: float, rtol: float) -> bool:
        return abs(number - other) <= rtol * abs(other)


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
        number = _real(answer)
        if number is None or not number.is_integer():  # nor are NaN and infinity
            return f"a whole number is expected, and this is {shown(answer)}"
        right = self.value()
        if number == right:
            return None
        for remark, wrong in self.mistakes.items():
            if number == wrong():
                return remark
        told = number * right > 0 and max(abs(number), abs(right)) >= TOLD  # of few numbers a hint leaves one
        return (_off(number, right) if told else None) or "that is not the number"


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
        try:
            return next((remark for remark, has in self.faults.items() if has(matrix)), None)
        except (ValueError, torch.linalg.LinAlgError) as error:  # the library says why it cannot judge this matrix
            return str(error)


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
            called = f"called with ({', '.join(map(repr, arguments))}) it"
            try:
                value = answer(*arguments)
            except (Exception, SystemExit) as error:
                return f"{called} raises {shown(error)}"
            if isinstance(fault := Number(lambda: self.reference(*arguments), self.rtol).fault(value), str):  # noqa: B023
                return f"{called} returns {shown(value)}: {fault}"
        return None


def _off(number: float, right: float) -> str | None:
    """By how much a number of the right sign is off, if it is more than a factor of two; an exact factor would tell."""
    if 0.5 <= number / right <= 2:
        return None
    return f"it is too {'large' if abs(number) > abs(right) else 'small'} by more than a factor of two"


def _real(answer: object) -> float | None:
    """A real number, alone or the one entry of an array or tensor, as a float (infinite if too large), else None."""
    try:
        number = answer.item() if isinstance(answer, (np.generic, np.ndarray, torch.Tensor)) else answer
        if isinstance(number, bool) or not isinstance(number, (Real, Decimal)):
            return None
        return float(number)
    except OverflowError:  # a whole number or a fraction that no float holds
        return float("inf")
    except Exception:  # more than one entry, or none that can be read
        return None


def _array(answer: object, shape: tuple[int, ...]) -> np.ndarray | str:
    """The answer as an array of that shape, or what is wrong with it in words."""
    try:
        real = isinstance(answer, torch.Tensor) and not answer.is_complex()
        array = np.asarray(answer.detach().cpu().double() if real else answer)
        if array.dtype.kind not in "biufO":  # complex numbers, text, dates
            raise TypeError
        array = array.astype(float)
    except Exception:  # lists of unequal lengths, things that are no numbers, or numbers that no float holds
        return f"an array of real numbers of shape {shape} is expected, and this is {shown(answer)}"
    if array.shape != shape:
        return f"an array of shape {shape} is expected, and this one has shape {array.shape}"
    return array
