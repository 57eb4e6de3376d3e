"""What an argument may be. Each check returns the value in one plain form, or raises a ValueError that names it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

LARGEST = 10**9  # of any size
LARGEST_SEED = 2**63 - 1
LARGEST_NUMBER = 1e30  # fits into float32, and its tenth power into float64: products of a few stay finite
LARGEST_ENTRY = 1e150  # of a matrix in float64: its square stays finite
ROOM = 2**30  # numbers in what is formed at once: 8 GB in float64
SHOWN = 80  # characters of a wrong value in a message


def shown(value: object) -> str:
    """A wrong value in a few words: an array by its shape, anything else as Python writes it, cut short."""
    kind = type(value).__name__
    if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim:
        return f"{kind} of shape {tuple(value.shape)} and {value.dtype}"
    try:
        text = repr(value)
    except Exception:  # of an object of the reader's, or of an integer too long to be written
        return kind
    return f"{text if len(text) <= SHOWN else text[:SHOWN] + ' ...'} ({kind})"


def plain(value: Any) -> Any:
    """Unwrap a NumPy scalar or an array or tensor without axes."""
    return value.item() if isinstance(value, (np.generic, np.ndarray, torch.Tensor)) and value.ndim == 0 else value


def positive_int(name: str, value: object, smallest: int = 1, largest: int = LARGEST) -> int:
    """An integer from `smallest` to `largest`, as an int."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"{name} must be an integer, got {shown(value)}")
    if number < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {shown(number)}")
    if number > largest:
        raise ValueError(f"{name} must be at most {largest}, got {shown(number)}")
    return number


def seed_int(name: str, value: object) -> int:
    """A seed: an integer from 0 to 2^63 - 1."""
    return positive_int(name, value, smallest=0, largest=LARGEST_SEED)


