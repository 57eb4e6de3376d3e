"""Structures against their definitions written out, their spectra and radii, and what is said of matrices."""

import itertools
import math

import numpy as np
import pytest
import reference
import torch
from reference import near
from scipy.optimize import minimize

from dufm_lib import structures
from dufm_lib.structures import is_diagonally_superior, pairing, polygon, rank, simplex_etf, spectrum, strongly_regular

SIZES = range(2, 13)
# A few roundings of float64 in numbers of size one.
EXACT = 1e-14


@pytest.mark.parametrize("K", SIZES)
def test_constructors_against_loops(K):
    S, P, C = simplex_etf(K), pairing(K), polygon(K)
    assert S.dtype == P.dtype == C.dtype == torch.float64
    assert S.shape == P.shape == C.shape == (K, K)
    for i, j in itertools.product(range(K), repeat=2):
        partners = i // 2 == j // 2
        assert S[i, j] == pytest.approx((i == j) - 1 / K, abs=EXACT)
        assert P[i, j] == (1 if i == j else -1 if partners else 0)
        assert C[i, j] == pytest.approx(math.cos(2 * math.pi * (i - j) / K), abs=EXACT)


@pytest.mark.parametrize("K", SIZES)
def test_simplex_vertices_have_the_simplex_as_their_gram_matrix(K):
    V = structures.simplex_vertices(K)
    assert V.shape == (K - 1, K) and V.dtype == torch.float64
    assert np.allclose(V.T @ V, reference.simplex(K), atol=EXACT)
    assert np.allclose(V @ V.T, np.eye(K - 1), atol=EXACT)  # a tight frame
    assert V[-1, -1] > 0 and np.allclose(V[-1, :-1], V[-1, 0], atol=EXACT)


