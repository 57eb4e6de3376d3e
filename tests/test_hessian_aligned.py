"""The Hessian spectrum at aligned critical points from small blocks, against the dense one and tables of numbers."""

import itertools
import math

import pytest
import reference
import torch
from reference import near, optimal, unit_problem

from dufm_lib import Problem, hessian, model, theory
from dufm_lib.structures import pairing, polygon, rank, simplex_etf

# three ways to a spectrum, against torch's own Hessian


def check_three_ways(problem, class_logits, seed=0):
    """Reduction, dense matrix and Lanczos at an aligned point, against its autograd Hessian; returns the first."""
    params = model.aligned_point(problem, class_logits, seed=seed)
    found = hessian.aligned_spectrum(problem, class_logits)
    expected = torch.linalg.eigvalsh(reference.autograd_hessian(problem, params)[1])
    assert int(found.multiplicities.sum()) == len(expected)
    # eigenvalues move by the rounding of the matrix; the merge of equal ones allows 1e-9 of the largest
    rounding = 1e-10 * float(expected.abs().max()) + 1e-15
    dense = torch.linalg.eigvalsh(hessian.matrix(problem, params))
    for values in (found.expand(), dense, hessian.spectrum(problem, params).expand()):
        assert torch.allclose(values, expected, rtol=0, atol=rounding)
    assert found.nullity == int((expected.abs() < found.tolerance).sum())
    assert found.negative == int((expected < -found.tolerance).sum())
    ends = hessian.extreme_spectrum(problem, params, count=3)  # of a multiple eigenvalue it need not find every copy
    assert abs(ends.smallest - float(expected[0])) <= ends.residual + rounding
    assert abs(ends.largest - float(expected[-1])) <= ends.residual + rounding
    assert ends.residual <= 1e-8 * float(expected.abs().max())  # asked for: 1e-9
    return found


TABLE = {
    "one layer": unit_problem(4, 1, 0.01, n=2),
    "one wide layer": unit_problem(4, 1, 0.01, d=6),
    "two": unit_problem(4, 2, 1e-3, d=5),
    "two, as wide as classes": unit_problem(4, 2, 1e-3, n=2),
    "three": unit_problem(4, 3, 1e-4, d=5),
    "four": unit_problem(4, 4, 1e-4, d=5),
    "six classes": unit_problem(6, 2, 1e-3, d=7),
    "unequal": unit_problem(4, 2, (1e-4, 3e-3), d=5, n=2),
    "unequal, one layer": unit_problem(4, 1, (0.05, 1e-3), d=5),
    "mse": unit_problem(4, 2, 1e-3, d=5, n=2, loss="mse"),
    "mse, one layer": unit_problem(4, 1, 0.01, d=5, loss="mse"),
    "mse, unequal": unit_problem(4, 3, (1e-4, 3e-3), d=5, loss="mse"),
}


@pytest.mark.parametrize("name", TABLE)
def test_block_spectrum_is_the_dense_one(name):
    problem = TABLE[name]
    K = problem.classes
    # MSE asks for the identity; cross-entropy for logits with centred columns
    shapes = [torch.eye(K).double()] if problem.loss == "mse" else [simplex_etf(K), pairing(K), polygon(K)]
    for structure in shapes:
        Z = optimal(problem, structure)
        assert Z.abs().max() > 0.1
        found = check_three_ways(problem, Z)
        assert found.nullity == theory.solution_dimension(int(rank(Z)), problem.width, problem.depth)
    check_three_ways(problem, torch.zeros(K, K))