def real_float(name: str, value: object) -> float:
    """A number of size at most LARGEST_NUMBER, as a float."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(f"{name} must be a number, got {shown(value)}")
    if not abs(number) <= sys.float_info.max:  # false for NaN too
        raise ValueError(f"{name} must be a number that is finite, got {shown(number)}")
    if abs(number) > LARGEST_NUMBER:
        raise ValueError(f"{name} must be at most {LARGEST_NUMBER:g} in size, or its products overflow; got {number:g}")
    return float(number)


def nonnegative_float(name: str, value: object) -> float:
    """A number from 0 to LARGEST_NUMBER, as a float."""
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError(f"{name} must be a number, got {shown(value)}")
    if not 0 <= number <= sys.float_info.max:  # false for NaN too
        raise ValueError(f"{name} must be finite and not negative, got {shown(number)}")
    return real_float(name, number)


def positive_float(name: str, value: object) -> float:
    """A number above 0 and up to LARGEST_NUMBER, as a float."""
    if (number := nonnegative_float(name, value)) == 0:
        raise ValueError(f"{name} must be positive, got 0")
    return number


def fraction(name: str, value: object) -> float:
    """A number in [0, 1), as a float."""
    if (number := nonnegative_float(name, value)) >= 1:
        raise ValueError(f"{name} must be in [0, 1), got {number}")
    return number


def flag(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(plain(value), bool):
        raise ValueError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """One of the known words."""
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {shown(value)}")
    return value


def word(name: str, value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {shown(value)}")
    return value


def sequence(name: str, value: object, what: str, count: int | None = None) -> list:
    """Things one after the other (no text, no mapping): a list; `count` of them, if that is given."""
    if isinstance(value, (str, bytes, dict, set)) or not isinstance(value, Iterable) or not getattr(value, "ndim", 1):
        raise ValueError(f"{name} must be a list of {what}, got {shown(value)}")
    each = list(value)
    if count is not None and len(each) != count:
        raise ValueError(f"{name} must be {count} {what}, got {len(each)}")
    return each


def function(name: str, value: Callable | None) -> None:
    """Something that can be called, or None."""
    if value is not None and not callable(value):
        raise ValueError(f"{name} must be a function, got {shown(value)}")


def places(name: str, index: Any, count: int) -> torch.Tensor:
    """Which of `count` things are chosen by an integer, a slice, integers or a mask: (m,) int64, each in 0..count-1.

    Raises:
        ValueError: another kind of index.
        IndexError: an integer beyond the ends, as of a list.
    """
    try:
        chosen = torch.as_tensor(range(count)[index] if isinstance(index, slice) else index).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        chosen = torch.empty(0, 0)
    mask = chosen.dtype == torch.bool
    numbers = chosen.is_floating_point() or chosen.is_complex()  # of an empty list too
    if chosen.ndim > 1 or (mask and chosen.shape != (count,)) or (numbers and chosen.numel()):
        raise ValueError(
            f"{name} must be an integer, a slice, a list of integers or a mask of {count} booleans; got {shown(index)}"
        )
    return torch.arange(count)[chosen if mask else chosen.long()].reshape(-1)


def file_path(name: str, value: object) -> Path:
    """The name of a file, there or not, in a folder that is there."""
    path = _path(name, value)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ValueError(f"{name} must name a file in a folder that exists, got {shown(str(value))}")
    return path


def folder_path(name: str, value: object) -> Path:
    """The name of a folder, there or not."""
    path = _path(name, value)
    if any(each.exists() and not each.is_dir() for each in (path, *path.absolute().parents)):
        raise ValueError(f"{name} must name a folder, got {shown(str(value))}")
    return path


def _path(name: str, value: Any) -> Path:
    try:
        path = Path(value)
    except TypeError as error:
        raise ValueError(f"{name} must be the name of a file or folder, got {shown(value)}") from error
    if "\0" in str(path):
        raise ValueError(f"{name} must be the name of a file or folder, got {shown(str(path))}")
    return path


def compute_device(name: str, value: Any) -> torch.device:
    """A device of this machine."""
    try:
        device = torch.empty(0, device=value).device if value is not None else None
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"{name} must be a device of this machine, such as 'cpu'; got {shown(value)}") from error
    if device is None or device.type == "meta":
        raise ValueError(f"{name} must be a device that computes, such as 'cpu'; got {shown(value)}")
    return device


def dtype_of(name: str, value: object) -> torch.dtype:
    """torch.float32 or torch.float64."""
    if not isinstance(value, torch.dtype) or value not in (torch.float32, torch.float64):
        raise ValueError(f"{name} must be torch.float32 or torch.float64, got {shown(value)}")
    return value


def room(name: str, numbers: int) -> None:
    """Raise a ValueError if so many numbers are too many to be formed at once."""
    if numbers > ROOM:
        raise ValueError(f"{name} must be smaller: {numbers:.3g} numbers would be formed at once, {ROOM:.3g} at most")


def real_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """A real tensor of `shape`, of floats or integers.

    In `shape` an integer is the size of an axis, a letter any size but zero (the same wherever it occurs),
    and a leading "..." any number of batch axes.
    """
    if not isinstance(value, torch.Tensor):
        got = shown(value)
    elif value.layout != torch.strided or value.is_meta:
        got = f"a sparse tensor, or one without numbers ({value.layout} on {value.device})"
    elif value.is_complex() or value.dtype == torch.bool or not fits(tuple(value.shape), shape):
        got = f"shape {tuple(value.shape)} of {value.dtype}"
    else:
        return value
    wanted = ", ".join(map(str, shape))
    raise ValueError(f"{name} must be a real torch tensor of shape ({wanted}), got {got}")


def fits(sizes: tuple[int, ...], shape: Sequence[int | str]) -> bool:
    """Whether a tensor of these sizes has a shape as `real_tensor` describes it."""
    if shape[0] == "...":
        shape = shape[1:]
        sizes = sizes[max(len(sizes) - len(shape), 0) :]
    letters = {axis: size for axis, size in zip(shape, sizes, strict=False) if isinstance(axis, str)}
    wanted = tuple(letters.get(axis, -1) if isinstance(axis, str) else axis for axis in shape)
    return sizes == wanted and 0 not in letters.values()


def floating_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """As `real_tensor`, and floating."""
    tensor = real_tensor(name, value, *shape)
    if not tensor.is_floating_point():
        raise ValueError(f"{name} must be floating, got {tensor.dtype}: call .double() on it")
    return tensor


def finite_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """As `real_tensor`, and finite; returned in float64, detached."""
    tensor = real_tensor(name, value, *shape).detach().double()
    if not torch.isfinite(tensor).all():
        raise ValueError(f"{name} must be finite, got a NaN or an infinity")
    return tensor


def bounded_tensor(name: str, value: object, *shape: int | str) -> torch.Tensor:
    """As `finite_tensor`, with entries of size at most LARGEST_ENTRY."""
    tensor = finite_tensor(name, value, *shape)
    if (largest := float(tensor.abs().max())) > LARGEST_ENTRY:
        raise ValueError(
            f"{name} must have entries of at most {LARGEST_ENTRY:g} in size, or their products overflow; "
            f"got {largest:g}: rescale"
        )
    return tensor
