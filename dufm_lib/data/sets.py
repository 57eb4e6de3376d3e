"""A labelled data set, and how one is made of images: balanced, ordered by class, standardised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dufm_lib._arguments import positive_int, sequence, shown, word


@dataclass(frozen=True, eq=False, repr=False)
class Data:
    """A labelled data set whose samples are ordered by class, as the columns of H_1 are.

    Args:
        inputs: (N, ...) floating point, finite; one sample a row: all of class 0, then class 1, ...
        labels: (N,) int64, every class 0, ..., K - 1 at least once, ascending; K >= 2.
        test_inputs: (M, ...) of the same kind, M >= 0, not trained on.
        test_labels: (M,) int64 in 0, ..., K - 1, in any order and number.
        names: K names of the classes; "0", "1", ... when left out.

    Raises:
        ValueError: a shape or type does not fit, an input is not finite, a label is out of range, a class is
            missing, or the samples are not ordered by class.
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    test_inputs: torch.Tensor
    test_labels: torch.Tensor
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check("inputs", self.inputs, "labels", self.labels)
        _check("test_inputs", self.test_inputs, "test_labels", self.test_labels)
        if _kind(self.inputs[:0]) != _kind(self.test_inputs[:0]):
            raise ValueError(f"test_inputs must be like inputs, {_kind(self.inputs)}; got {_kind(self.test_inputs)}")
        if len(self.labels) == 0 or int(self.labels.min()) < 0 or int(self.labels.max()) >= len(self.labels):
            raise ValueError("labels must be the classes 0, ..., K - 1; got none, or others")
        missing = (torch.bincount(self.labels) == 0).nonzero().flatten().tolist()
        if missing or self.classes < 2:
            raise ValueError(
                "labels must use every class 0, ..., K - 1 with K >= 2; "
                f"got K = {self.classes} and no sample of the classes {missing}"
            )
        if (self.labels.diff() < 0).any():
            raise ValueError("labels must be ascending: order the samples by class")
        if ((self.test_labels < 0) | (self.test_labels >= self.classes)).any():
            raise ValueError(f"test_labels must be in 0, ..., {self.classes - 1}, the classes of labels")
        given = tuple(word("names", name) for name in sequence("names", self.names, "words"))
        names = given or tuple(str(k) for k in range(self.classes))
        if len(names) != self.classes:
            raise ValueError(f"names must name each of the {self.classes} classes, got {len(names)} names")
        object.__setattr__(self, "names", names)

    @property
    def classes(self) -> int:
        """K."""
        return int(self.labels[-1]) + 1

    @property
    def samples(self) -> int | tuple[int, ...]:
        """n when the classes are balanced, else (n_1, ..., n_K): what `Problem` calls samples."""
        sizes = torch.bincount(self.labels).tolist()
        return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.inputs.shape[1:]))
        train, test = len(self.labels), len(self.test_labels)
        return f"Data({train} x {shape}, {self.classes} classes, {test} for testing)"


def selection(per_class: object, classes: object) -> tuple[int, list[int]]:
    """What to take of a data set, checked before it is read: n, and at least two classes."""
    chosen = [positive_int("classes", k, smallest=0) for k in sequence("classes", classes, "integers")]
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise ValueError(f"classes must be at least two different ones, got {shown(chosen)}")
    return positive_int("per_class", per_class), chosen


def _check_images(images: object, targets: object) -> None:
    if (
        not isinstance(images, np.ndarray)
        or images.dtype.kind not in "biuf"
        or images.ndim < 2
        or 0 in images.shape[1:]
    ):
        raise ValueError(f"images must be an array (M, ...) of real numbers, got {shown(images)}")
    if not np.isfinite(images).all():
        raise ValueError("images must be finite, got a NaN or an infinity")
    if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "iu" or targets.ndim != 1:
        raise ValueError(f"targets must be an array (M,) of integers, got {shown(targets)}")
    if len(images) != len(targets):
        raise ValueError(f"targets must be one for each image; got {len(targets)} for {len(images)} images")


def _kind(value: object) -> str:
    """Shape and type of a tensor, in words."""
    return f"{tuple(value.shape)} {value.dtype}" if isinstance(value, torch.Tensor) else type(value).__name__


def _check(inputs_name: str, inputs: torch.Tensor, labels_name: str, labels: torch.Tensor) -> None:
    """Check the types of a part, and that it has one label a sample."""
    plain = isinstance(inputs, torch.Tensor) and inputs.layout == torch.strided and not inputs.is_meta
    if not plain or not inputs.is_floating_point() or inputs.ndim < 2 or 0 in inputs.shape[1:]:
        raise ValueError(f"{inputs_name} must be a floating point tensor (samples, ...), got {_kind(inputs)}")
    if not torch.isfinite(inputs).all():
        raise ValueError(f"{inputs_name} must be finite, got a NaN or an infinity")
    expected = torch.empty(len(inputs), dtype=torch.int64)
    if _kind(labels) != _kind(expected):
        raise ValueError(f"{labels_name} must be {_kind(expected)}, one class a sample; got {_kind(labels)}")


def balanced(
    images: np.ndarray,
    targets: np.ndarray,
    per_class: int,
    classes: Sequence[int],
    test: tuple[np.ndarray, np.ndarray] | None = None,
) -> Data:
    """The first `per_class` images of each class, standardised; the others of these classes are for testing.

        x <- (x - m) / s,   m, s: mean and standard deviation of all entries of all training images

    Two numbers for the whole set, not two a pixel: some pixels are the same in every image. The test part is
    transformed with the numbers of the training part.

    Args:
        images: (M, ...) real numbers.
        targets: (M,) the class of each image, as the source numbers them.
        per_class: n >= 1.
        classes: at least two different values of `targets`; class k of the result is classes[k].
        test: (images, targets) of a test set that the source names; those of `classes` among them are then used in
            place of those left over. A class may have none.

    Raises:
        ValueError: a bad argument, by name; as many targets as images are missing; a class with fewer than `per_class`
            images.

    Source: Garrod & Keating (2025), section 5: "centred and divided by the standard deviation".
    """
    n, classes = selection(per_class, classes)
    parts = [(images, targets)]
    if test is not None:
        test = sequence("test", test, "arrays (images, targets)", 2)
        parts.append(tuple(test))
    for pictures, labels in parts:
        _check_images(pictures, labels)
    where = [np.flatnonzero(targets == k) for k in classes]
    for k, found in zip(classes, where, strict=True):
        if len(found) == 0:
            raise ValueError(f"classes must be among {np.unique(targets).tolist()}, got {k}")
        if len(found) < n:
            raise ValueError(f"per_class must be at most {len(found)}, the images of class {k}; got {n}")

    training = [images[found[:n]] for found in where]
    testing = [images[found[n:]] for found in where] if test is None else [test[0][test[1] == k] for k in classes]
    # a class at a time: in float64 a set of photographs would not fit into a small memory
    mean = np.mean([part.mean(dtype=np.float64) for part in training])
    deviation = math.sqrt(np.mean([np.square(part - mean, dtype=np.float64).mean() for part in training]))
    if deviation == 0:
        raise ValueError("images must differ: all entries of the training images are the same number")

    def part(chosen: list[np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
        labels = torch.repeat_interleave(torch.tensor([len(pictures) for pictures in chosen]))
        return torch.cat([torch.from_numpy((pictures - mean) / deviation).float() for pictures in chosen]), labels

    return Data(*part(training), *part(testing), tuple(str(k) for k in classes))