def test_both_roots_of_the_critical_equation():
    problem = unit_problem(4, 2, 0.05, d=5)
    low, high = theory.dnc_critical_scales(problem)
    assert check_three_ways(problem, low * simplex_etf(4)).negative > 0
    assert check_three_ways(problem, high * simplex_etf(4)).negative == 0


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("samples", [(3, 1, 2), (4, 1, 1)])
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("decay", [3e-3, (1e-3, 8e-3)])
def test_imbalanced_minima(loss, samples, depth, decay):
    # No closed form here: the critical point is found by minimising the model, and then judged by both spectra.
    problem = Problem(3, samples, depth, 4, decay, loss=loss)
    start = model.aligned_point(problem, 3.0 * torch.eye(3) if loss == "mse" else 5 * simplex_etf(3))
    params = reference.minimise(problem, start)
    assert hessian.gradient(problem, params).norm() < 1e-14
    Z = model.logits(problem, params)
    means = model.class_means(problem, Z)
    assert torch.allclose(Z, model.expand(problem, means), rtol=0, atol=1e-10)  # DNC1 holds at every critical point
    found = check_three_ways(problem, means)
    r = int(rank(means, rtol=1e-6))
    assert r >= 2 and found.negative == 0
    assert found.nullity == theory.solution_dimension(r, 4, depth)
    dense = torch.linalg.eigvalsh(hessian.matrix(problem, params))
    assert torch.allclose(found.expand(), dense, rtol=0, atol=1e-9)


def test_minima_with_different_singular_values():
    problem = unit_problem(5, 2, 1e-3, d=6)
    params = reference.minimise(problem, model.aligned_point(problem, 7 * pairing(5)))
    means = model.class_means(problem, model.logits(problem, params))
    sigma = torch.linalg.svdvals(means)
    assert sigma.tolist() == pytest.approx([14.07, 14.07, 6.94, 0, 0], abs=0.005)  # theory.md, two decimals
    found = check_three_ways(problem, means)
    assert found.negative == 0 and found.nullity == theory.solution_dimension(3, 6, 2)


def test_zero_is_a_minimum_except_in_one_layer():
    for L in (2, 3):
        problem = unit_problem(4, L, 0.01, d=5, n=2)
        found = check_three_ways(problem, torch.zeros(4, 4))
        assert found.eigenvalues.tolist() == pytest.approx([0.01])
    below, above = (check_three_ways(unit_problem(4, 1, c, d=5), torch.zeros(4, 4)) for c in (0.24, 0.26))
    assert below.negative == (4 - 1) * 5 and above.negative == 0  # the threshold of the closed form, 1/K


def test_deep_models():
    # the product of 64 penalties is below the range of floats
    problem = unit_problem(3, 63, 1e-6)
    found = hessian.aligned_spectrum(problem, optimal(problem, simplex_etf(3)))
    assert found.nullity == theory.solution_dimension(2, 3, 63) and found.negative == 0
    assert found.smallest_positive == near(1e-6, rel=1e-9)


@pytest.mark.parametrize("decay", [1e-6, 1e-10, 1e-14])
def test_tiny_penalties_keep_their_digits(decay):
    # 1 - p of the own class is of the order of the penalty: taken as a difference it would have no digits left here
    problem = unit_problem(4, 2, decay, d=5)
    for structure, nullity in [(simplex_etf(4), 18), (pairing(4), 14)]:
        found = hessian.aligned_spectrum(problem, optimal(problem, structure))
        assert found.nullity == nullity and found.negative == 0
        assert found.smallest_positive == near(decay, rel=1e-9)


def test_width_and_samples_only_multiply():
    narrow, wide = unit_problem(6, 2, 1e-3, d=7, n=2), unit_problem(6, 2, 1e-3, d=2000, n=2)
    Z = optimal(narrow, pairing(6))
    one, other = (hessian.aligned_spectrum(problem, Z) for problem in (narrow, wide))
    assert torch.allclose(one.eigenvalues, other.eigenvalues, rtol=1e-12)
    assert int(other.multiplicities.sum()) == sum(rows * columns for rows, columns in wide.shapes)
    assert other.nullity == theory.solution_dimension(3, 2000, 2)


# the tables of theory.md


NULLITIES = [
    (4, 2, 5, 1, 1e-3, 18, 14),
    (4, 3, 5, 1, 1e-4, 27, 21),
    (4, 2, 8, 2, 1e-3, 36, 26),
    (6, 2, 6, 1, 1e-3, 30, 24),
    (6, 2, 9, 1, 1e-3, 60, 42),
    (6, 3, 7, 1, 1e-4, 60, 45),
]


