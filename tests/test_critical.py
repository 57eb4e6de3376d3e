"""Critical points beside the ends of descent: against minimisation of the parameters, and dense Hessians."""

import math

import pytest
import reference
import torch
from reference import optimal, unit_problem

from dufm_lib import Problem, critical, descent, hessian, model, theory
from dufm_lib.structures import pairing, polygon, simplex_etf

ENDS = {
    "plain": Problem(4, 2, 2, 5, 0.01),
    "one layer": Problem(4, 2, 1, 5, 0.03),
    "deep": Problem(3, 1, 4, 4, 0.01),
    "imbalanced": Problem(3, (3, 1, 2), 2, 4, 0.01),
    "imbalanced, one layer": Problem(3, (3, 1, 2), 1, 4, 0.03),
    "unequal": Problem(3, 2, 2, 4, (0.005, 0.02)),
    "mse": Problem(3, 2, 3, 4, 0.01, loss="mse"),
    "all at once": Problem(3, (1, 4, 2), 3, 4, (0.02, 0.005), loss="mse"),
}


@pytest.mark.parametrize("name", ENDS)
def test_ends_of_descent(name):
    problem = ENDS[name]
    runs = descent.train(problem, learning_rate=0.3, steps=20_000, seed=3)
    assert runs.ended == ("converged",)
    found = critical.polish(problem, runs.logits[0])
    assert 0 <= found.residual <= critical.SOLVED and found.rank == runs.rank[0] > 0
    assert found.moved == pytest.approx(float((found.logits - runs.logits[0]).norm())) and 1e-9 < found.moved < 0.1

    # the parameters themselves, minimised from where descent ended, arrive at the same logits
    params = reference.minimise(problem, runs.point(0))
    means = model.class_means(problem, model.logits(problem, params))
    assert torch.allclose(found.logits, means, rtol=0, atol=1e-9)  # a gradient of 1e-14 over a curvature of 1e-3
    values = torch.linalg.eigvalsh(reference.autograd_hessian(problem, params)[1])
    spectrum = hessian.aligned_spectrum(problem, found.logits)
    assert torch.allclose(spectrum.expand(), values, rtol=0, atol=1e-9)
    assert spectrum.negative == 0 and spectrum.nullity == theory.solution_dimension(
        found.rank, problem.width, problem.depth
    )


def saddles():
    """Critical points with and without negative curvature, the last ones not isolated."""
    two = unit_problem(4, 2, 0.05, d=5)
    yield two, theory.dnc_critical_scales(two)[0] * simplex_etf(4)
    yield two, theory.dnc_critical_scales(two)[1] * simplex_etf(4)
    one = unit_problem(6, 1, 0.01, d=6)
    yield one, optimal(one, pairing(6))
    yield one, optimal(one, polygon(6))
    deep = unit_problem(3, 63, 1e-6)
    yield deep, optimal(deep, simplex_etf(3))
    tiny = unit_problem(4, 2, 1e-14, d=5)
    yield tiny, optimal(tiny, pairing(4))
    for depth in (1, 2):  # MSE, balanced: any two-dimensional space of logits will do
        family = unit_problem(4, depth, 0.01, loss="mse")
        yield family, theory.optimal_scale(family, torch.eye(4))[0] * torch.diag(torch.tensor([1.0, 1, 0, 0])).double()


