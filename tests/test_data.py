"""Data sets: which images, in which order, how standardised, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from dufm_lib import data
from dufm_lib.data import Data

IMAGES, DIGIT = load_digits(return_X_y=True)


@pytest.mark.parametrize("per_class, classes", [(1, (0, 1)), (50, range(10)), (174, tuple(range(10))), (181, [3, 1])])
def test_digits_are_the_first_of_each_class_standardised_by_two_numbers(per_class, classes):
    digits = data.digits(per_class, classes)
    expected = np.concatenate([IMAGES[k == DIGIT][:per_class] for k in classes])
    left_over = np.concatenate([IMAGES[k == DIGIT][per_class:] for k in classes])
    mean, deviation = expected.mean(), expected.std()
    for inputs, images in ((digits.inputs, expected), (digits.test_inputs, left_over)):
        assert inputs.dtype == torch.float32
        # the pixels are integers 0..16: undoing the standardisation in float64 leaves float32 rounding, about 1e-6
        np.testing.assert_allclose(inputs.double() * deviation + mean, images, atol=1e-5)
    K = len(classes)
    assert (digits.classes, digits.samples) == (K, per_class)
    assert digits.labels.tolist() == [k for k in range(K) for _ in range(per_class)]
    assert digits.names == tuple(str(k) for k in classes)
    for k, digit in enumerate(classes):  # every other image of the class is there for testing
        assert int((digits.test_labels == k).sum()) == (digit == DIGIT).sum() - per_class


def test_digits_have_mean_zero_and_deviation_one():
    digits = data.digits()
    assert digits.inputs.shape == (1740, 64)
    assert len(digits.test_labels) == 57
    inputs = digits.inputs.double()
    assert abs(inputs.mean()) < 1e-6  # float32 rounding of entries of size 1, averaged
    assert abs(inputs.std(correction=0) - 1) < 1e-6


def test_digits_are_the_same_every_time():
    first, second = data.digits(20), data.digits(20)
    assert torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.test_inputs, second.test_inputs)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"per_class": 175}, "per_class must be at most 174, the images of class 8; got 175"),
        ({"per_class": 10**9}, "per_class must be at most"),
        ({"per_class": 0}, "per_class must be at least 1"),
        ({"per_class": -3}, "per_class must be at least 1"),
        ({"per_class": 2.5}, "per_class must be an integer"),
        ({"per_class": True}, "per_class must be an integer"),
        ({"per_class": "all"}, "per_class must be an integer"),
        ({"classes": (3,)}, "classes must be at least two different ones"),
        ({"classes": ()}, "classes must be at least two different ones"),
        ({"classes": (3, 3)}, "classes must be at least two different ones"),
        ({"classes": (3, 10)}, "classes must be among"),
        ({"classes": (3, -1)}, "classes must be at least 0"),
        ({"classes": (3, 0.5)}, "classes must be an integer"),
        ({"classes": 3}, "classes must be a list of integers"),
    ],
)
def test_digits_refuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.digits(**arguments)


def parts(**changes):
    """A small correct data set of 3 classes in 2 dimensions, with changes."""
    return {
        "inputs": torch.arange(10.0).reshape(5, 2),
        "labels": torch.tensor([0, 0, 1, 2, 2]),
        "test_inputs": torch.zeros(2, 2),
        "test_labels": torch.tensor([2, 0]),
    } | changes


def test_data_knows_its_classes():
    plain = Data(**parts())
    assert (plain.classes, plain.samples, plain.names) == (3, (2, 1, 2), ("0", "1", "2"))
    assert repr(plain) == "Data(5 x 2, 3 classes, 2 for testing)"
    balanced = Data(**parts(labels=torch.tensor([0, 1, 2, 3, 4]), names=tuple("abcde")))
    assert (balanced.samples, balanced.names[3]) == (1, "d")
    images = Data(torch.zeros(4, 3, 8, 8), torch.tensor([0, 0, 1, 1]), torch.zeros(0, 3, 8, 8), torch.zeros(0).long())
    assert repr(images) == "Data(4 x 3 x 8 x 8, 2 classes, 0 for testing)"


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"inputs": np.zeros((5, 2))}, "inputs must be a floating point tensor .* ndarray"),
        ({"inputs": torch.zeros(5)}, "inputs must be a floating point tensor"),
        ({"inputs": torch.zeros(5, 2).long()}, "inputs must be a floating point tensor .*int64"),
        ({"inputs": torch.full((5, 2), torch.nan)}, "inputs must be finite"),
        ({"inputs": torch.zeros(4, 2)}, r"labels must be \(4,\)"),
        ({"labels": [0, 0, 1, 2, 2]}, r"labels must be \(5,\) torch.int64, .* list"),
        ({"labels": torch.tensor([0.0, 0, 1, 2, 2])}, "labels must be .*float32"),
        ({"labels": torch.tensor([-1, 0, 1, 2, 2])}, "labels must be the classes 0, ..., K - 1"),
        ({"labels": torch.tensor([0, 0, 1, 3, 3])}, r"no sample of the classes \[2\]"),
        ({"labels": torch.tensor([1, 1, 1, 2, 2])}, r"no sample of the classes \[0\]"),
        ({"labels": torch.tensor([0, 0, 0, 0, 0])}, "K >= 2"),
        ({"labels": torch.tensor([0, 1, 0, 2, 2])}, "labels must be ascending"),
        ({"test_inputs": torch.zeros(2, 3)}, "test_inputs must be like inputs"),
        ({"test_inputs": torch.zeros(2, 2).double()}, "test_inputs must be like inputs"),
        ({"test_inputs": torch.zeros(3, 2)}, r"test_labels must be \(3,\)"),
        ({"test_labels": torch.tensor([0, 3])}, "test_labels must be in 0, ..., 2"),
        ({"test_labels": torch.tensor([0, -1])}, "test_labels must be in 0, ..., 2"),
        ({"names": ("a", "b")}, "names must name each of the 3 classes, got 2"),
        (
            {"inputs": torch.zeros(0, 2), "labels": torch.zeros(0).long()},
            "labels must be the classes 0, ..., K - 1; got none",
        ),
    ],
)
def test_data_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        Data(**parts(**changes))