@pytest.mark.parametrize(("K", "L", "d", "n", "decay", "collapse", "low_rank"), NULLITIES)
def test_nullities(K, L, d, n, decay, collapse, low_rank):
    problem = unit_problem(K, L, decay, d=d, n=n)
    for structure, expected in [(simplex_etf(K), collapse), (pairing(K), low_rank)]:
        scale = theory.optimal_scale(problem, structure)[0]
        params = model.aligned_point(problem, scale * structure)
        values = torch.linalg.eigvalsh(hessian.matrix(problem, params))
        assert int((values.abs() < 1e-3 * decay).sum()) == expected
        # every other eigenvalue is positive, the smallest is the penalty (to the rounding of the dense matrix)
        assert float(values[expected]) == near(decay, rel=1e-9)
        found = hessian.aligned_spectrum(problem, scale * structure)
        assert found.nullity == expected == theory.solution_dimension(int(rank(structure)), d, L)
        assert found.smallest_positive == near(decay, rel=1e-12)
        assert found.negative == 0
        assert theory.solution_dimension_paper(int(rank(structure)), d, L) < expected  # the paper's count


CURVE = [
    (4, 2, 1.3, None),
    (4, 2, 1.6, 0.0),
    (10, 2, 3.0, -0.00496),
    (10, 2, 3.5, 0.0),
    (6, 3, 2.5, -0.0307),
    (6, 3, 3.0, 0.0),
]


@pytest.mark.parametrize(("K", "L", "alpha", "printed"), CURVE)
def test_smallest_eigenvalue_along_the_critical_curve(K, L, alpha, printed):
    decay = alpha ** ((L - 1) / (L + 1)) / (math.exp(alpha) + K - 1)
    found = hessian.aligned_spectrum(unit_problem(K, L, decay, d=K + 1), alpha * simplex_etf(K))
    assert (found.negative == 0) == (printed == 0)
    if printed is None:
        assert found.smallest < 0
    else:
        assert found.smallest == pytest.approx(printed, abs=5e-5 if printed < -0.01 else 5e-6)  # the last digit printed


def test_no_negative_curvature_beyond_the_stable_scale_and_some_before():
    for K, L, n in itertools.product([4, 6, 10], [2, 3, 5], [1, 4]):
        border = theory.dnc_stable_scale(unit_problem(K, L, 1.0, n=n))
        for factor in (0.6, 0.99, 1.01, 2.0):
            alpha = factor * border
            decay = alpha ** ((L - 1) / (L + 1)) / (math.exp(alpha) + K - 1) / n ** (1 / (L + 1))
            problem = unit_problem(K, L, decay, d=K + 1, n=n)
            assert any(root == pytest.approx(alpha) for root in theory.dnc_critical_scales(problem))
            found = hessian.aligned_spectrum(problem, alpha * simplex_etf(K))
            assert (found.negative > 0) == (factor < 1)
            if factor == 0.99:  # the first to turn: symmetric changes with zero diagonal and zero row sums
                assert found.smallest == near(decay * ((L + 1) * alpha / K - (L - 1)), rel=1e-9)
                assert found.negative == K * (K - 3) // 2


@pytest.mark.parametrize(("K", "L"), [(4, 2), (10, 2), (6, 3)])
def test_negative_curvature_just_above_the_frontier(K, L):
    # theory.md section 4: where the critical scale begins, collapse is still a saddle; it ends well after that
    problem = unit_problem(K, L, 1.0)
    for factor in (1.0, 1.2):
        alpha = factor * theory.dnc_frontier_scale(problem)
        decay = alpha ** ((L - 1) / (L + 1)) / (math.exp(alpha) + K - 1)
        assert hessian.aligned_spectrum(unit_problem(K, L, decay), alpha * simplex_etf(K)).negative > 0


def confined_optimum(problem, projection):
    """The best class-mean logits E Z E of one layer, by proximal steps on the convex problem: (K, K).

    A step and a shrinking of the singular values at a time. For the projections below the gradient of the fit at such
    logits keeps the range of E, by symmetry, so that the point is critical among all parameters.
    """
    K, n, decay = problem.classes, problem.samples, problem.weight_decay
    Z = torch.zeros(K, K, dtype=torch.float64)
    for _ in range(2000):
        left, sigma, right = torch.linalg.svd(Z - 2 * (Z.softmax(0) - torch.eye(K)))
        Z = projection @ left @ torch.diag((sigma - 2 * K * decay * n**0.5).clamp(min=0)) @ right @ projection
    return Z if Z.norm() > 1e-12 else 0 * Z  # zero up to rounding has no singular vectors