@pytest.mark.parametrize(("problem", "exact"), list(saddles()))
def test_from_nearby_logits_back_to_the_critical_point(problem, exact):
    size = float(exact.norm())
    same = critical.polish(problem, exact)
    assert same.moved <= 1e-13 * size and same.steps <= 1  # rounding
    before = hessian.aligned_spectrum(problem, exact)
    noise = torch.randn(exact.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for amount in (1e-6, 1e-3):
        found = critical.polish(problem, exact + amount * size * noise / noise.norm())
        assert found.steps <= 5 and 0.1 * amount < found.moved / size < 2 * amount
        if problem.loss == "cross_entropy":
            assert torch.allclose(found.logits, exact, rtol=0, atol=1e-10 * size)
        after = hessian.aligned_spectrum(problem, found.logits)
        assert (after.negative, after.nullity) == (before.negative, before.nullity)
        # 1e-12 of the equations, over their smallest derivative
        assert torch.allclose(after.expand(), before.expand(), rtol=0, atol=1e-9 * before.largest)


def test_saddles_are_told_from_minima_by_the_parameters_too():
    problem = unit_problem(6, 1, 0.01, d=6)
    found = critical.polish(problem, 1.001 * optimal(problem, pairing(6)))
    slope, matrix = reference.autograd_hessian(problem, model.aligned_point(problem, found.logits))
    assert slope.norm() < 1e-13  # rounding of gradients of size one
    values = torch.linalg.eigvalsh(matrix)
    spectrum = hessian.aligned_spectrum(problem, found.logits)
    assert spectrum.negative == int((values < -1e-5).sum()) > 0
    assert spectrum.smallest == pytest.approx(float(values[0]), rel=1e-9)


def test_equations_are_off_by_the_gradient_of_the_parameters():
    # At an aligned point dW_l = a_l (G + f) b_l with the products a, b of the factors around it; at depth 1 and with
    # equal singular values s^2 both are sqrt(s) and f is lambda.
    problem = unit_problem(4, 1, 0.02, d=4)
    logits = 2.1 * simplex_etf(4)
    slope = reference.autograd_hessian(problem, model.aligned_point(problem, logits))[0]
    expected = float(slope.norm()) / math.sqrt(2 * 2.1) / (0.02 * math.sqrt(3))
    assert critical.framed(problem, logits).off == pytest.approx(expected, rel=1e-9)
    assert expected > 0.1


def test_the_size_of_the_paper():
    problem = Problem(10, 5, 2, 70, 2**-10)
    exact = optimal(problem, pairing(10))
    noise = torch.randn(10, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    near = exact + 1e-3 * noise
    with pytest.raises(
        ValueError, match=r"cut to rank 5, .* off the critical equations by 1.6e-03 .*polish them first"
    ):
        hessian.aligned_spectrum(problem, near)
    found = critical.polish(problem, near)
    assert torch.allclose(found.logits, exact, rtol=0, atol=1e-10)
    assert hessian.aligned_spectrum(problem, found.logits).nullity == theory.solution_dimension(5, 70, 2)
    # what float32 leaves of an exact point
    rounded = critical.polish(problem, exact.float())
    assert rounded.rank == 5 and torch.allclose(rounded.logits, exact, rtol=0, atol=1e-10)


def test_what_is_on_its_way_to_zero_is_zero():
    for depth, decay in [(1, 0.3), (3, 0.01)]:
        problem = unit_problem(4, depth, decay, d=5)
        found = critical.polish(problem, 1e-4 * simplex_etf(4))
        assert found.rank == 0 and not found.logits.any() and found.moved == pytest.approx(1e-4 * math.sqrt(3))
        assert hessian.aligned_spectrum(problem, found.logits).negative == 0


def test_what_is_refused():
    problem = unit_problem(4, 2, 1e-3, d=5)
    alpha = theory.dnc_critical_scales(problem)[-1]
    undecided = alpha * simplex_etf(4) + 0.1
    with pytest.raises(ValueError, match=r"clear rank; on singular value number 4, .*Descend for more steps"):
        critical.polish(problem, undecided)
    with pytest.raises(ValueError, match=r"clear rank; on .* of the largest, the pull of the fit is 2.06 times"):
        critical.polish(problem, 0.9 * alpha * simplex_etf(4))
    # 3 lambda = (1 - sigma) sigma^{1/3} has no solution, the right side is at most 0.472: nothing is critical but zero
    none = unit_problem(3, 2, 0.16, loss="mse")
    with pytest.raises(
        ValueError, match=r"near a critical point of rank 3; Newton's method moved .* smaller tolerance"
    ):
        critical.polish(none, 0.25 * torch.eye(3))
    with pytest.raises(ValueError, match="polish is about activation 'linear'"):
        critical.polish(unit_problem(4, 2, 1e-3, activation="relu"), undecided)
    with pytest.raises(ValueError, match="weight_decay must be positive for features and weights in polish"):
        critical.polish(unit_problem(4, 2, (0.0, 1e-3)), undecided)
