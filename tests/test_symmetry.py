"""Symmetries of logits against brute force over all permutations, and the names of shapes."""

import itertools
import math

import pytest
import torch

from dufm_lib.plots.solids import ICOSAHEDRON
from dufm_lib.shapes import shape
from dufm_lib.structures import pairing, polygon, simplex_etf
from dufm_lib.symmetry import symmetry


def brute_force(M, tolerance=1e-9):
    """All permutations of the classes that leave M as it is."""
    K = len(M)
    return [p for p in itertools.permutations(range(K)) if (M[list(p)][:, list(p)] - M).abs().max() < tolerance]


def random_matrix(K, values, seed):
    """Few different entries, so that symmetries are not rare; as a rule not symmetric."""
    entries = torch.randint(values, (K, K), generator=torch.Generator().manual_seed(seed))
    return torch.linspace(-1, 3, values, dtype=torch.float64)[entries]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("K", "values"), [(3, 2), (4, 2), (5, 2), (5, 3)])
def test_against_brute_force(K, values, seed):
    M = random_matrix(K, values, seed)
    M = M + M.T if seed % 2 else M  # symmetric ones have more symmetries
    group = brute_force(M)
    found = symmetry(M)
    assert found.order == len(group)
    orbits = {tuple(sorted({p[i] for p in group})) for i in range(K)}
    assert set(found.orbits) == orbits
    assert [len(orbit) for orbit in found.orbits] == sorted(map(len, orbits), reverse=True)


@pytest.mark.parametrize("K", [2, 5, 6, 16])
def test_known_groups(K):
    assert symmetry(simplex_etf(K)).order == math.factorial(K)
    assert symmetry(polygon(K)).order == (2 * K if K > 2 else 2)
    m = K // 2
    assert symmetry(pairing(K)).order == 2**m * math.factorial(m)
    assert symmetry(torch.zeros(K, K)).order == math.factorial(K)


def test_the_order_of_the_classes_and_small_noise_do_not_matter():
    generator = torch.Generator().manual_seed(1)
    order = torch.randperm(7, generator=generator)
    M = 8 * polygon(7)[order][:, order] + 1e-4 * torch.randn(7, 7, generator=generator, dtype=torch.float64)
    assert symmetry(M) == symmetry(polygon(7))
    assert symmetry(M, tolerance=1e-9).order == 1


def test_bad_input_is_said_in_words():
    with pytest.raises(ValueError, match="logits must be"):
        symmetry(torch.ones(2, 3))
    with pytest.raises(ValueError, match="tolerance must be"):
        symmetry(torch.eye(2), tolerance=-1)


PRISM = [[x, y, z] for z in (-0.8, 0.8) for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))]
ANTIPRISM = [[x, y, -0.6] for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1))]
HALF_CUBE = [signs for signs in itertools.product((1, -1), repeat=5) if math.prod(signs) == 1]
ANTIPRISM += [[x / 2**0.5, y / 2**0.5, 0.6] for x, y in ((1, 1), (1, -1), (-1, 1), (-1, -1))]


def gram(corners):
    corners = torch.as_tensor(corners, dtype=torch.float64)
    return corners @ corners.T


@pytest.mark.parametrize(
    ("logits", "name", "structure", "rank"),
    [
        (7 * simplex_etf(5), "simplex", "dnc", 4),
        (pairing(8), "orthoplex", "pairing", 4),
        (polygon(5), "polygon", "polygon", 2),
        (torch.zeros(4, 4), "zero", "zero", 0),
        (gram(ICOSAHEDRON), "icosahedron", "polyhedron", 3),
        (gram(ICOSAHEDRON[1:]), "icosahedron less a corner", "polyhedron", 3),
        (gram(ANTIPRISM), "square antiprism", "polyhedron", 3),
        (gram(PRISM), "8 corners, 16 symmetries", "polyhedron", 3),  # as many as the antiprism
        (gram([*ANTIPRISM, [0, 0, 1], [0, 0, -1]]), "bicapped antiprism", "polyhedron", 3),
        (torch.block_diag(polygon(5), pairing(2)), "pentagonal bipyramid", "polyhedron", 3),
        (torch.block_diag(polygon(5), pairing(4)), "5 + 2 + 2", "mixed", 4),
        (gram(HALF_CUBE), "half 5-cube", "mixed", 5),
        (gram(HALF_CUBE[1:]), "half 5-cube less a corner", "mixed", 5),
        (pairing(7), "orthoplex pyramid", "pairing", 4),
        (simplex_etf(7) @ pairing(7), "orthoplex pyramid", "mixed", 4),  # a better one: columns sum to zero
    ],
)
def test_names(logits, name, structure, rank):
    assert shape(logits)[:3] == (name, structure, rank)
    order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(0))
    assert shape(logits[order][:, order])[:3] == (name, structure, rank)
