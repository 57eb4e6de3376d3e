"""`Problem`: what it stores, what it derives. (What it refuses: test_bad_input.)"""

import copy
import dataclasses
import math
import pickle

import numpy as np
import pytest
import torch
from reference import near

from dufm_lib import Problem
from dufm_lib.problem import suited


def test_attributes_of_the_same_names_as_the_arguments():
    problem = Problem(10, 5, 2, 70, 2**-10, "mse", "relu")
    assert dataclasses.astuple(problem) == (10, 5, 2, 70, 2**-10, "mse", "relu")
    assert Problem(10, 5, 2, 70, 2**-10).loss == "cross_entropy"
    assert Problem(10, 5, 2, 70, 2**-10).activation == "linear"


@pytest.mark.parametrize("five", [np.int64(5), torch.tensor(5), np.array(5)])
def test_integers_of_other_libraries_are_integers(five):
    problem = Problem(five, five, five, five, 0.1)
    assert problem == Problem(5, 5, 5, 5, 0.1)
    assert all(type(value) is int for value in (problem.classes, problem.samples, problem.depth, problem.width))


@pytest.mark.parametrize("number", [0.5, np.float32(0.5), torch.tensor(0.5), torch.tensor(0.5, requires_grad=True)])
def test_numbers_of_other_libraries_are_numbers(number):
    assert Problem(3, 1, 1, 3, number) == Problem(3, 1, 1, 3, 0.5)
    assert Problem(3, 1, 1, 3, [number, 1]) == Problem(3, 1, 1, 3, (0.5, 1.0))


@pytest.mark.parametrize("counts", [(3, 1, 2), [3, 1, 2], np.array([3, 1, 2]), torch.tensor([3, 1, 2])])
def test_imbalanced_samples(counts):
    problem = Problem(3, counts, 1, 3, 0.1)
    assert problem.samples == problem.class_sizes == (3, 1, 2)
    assert not problem.balanced
    assert problem.total_samples == 6
    assert problem.labels.tolist() == [0, 0, 0, 1, 2, 2]
    with pytest.raises(ValueError, match=r"the thing needs balanced classes.*\(3, 1, 2\)"):
        suited("the thing", problem, balanced=True)


def test_equal_counts_are_balanced_however_they_are_written():
    problem = Problem(3, [4, 4, 4], 1, 3, (0.1, 0.1))
    assert problem == Problem(3, 4, 1, 3, 0.1)
    assert hash(problem) == hash(Problem(3, 4, 1, 3, 0.1))
    assert problem.balanced and suited("it", problem, balanced=True) is problem
    assert problem.class_sizes == (4, 4, 4)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_shapes_are_those_of_the_product(depth):
    problem = Problem(3, (3, 1, 2), depth, 7, 0.1)
    assert len(problem.shapes) == depth + 1
    product = torch.zeros(problem.shapes[0])
    for shape in problem.shapes[1:]:
        product = torch.zeros(shape) @ product
    assert product.shape == (3, 6)


def test_penalties_and_their_geometric_mean():
    assert Problem(3, 1, 2, 3, 0.1).penalties == (0.1, 0.1)
    assert Problem(3, 1, 2, 3, 0.1).mean_weight_decay == 0.1  # exactly: no logarithm on the way
    assert Problem(3, 1, 2, 3, (0.1, 0)).mean_weight_decay == 0
    assert Problem(3, 1, 2, 3, [0.1, 0.2]).penalties == (0.1, 0.2)
    assert Problem(3, 1, 3, 3, (2.0, 3.0)).mean_weight_decay == near((2 * 3**3) ** 0.25, rel=1e-15)
    # the product underflows here, its root does not
    tiny = Problem(3, 1, 9, 3, (1e-100, 1e-200)).mean_weight_decay
    assert math.log10(tiny) == near(-190, rel=1e-14)


def test_frozen_and_copied_like_a_value():
    problem = Problem(3, (1, 2, 3), 2, 4, (0.1, 0.2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.depth = 3
    # A tensor kept from a first call within torch.func would be dead after it; a shared one could be written into.
    assert problem.labels is not problem.labels
    for same in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem)), dataclasses.replace(problem)):
        assert same == problem
    with pytest.raises(ValueError, match="width"):
        dataclasses.replace(problem, width=2)
