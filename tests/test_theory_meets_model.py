"""Two derivations held together: closed forms against the objective of constructed, random and optimised parameters."""

import dataclasses
import itertools
import math

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference import near

from dufm_lib import Problem, hessian, metrics, model, theory
from dufm_lib.structures import pairing, polygon, rank, simplex_etf, strongly_regular

LINEAR = [name for name, problem in reference.CASES.items() if problem.activation == "linear"]


def gauss(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit_problem(K, L, weight_decay, d=None, n=1, **changes):
    return Problem(K, n, L, d or K, weight_decay, **changes)


@st.composite
def linear_problems(draw, balanced=False):
    K = draw(st.integers(2, 6))
    samples = draw(st.integers(1, 4) if balanced else st.lists(st.integers(1, 4), min_size=K, max_size=K))
    decays = st.floats(1e-6, 1.0)
    return Problem(
        K,
        samples,
        draw(st.integers(1, 5)),
        K + draw(st.integers(0, 3)),
        draw(decays | st.tuples(decays, decays)),
        loss=draw(st.sampled_from(["cross_entropy", "mse"])),
    )


# the reduced objective and the model's


@given(linear_problems(), st.integers(0, 6), st.floats(0, 20), st.integers(0, 2**32))
def test_reduced_objective_is_attained_at_aligned_points(problem, r, scale, seed):
    K = problem.classes
    r = min(r, K)
    structure = gauss(K, r, seed=seed) @ gauss(r, K, seed=seed + 1)
    params = model.aligned_point(problem, scale * structure, seed=seed)
    expected = theory.structure_loss(problem, structure, scale)
    # both sum the same few dozen terms; roots of singular values that cancel lose up to half their digits
    assert float(model.objective(problem, params)) == near(expected, rel=1e-9)


@given(linear_problems(), st.integers(0, 2**32), st.floats(0.1, 4))
def test_reduced_objective_bounds_every_other_point_with_the_same_logits(problem, seed, init_scale):
    params = model.random_point(problem, seed=seed, init_scale=init_scale)
    params[0] = model.class_means(problem, params[0])[:, problem.labels]  # collapsed features, all else random
    class_logits = model.class_means(problem, model.logits(problem, params))
    bound = theory.structure_loss(problem, class_logits, 1.0)
    assert float(model.objective(problem, params)) >= bound * (1 - 1e-12)


@given(linear_problems(), st.integers(0, 2**32), st.floats(0, 3))
def test_moving_along_the_symmetries_never_lowers_an_aligned_point(problem, seed, size):
    # An invertible matrix between two layers keeps the logits; the aligned point is the cheapest of all of these.
    point = model.aligned_point(problem, 3 * gauss(problem.classes, problem.classes, seed=seed), seed=seed)
    best = float(model.objective(problem, point))
    G = torch.linalg.matrix_exp(size * gauss(problem.width, problem.width, seed=seed) / problem.width)
    moved = [G @ point[0], torch.linalg.solve(G, point[1], left=False), *point[2:]]
    assert float(model.objective(problem, moved)) >= best * (1 - 1e-9)  # the inverse of G costs a few digits


# critical points


def assert_critical(problem, params, holds=True):
    """The gradient vanishes to the rounding of its two parts, of which the penalty's is one."""
    slope = hessian.gradient(problem, params).norm()
    decays = [problem.penalties[0]] + [problem.penalties[1]] * problem.depth
    part = math.sqrt(sum(float((d * t).square().sum()) for d, t in zip(decays, params, strict=True)))
    assert (slope < 1e-10 * part) == holds


SETTINGS = {
    "figure 1": Problem(10, 5, 2, 70, 2**-10),
    "figure 6, linear": Problem(10, 5, 3, 70, 2**-9),
    "one layer": Problem(6, 3, 1, 8, 1e-2),
    "deep": Problem(6, 1, 5, 6, 1e-4),
    "unequal": Problem(6, 4, 3, 9, (1e-5, 5e-3)),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_symmetric_structures_are_critical_at_their_optimal_scale(name):
    problem = SETTINGS[name]
    K = problem.classes
    for structure in (simplex_etf(K), pairing(K), polygon(K)):
        scale, loss = theory.optimal_scale(problem, structure)
        if scale == 0:
            continue
        params = model.aligned_point(problem, scale * structure, seed=1)
        assert float(model.objective(problem, params)) == near(loss, rel=1e-12)
        assert_critical(problem, params)
        off = model.aligned_point(problem, 1.01 * scale * structure, seed=1)
        assert_critical(problem, off, holds=False)
        assert float(model.objective(problem, off)) > loss


def test_every_root_of_the_critical_equation_is_a_critical_point():
    for K, L, n in itertools.product([3, 4, 10], [1, 2, 4], [1, 3]):
        problem = unit_problem(K, L, 0.02, n=n)
        roots = theory.dnc_critical_scales(problem)
        assert len(roots) == min(L, 2)
        for alpha in roots:
            assert_critical(problem, model.aligned_point(problem, alpha * simplex_etf(K)))


def test_odd_pairing_with_one_scale_is_a_comparison_point():
    for K in (5, 7):
        problem = unit_problem(K, 3, 3e-4)
        scale, loss = theory.optimal_scale(problem, pairing(K))
        params = model.aligned_point(problem, scale * pairing(K))
        assert float(model.objective(problem, params)) == near(loss, rel=1e-12)
        assert_critical(problem, params, holds=False)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_mse_collapses_to_the_identity(depth):
    problem = unit_problem(5, depth, 1e-3, n=3, loss="mse")
    identity = torch.eye(5, dtype=torch.float64)
    gamma, loss = theory.optimal_scale(problem, identity)
    params = model.aligned_point(problem, gamma * identity)
    assert 0 < gamma < 1 and float(model.objective(problem, params)) == near(loss, rel=1e-12)
    assert_critical(problem, params)


# figure 1


def test_figure_1_at_constructed_parameters():
    problem = SETTINGS["figure 1"]
    for structure, loss, label in [
        (simplex_etf(10), 0.0906621832, "dnc"),
        (pairing(10), 0.0800126592, "pairing"),
    ]:
        scale, _ = theory.optimal_scale(problem, structure)
        params = model.aligned_point(problem, scale * structure)
        assert float(model.objective(problem, params)) == pytest.approx(loss, abs=5e-11)  # ten decimals are printed
        low = model.objective(problem, [tensor.float() for tensor in params])
        assert float(low) == near(loss, rel=1e-5)  # float32 sums
        Z = model.class_means(problem, model.logits(problem, params))
        assert metrics.structure_labels(Z) == [label]
        factors = torch.linalg.svdvals(params[1])[: int(rank(structure))]
        sigma = {"dnc": 1, "pairing": 2}[label] * scale * math.sqrt(5)
        assert torch.allclose(factors, torch.full_like(factors, sigma ** (1 / 3)), rtol=1e-12)


# bounds that no parameters may beat


@given(linear_problems(balanced=True), st.integers(0, 2**32), st.floats(0.1, 4))
def test_one_layer_is_never_better_than_collapse(problem, seed, init_scale):
    problem = dataclasses.replace(problem, depth=1, loss="cross_entropy")
    _, bound = theory.optimal_scale(problem, simplex_etf(problem.classes))
    points = model.random_point(problem, runs=20, seed=seed, init_scale=init_scale)
    assert float(model.objective(problem, points).min()) >= bound


@pytest.mark.parametrize(("K", "n", "decay"), [(3, 2, 0.01), (4, 1, 0.02), (5, 2, 0.15), (4, 2, (0.005, 0.02))])
def test_one_layer_descends_to_collapse_from_anywhere(K, n, decay):
    problem = Problem(K, n, 1, K + 1, decay)
    scale, bound = theory.optimal_scale(problem, simplex_etf(K))
    assert (scale > 0) == (K * math.sqrt(n) * problem.mean_weight_decay < 1)
    for seed in range(3):
        params = reference.minimise(problem, model.random_point(problem, seed=seed), newton=3)
        assert float(model.objective(problem, params)) == near(bound, rel=1e-12)
        Z = model.class_means(problem, model.logits(problem, params))
        assert torch.allclose(Z, scale * simplex_etf(K), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("K", "L", "decay"), [(4, 2, 1e-3), (6, 2, 1e-3), (4, 3, 3e-4), (5, 3, 3e-4)])
def test_descent_ends_at_or_above_the_best_structure(K, L, decay):
    problem = unit_problem(K, L, decay)
    bound = min(theory.optimal_scale(problem, structure(K))[1] for structure in (simplex_etf, pairing, polygon))
    ends = []
    for seed in range(4):
        params = reference.minimise(problem, model.random_point(problem, seed=seed), newton=0)
        class_logits = model.logits(problem, params)
        ends.append(float(model.objective(problem, params)))
        # every end is a critical point: aligned, so its loss is the reduced objective of its logits
        sigma = torch.linalg.svdvals(class_logits)
        kept = torch.where(sigma > 1e-6 * sigma[0], 1.0, 0.0).diag()
        U, S, V = torch.linalg.svd(class_logits)
        assert ends[-1] == near(theory.structure_loss(problem, U @ (S.diag() * kept) @ V, 1.0), rel=1e-6)
    assert min(ends) >= bound * (1 - 1e-12)


# the atlas where no named structure is best


def sphere(*rings):
    """Points on a sphere, one ring after the other: (how many, height, angle of the first in turns)."""
    points = []
    for count, height, first in rings:
        for i in range(count):
            angle = 2 * math.pi * (first + i / count)
            radius = math.sqrt(1 - height**2)
            points.append([radius * math.cos(angle), radius * math.sin(angle), height])
    return torch.tensor(points, dtype=torch.float64)


ANTIPRISM = sphere((4, 0.5, 0), (4, -0.5, 0.125))
TEN = sphere((1, 1, 0), (3, 0.4, 0), (3, -0.05, 1 / 6), (3, -0.74, 0))
BIPYRAMID = sphere((1, 1, 0), (5, 0, 0), (1, -1, 0))
HEIGHT = 1 / math.sqrt(5)
ICOSAHEDRON = sphere((1, 1, 0), (5, HEIGHT, 0), (5, -HEIGHT, 0.1), (1, -1, 0))


@pytest.mark.parametrize(
    ("L", "decay", "points", "entry"),
    [
        (3, 3e-4, ANTIPRISM, 0.010707),
        (4, 3e-4, ANTIPRISM, 0.009506),
        (3, 3e-4, TEN, 0.013114),
        (4, 3e-4, TEN, 0.011208),
        (6, 1e-4, TEN, 0.003454),
    ],
)
def test_polyhedra_of_the_atlas(L, decay, points, entry):
    K = len(points)
    problem = unit_problem(K, L, decay)
    gram = points @ points.T
    scale, start = theory.optimal_scale(problem, gram)
    params = reference.minimise(problem, model.aligned_point(problem, scale * gram), newton=0)
    found = float(model.objective(problem, params))
    assert found == pytest.approx(entry, abs=5.1e-7) and found < start
    assert int(rank(model.logits(problem, params))) == 3
    for structure in (simplex_etf, pairing, polygon):
        assert found < theory.optimal_scale(problem, structure(K))[1]


def cosines(problem, params):
    """Radii and pairwise cosines of the classes in the factor of the symmetric logits Z = X^T X."""
    Z = model.logits(problem, params)
    Z = (Z + Z.T) / 2
    radii = Z.diagonal().sqrt()
    above = torch.triu_indices(len(Z), len(Z), offset=1)
    return radii, (Z / radii / radii[:, None])[above[0], above[1]]


def test_pentagonal_bipyramid_and_icosahedron():
    problem = unit_problem(7, 3, 3e-4)
    params = reference.minimise(problem, model.aligned_point(problem, 10 * BIPYRAMID @ BIPYRAMID.T), newton=0)
    radii, angles = cosines(problem, params)
    # theory.md prints three decimals
    assert sorted(set(radii.round(decimals=3).tolist())) == pytest.approx([3.039, 3.449], abs=1.1e-3)
    expected = [-1] + [-0.809] * 5 + [0] * 10 + [0.309] * 5
    assert sorted(angles.tolist()) == pytest.approx(expected, abs=5.1e-4)

    problem = unit_problem(12, 3, 3e-4)
    params = reference.minimise(problem, model.aligned_point(problem, 10 * ICOSAHEDRON @ ICOSAHEDRON.T), newton=0)
    _, angles = cosines(problem, params)
    expected = [-1] * 6 + [-0.447] * 30 + [0.447] * 30
    assert sorted(angles.tolist()) == pytest.approx(expected, abs=5.1e-4)
    assert float(model.objective(problem, params)) < theory.optimal_scale(problem, pairing(12))[1]


def test_five_classes_in_two_layers():
    problem = unit_problem(5, 2, 1e-3)
    params = reference.minimise(problem, model.aligned_point(problem, 7 * pairing(5)))
    found = float(model.objective(problem, params))
    assert found == pytest.approx(0.025052, abs=5e-7)
    assert found < theory.optimal_scale(problem, simplex_etf(5))[1]  # although no hypothesis of Theorem 1 covers it
    assert not theory.dnc_is_excluded(problem).holds
    sigma = torch.linalg.svdvals(model.logits(problem, params))
    assert sigma.tolist() == pytest.approx([14.07, 14.07, 6.94, 0, 0], abs=5e-3)


# ReLU and strongly regular graphs


def low_rank_relu(problem, psi):
    """The non-negative low-rank parameters in the proof of Theorem 7 (even K)."""
    K, L, d = problem.classes, problem.depth, problem.width
    X, J = pairing(K), torch.ones(K, K, dtype=torch.float64)

    def padded(matrix):
        return torch.nn.functional.pad(matrix, (0, d - matrix.shape[1], 0, d - matrix.shape[0]))

    norm = psi**2 * (2 * K + 4)  # of every factor, squared
    middle = [padded(psi * (X + 2 / K * J)) for _ in range(L - 2)]
    last = torch.nn.functional.pad(math.sqrt(norm) * X / torch.linalg.matrix_norm(X), (0, d - K))
    # balanced factors of the layer-2 features phi (X + J) (x) 1_n^T: norms^2 the sum of singular values
    features = model.expand(problem, X + J)
    U, S, V = torch.linalg.svd(features, full_matrices=False)
    S = S * norm / S.sum()
    first = torch.nn.functional.pad(U * S.sqrt(), (0, d - K, 0, d - K))
    free = torch.nn.functional.pad((V.T * S.sqrt()).T, (0, 0, 0, d - K))
    return [free, first, *middle, last]


@pytest.mark.parametrize("K", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("L", [3, 4, 5, 6])
def test_theorem_7_by_construction(K, L):
    problem = Problem(K, 2, L, K + 2, 1e-4, activation="relu")
    params = low_rank_relu(problem, 1.0)
    for tensor in params:
        assert float(tensor.square().sum()) == near(2 * K + 4, rel=1e-12)
    layers = model.activations(problem, params)
    assert min(float(layer.min()) for layer in layers[1:-1]) >= -1e-12  # non-negative: ReLU changes nothing
    Z = model.class_means(problem, layers[-1])
    assert metrics.structure_labels(Z) == ["pairing"]
    # the scale of collapse whose logits are as large, and the comparison of penalties at it
    alpha = float(Z[0, 0])
    S = simplex_etf(K)
    collapse = theory.schatten_penalty(problem, alpha * S)
    wins = 2 * K + 4 < (K - 1) * (2 ** (L - 1) * ((K + 2) / K) ** 1.5) ** (2 / (L + 1))
    assert (float(model.penalty(problem, params)) < collapse) == wins
    assert float(model.fit(problem, layers[-1])) < theory.structure_loss(problem, S, alpha) - collapse
    assert wins == {3: False, 4: K >= 14, 5: K >= 10, 6: K >= 8}[L]  # L = 6 reaches one case further than the paper
    if theory.dnc_is_excluded(problem).holds:
        assert wins
        # then some scale beats the linear model's best collapse, which bounds that of ReLU
        _, bound = theory.optimal_scale(problem, S)
        best = min(float(model.objective(problem, low_rank_relu(problem, psi))) for psi in torch.linspace(0.5, 3, 60))
        assert best < bound


def test_strongly_regular_logits_become_the_identity_under_relu():
    problem = Problem(10, 1, 2, 10, 0.0, loss="mse", activation="relu")
    pre_activation = strongly_regular(5)
    params = [torch.eye(10).double(), pre_activation, torch.eye(10).double()]
    assert float(model.objective(problem, params)) == 0