def random_projection(K, generator):
    """On logits that are equal within random groups of classes, or on random frequencies of circulant logits."""
    if torch.rand((), generator=generator) < 0.5:
        groups = torch.nn.functional.one_hot(torch.randint(K, (K,), generator=generator)).double()
        return groups @ torch.linalg.pinv(groups)
    frame = theory.fourier_frame(K)
    frequency = (torch.arange(K) + 1) // 2
    kept = frame[:, (torch.rand(K, generator=generator) < 0.5)[frequency]]
    return kept @ kept.T


@pytest.mark.parametrize("seed", range(30))
def test_one_layer_is_a_strict_saddle(seed):
    """Every critical point that is not global has an eigenvalue of at most lambda - ||G||."""
    generator = torch.Generator().manual_seed(seed)
    K, n, wider = (int(torch.randint(low, high, (), generator=generator)) for low, high in ((4, 9), (1, 4), (0, 3)))
    decay = (0.04 + 0.9 * float(torch.rand((), generator=generator))) / (K * n**0.5)  # below the threshold
    problem = unit_problem(K, 1, decay, d=K + wider, n=n)
    Z = confined_optimum(problem, random_projection(K, generator))
    params = model.aligned_point(problem, Z)
    assert hessian.gradient(problem, params).norm() < 1e-9  # linear convergence, to rounding
    G = (Z.softmax(0) - torch.eye(K)) / (K * n**0.5)  # its singular values are those of the (K, N) gradient
    bound = decay - float(torch.linalg.matrix_norm(G, 2))
    found = hessian.aligned_spectrum(problem, Z)
    loss = float(model.objective(problem, params))
    best = theory.optimal_scale(problem, simplex_etf(K))[1]
    if bound > -1e-9:
        assert loss == near(best, 1e-9) and found.negative == 0
    else:
        assert loss > best + 1e-9 and found.negative > 0
        assert found.smallest <= bound + 1e-9  # rounding of the point enters to first order


def test_norms_of_the_hessian_vanish_and_their_ratio_settles():
    # Theorem 6: trace, spectral and Frobenius norm of the Hessians go to zero like -lambda log lambda, the ratio of
    # collapse to pairing to a constant
    norms = {
        "trace": lambda s: float((s.eigenvalues.abs() * s.multiplicities).sum()),
        "spectral": lambda s: float(s.eigenvalues.abs().max()),
        "frobenius": lambda s: float((s.eigenvalues.square() * s.multiplicities).sum().sqrt()),
    }
    for norm in norms.values():
        ratios, shrinking = [], []
        for decay in (1e-6, 1e-12, 1e-24, 1e-48):
            problem = unit_problem(6, 2, decay, d=8)
            both = [
                norm(hessian.aligned_spectrum(problem, optimal(problem, structure)))
                for structure in (simplex_etf(6), pairing(6))
            ]
            ratios.append(both[0] / both[1])
            shrinking.append(both[0] / (-decay * math.log(decay)))
        steps = [abs(b / a - 1) for a, b in itertools.pairwise(ratios)]
        assert steps == sorted(steps, reverse=True) and steps[-1] < 0.02  # like 1 / log lambda
        assert max(shrinking) < 3 * min(shrinking)
    # The constant of the trace, from its leading terms: lambda alpha (2 (K-1) + 2 L (K-1)^2 / K) at collapse and
    # lambda beta K (L+3) at pairing. What is left at 1e-48 is alpha / beta - 1 = O(1 / log lambda), about 1%.
    limit = (2 * 5 + 2 * 2 * 5**2 / 6) / (6 * 5)
    problem = unit_problem(6, 2, 1e-48, d=8)
    traces = [norms["trace"](hessian.aligned_spectrum(problem, optimal(problem, s(6)))) for s in (simplex_etf, pairing)]
    assert traces[0] / traces[1] == near(limit, rel=0.02)