@pytest.mark.parametrize("order", [3, 4, 5, 6, 7])
def test_strongly_regular_is_the_complete_graph_of_edges(order):
    edges = list(itertools.combinations(range(order), 2))
    T = strongly_regular(order)
    assert T.shape == (len(edges), len(edges)) == (order * (order - 1) // 2,) * 2
    for (i, one), (j, other) in itertools.product(enumerate(edges), repeat=2):
        assert T[i, j] == len(set(one) & set(other)) - 1
    assert torch.equal(T.relu(), torch.eye(len(edges), dtype=torch.float64))


def table(K):
    """(structure, its distinct singular values with multiplicities), from theory.md and from graph theory."""
    m, odd = divmod(K, 2)
    yield simplex_etf(K), [(1, K - 1), (0, 1)]
    yield pairing(K), [(2, m), *([(1, 1)] * odd), (0, m)]
    yield polygon(K), [(K / 2, 2), (0, K - 2)] if K > 2 else [(2, 1), (0, 1)]


@pytest.mark.parametrize("K", SIZES)
def test_spectra(K):
    for structure, expected in table(K):
        found = spectrum(structure)
        assert [count for _, count in found] == [count for _, count in expected if count]
        assert [value for value, _ in found] == pytest.approx([value for value, n in expected if n], abs=EXACT * K)
        assert int(rank(structure)) == sum(count for value, count in expected if value)


@pytest.mark.parametrize("order", [3, 4, 5, 6, 7])
def test_spectrum_of_the_strongly_regular_structure(order):
    # T^T T of the complete graph has 2(r-1) once, r-2 (r-1 times), 0 otherwise; 11^T lowers the first by K.
    K, r = order * (order - 1) // 2, order
    expected = sorted([abs(2 * (r - 1) - K)] + [r - 2] * (r - 1) + [0] * (K - r), reverse=True)
    assert structures.singular_values(strongly_regular(r)).tolist() == pytest.approx(expected, abs=EXACT * K)
    assert int(rank(strongly_regular(r))) == (3 if r == 4 else r)


def test_structures_that_are_the_same():
    assert torch.allclose(polygon(2), 2 * simplex_etf(2)) and torch.allclose(pairing(2), 2 * simplex_etf(2))
    assert torch.allclose(polygon(3), 1.5 * simplex_etf(3))
    order = torch.tensor([0, 2, 1, 3])
    assert torch.allclose(polygon(4)[order][:, order], pairing(4))
    order = torch.tensor([0, 5, 1, 4, 2, 3])  # each edge of K_4 beside the one it does not meet
    assert torch.equal(strongly_regular(4)[order][:, order], pairing(6))
    assert torch.equal(strongly_regular(3), torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("K", SIZES)
def test_columns_are_centred_but_for_the_one_left_over(K):
    sums = pairing(K).sum(0)
    assert sums.tolist() == [0.0] * (K - K % 2) + [1.0] * (K % 2)
    for structure in (simplex_etf(K), polygon(K)):
        assert structure.sum(0).abs().max() < EXACT * K


def one_vs_rest_radius(structure, own):
    """Distance of the point of one class to the convex hull of the others, points of length 1 with that Gram matrix."""
    gram = (structure / structure[0, 0]).numpy()
    others = [k for k in range(len(gram)) if k != own]

    def squared(p):
        return gram[own, own] - 2 * p @ gram[others, own] + p @ gram[np.ix_(others, others)] @ p

    start = np.full(len(others), 1 / len(others))
    constraint = {"type": "eq", "fun": lambda p: p.sum() - 1}
    bounds = [(0, 1)] * len(others)
    found = minimize(squared, start, method="SLSQP", bounds=bounds, constraints=constraint, options={"ftol": 1e-15})
    return math.sqrt(found.fun)


@pytest.mark.parametrize("K", [3, 4, 5, 6, 8, 9])
def test_one_vs_rest_radii(K):
    # SLSQP stops when the square no longer moves by 1e-15; the radius is then good to about 1e-7.
    close = {"abs": 1e-6}
    assert one_vs_rest_radius(simplex_etf(K), 1) == pytest.approx(K / (K - 1), **close)
    assert one_vs_rest_radius(polygon(K), 1) == pytest.approx(1 - math.cos(2 * math.pi / K) if K > 3 else 1.5, **close)
    if K % 2 == 0:
        assert one_vs_rest_radius(pairing(K), 1) == pytest.approx(1, **close)


def test_singular_values_of_imbalanced_simplex_labels():
    # SEL: columns of S repeated R n_min times in the majority classes and n_min times in the (rho K) minority ones.
    for K, rho, R, n_min in [(10, 0.5, 10, 2), (8, 0.25, 3, 1), (4, 0.5, 1, 5)]:
        minority = round(rho * K)
        majority = K - minority
        sizes = torch.tensor([R * n_min] * majority + [n_min] * minority, dtype=torch.float64)
        repeated = torch.repeat_interleave(simplex_etf(K), sizes.long(), dim=1)
        expected = [R * n_min] * (majority - 1) + [n_min * (rho * R + 1 - rho)] + [n_min] * (minority - 1)
        squares = structures.singular_values(repeated).square()
        assert squares.tolist() == pytest.approx([*expected, 0], abs=1e-12 * R * n_min)  # K roundings
        weighted = structures.singular_values(simplex_etf(K) * sizes.sqrt()).square()
        assert weighted.tolist() == pytest.approx(squares.tolist(), abs=1e-12 * R * n_min)


@pytest.mark.parametrize("K", SIZES)
def test_structures_are_diagonally_superior(K):
    assert is_diagonally_superior(torch.stack([simplex_etf(K), pairing(K), polygon(K)])).all()
    assert not is_diagonally_superior(torch.zeros(K, K))


def test_diagonal_superiority_against_loops():
    generator = torch.Generator().manual_seed(0)
    batch = torch.randint(-1, 3, (4, 500, 3, 3), generator=generator) + torch.eye(3).int()
    pairs = list(itertools.permutations(range(3), 2))
    expected = [[all(M[k][k] > M[j][k] for j, k in pairs) for M in row] for row in batch.tolist()]
    found = is_diagonally_superior(batch)
    assert found.shape == (4, 500) and found.dtype == torch.bool
    assert found.tolist() == expected
    assert 0 < found.double().mean() < 1
    assert isinstance(is_diagonally_superior(batch[0, 0]), bool)


def test_shifting_columns_keeps_diagonal_superiority_and_transposing_need_not():
    M = torch.tensor([[3.0, 0.0], [2.0, 1.0]])
    assert is_diagonally_superior(M) and is_diagonally_superior(M + torch.tensor([5.0, -7.0]))
    assert not is_diagonally_superior(M.T)


def test_no_matrix_of_rank_one_lets_three_classes_win():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(2, 20_000, 3, generator=generator)
    assert not is_diagonally_superior(left[:, :, None] * right[:, None, :]).any()


def test_rank_is_relative_and_batched():
    values = torch.tensor([1.0, 0.5, 2e-3, 5e-4, 0.0])
    gauss = torch.randn(2, 5, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left, right = torch.linalg.qr(gauss)[0]
    matrix = left @ torch.diag(values.double()) @ right
    for scale in (1e-30, 1.0, 1e30):
        assert int(rank(scale * matrix)) == 3
        assert int(rank(scale * matrix, rtol=1e-4)) == 4
    assert rank(torch.stack([matrix, 0 * matrix, polygon(5)])).tolist() == [3, 0, 2]
    assert rank(matrix[:, :2]).ndim == 0
    assert int(rank(matrix.float())) == 3


def test_spectrum_groups_neighbours():
    diagonal = torch.diag(torch.tensor([3.0, 3 + 2e-6, 1.0, 1.1, 0.0], dtype=torch.float64))
    assert spectrum(diagonal) == [(near(3 + 1e-6, rel=1e-12), 2), (1.1, 1), (1.0, 1), (0.0, 1)]
    assert [count for _, count in spectrum(diagonal, rtol=0)] == [1] * 5
    assert [count for _, count in spectrum(diagonal, rtol=0.05)] == [2, 2, 1]
    assert spectrum(torch.zeros(2, 3)) == [(0.0, 2)]


def test_singular_values_against_numpy():
    batch = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = structures.singular_values(batch)
    assert found.shape == (2, 3, 4)
    # numpy's and torch's LAPACK differ by a few roundings of the largest
    assert np.allclose(found, np.linalg.svd(batch.numpy(), compute_uv=False), atol=1e-13, rtol=0)
    assert np.allclose(simplex_etf(4).numpy(), reference.simplex(4), atol=EXACT)
