"""Curvature: dense against torch's own, the block spectrum against the dense one, and the tables of theory.md."""

import math

import pytest
import reference
import torch
from reference import optimal, unit_problem
from scipy.sparse.linalg import ArpackNoConvergence

from dufm_lib import Problem, hessian, model, theory
from dufm_lib.structures import pairing, simplex_etf

CASES = pytest.mark.parametrize("name", reference.CASES)


# gradient, products and the dense matrix


@CASES
def test_derivatives_against_torch(name):
    problem = reference.CASES[name]
    params = model.random_point(problem, seed=2, init_scale=1.5)
    slope, matrix = reference.autograd_hessian(problem, params)
    # the same derivatives of numbers of size one, summed in another order
    assert torch.allclose(hessian.gradient(problem, params), slope, rtol=0, atol=1e-13)
    dense = hessian.matrix(problem, params)
    assert dense.dtype == torch.float64 and torch.equal(dense, dense.T)
    assert torch.allclose(dense, matrix, rtol=0, atol=1e-13)
    direction = torch.randn(len(slope), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.allclose(hessian.product(problem, params, direction), matrix @ direction, rtol=0, atol=1e-12)


def test_derivatives_leave_the_caller_alone():
    problem = reference.CASES["plain"]
    params = [tensor.requires_grad_() for tensor in model.random_point(problem)]
    with torch.no_grad():  # a notebook may have switched gradients off
        dense = hessian.matrix(problem, params)
        slope = hessian.gradient(problem, params)
    assert not dense.requires_grad and not slope.requires_grad
    assert all(tensor.grad is None for tensor in params)
    low = [tensor.float() for tensor in params]
    assert hessian.gradient(problem, low).dtype == hessian.matrix(problem, low).dtype == torch.float64


def test_more_columns_than_one_chunk():
    for problem in (unit_problem(4, 3, 0.01, d=9), unit_problem(4, 3, 0.01, d=10)):  # 234 columns, and 280
        params = model.random_point(problem)
        _, matrix = reference.autograd_hessian(problem, params)
        assert torch.allclose(hessian.matrix(problem, params), matrix, rtol=0, atol=1e-13)  # another order of sums


@CASES
def test_spectrum_at_any_point_is_that_of_the_matrix(name):
    problem = reference.CASES[name]
    params = model.random_point(problem, seed=2, init_scale=1.5)
    values = torch.linalg.eigvalsh(reference.autograd_hessian(problem, params)[1])
    found = hessian.spectrum(problem, params)
    # equal eigenvalues are merged when within 1e-9 of the largest
    assert torch.allclose(found.expand(), values, rtol=0, atol=1e-8 * float(values.abs().max()))
    assert found.negative == int((values < -found.tolerance).sum()) > 0
    assert found.smallest == pytest.approx(float(values[0]), abs=1e-8)


@CASES
def test_lanczos_finds_the_ends_of_the_spectrum(name):
    problem = reference.CASES[name]
    params = model.random_point(problem, seed=2, init_scale=1.5)
    values = torch.linalg.eigvalsh(reference.autograd_hessian(problem, params)[1])
    found = hessian.extreme_spectrum(problem, params, count=4)
    expected = torch.cat([values[:4], values[-4:]])
    found_values = found.eigenvalues.repeat_interleave(found.multiplicities)
    # an eigenvalue is off by at most its residual, asked to be 1e-9 of the largest, and most by its square
    assert torch.allclose(found_values, expected, rtol=0, atol=1e-8 * float(values.abs().max()))
    assert not found.complete and 0 <= found.residual < 1e-7
    assert (found.smallest, found.largest) == (float(found.eigenvalues[0]), float(found.eigenvalues[-1]))
    again = hessian.extreme_spectrum(problem, params, count=4)
    assert torch.equal(again.eigenvalues, found.eigenvalues)


def test_an_incomplete_spectrum_says_so():
    problem = reference.CASES["plain"]
    found = hessian.extreme_spectrum(problem, model.random_point(problem), count=2)
    for name in ("nullity", "negative", "smallest_positive"):
        with pytest.raises(ValueError, match=f"{name} needs the complete spectrum"):
            getattr(found, name)
    with pytest.raises(ValueError, match="expand needs the complete spectrum"):
        found.expand()


def test_lanczos_finds_true_eigenvalues_but_not_every_copy():
    # At a minimum zero and the penalty occur hundreds of times; of each some copies are found, nothing is invented.
    problem = unit_problem(6, 2, 1e-3, d=12, n=2)
    Z = optimal(problem, pairing(6))
    every = hessian.aligned_spectrum(problem, Z)
    found = hessian.extreme_spectrum(problem, model.aligned_point(problem, Z))
    distances = (found.eigenvalues[:, None] - every.eigenvalues).abs().min(1).values
    assert float(distances.max()) <= found.residual + 1e-12  # rounding of the two ways
    assert abs(found.smallest) < 1e-12 and found.largest == pytest.approx(float(every.eigenvalues[-1]), rel=1e-9)
    assert int(found.multiplicities.sum()) == 16 < every.nullity


def test_lanczos_at_multiples_of_the_identity():
    for decay in (0.0, 0.01):  # at zero, from two layers on, nothing bends but the penalty
        problem = unit_problem(3, 2, decay)
        ends = hessian.extreme_spectrum(problem, model.random_point(problem, init_scale=0), count=3)
        assert ends.eigenvalues.tolist() == pytest.approx([decay], abs=1e-12) and ends.multiplicities.tolist() == [6]
        assert ends.residual < 1e-12


def test_large_points_that_are_not_critical():
    problem = Problem(10, 5, 2, 70, 2**-10)
    params = model.random_point(problem)
    found = hessian.spectrum(problem, params)
    assert not found.complete and int(found.multiplicities.sum()) == 16
    for value, sign in [(found.smallest, -1), (found.largest, 1)]:  # power iteration on H -+ c, with torch alone
        shift = 1.1 * max(abs(found.smallest), found.largest)
        vector = torch.randn(9100, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        for _ in range(150):
            vector = hessian.product(problem, params, vector) + sign * shift * vector
            vector = vector / vector.norm()
        rayleigh = float(vector @ hessian.product(problem, params, vector))
        assert rayleigh == pytest.approx(value, rel=0.03)  # the ends are dense: 150 steps come this near
        assert sign * rayleigh <= sign * value + 1e-9  # and never beyond


def test_a_spectrum_counts():
    spectrum = hessian.Spectrum(torch.tensor([-2.0, -1e-9, 1e-9, 0.5, 3.0]), torch.tensor([1, 4, 2, 3, 1]), 1e-6)
    assert (spectrum.nullity, spectrum.negative, spectrum.smallest, spectrum.smallest_positive) == (6, 1, -2, 0.5)
    assert spectrum.expand().tolist() == pytest.approx([-2, *[-1e-9] * 4, 1e-9, 1e-9, 0.5, 0.5, 0.5, 3])
    flat = unit_problem(2, 2, 0.0)
    nowhere = hessian.spectrum(flat, model.random_point(flat, init_scale=0))
    assert nowhere.nullity == 12 and math.isnan(nowhere.smallest_positive)


# what is refused


def test_points_that_are_not_critical():
    problem = unit_problem(4, 2, 1e-3, d=5)
    alpha = theory.dnc_critical_scales(problem)[-1]
    for Z in (
        1.001 * alpha * simplex_etf(4),
        theory.optimal_scale(unit_problem(5, 2, 1e-3), pairing(5))[0] * pairing(5),
    ):
        with pytest.raises(ValueError, match="logits must belong to a critical point"):
            hessian.aligned_spectrum(unit_problem(len(Z), 2, 1e-3), Z)
    with pytest.raises(ValueError, match="relu"):
        hessian.aligned_spectrum(unit_problem(4, 2, 1e-3, activation="relu"), alpha * simplex_etf(4))
    with pytest.raises(ValueError, match="weight_decay must be positive"):
        hessian.aligned_spectrum(unit_problem(4, 2, (0.0, 1e-3)), alpha * simplex_etf(4))


@pytest.mark.parametrize("side", ["left", "right"])
def test_spans_that_the_gradient_leaves_on_one_side(side):
    # Rank one, MSE, unequal classes: the equations hold on the span but the gradient leads out of it, on one side only.
    problem = Problem(3, (1, 4, 2), 1, 3, 0.01, loss="mse")
    roots = torch.tensor(problem.class_sizes, dtype=torch.float64).sqrt()
    one = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
    u, v = (one, one * roots) if side == "left" else (one * roots, one)
    u, v = u / u.norm(), v / v.norm()
    sigma = float((u * roots) @ v) - problem.total_samples * 0.01
    assert sigma > 0
    with pytest.raises(ValueError, match="logits must belong to a critical point"):
        hessian.aligned_spectrum(problem, sigma * torch.outer(u, v) / roots)
    along = torch.eye(3, dtype=torch.float64)[0]  # an eigenvector of the sizes: leads out on neither side
    hessian.aligned_spectrum(problem, (1 - 0.07) * torch.outer(along, along))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count must be at least 1"),
        ({"count": 2.5}, "count must be an integer"),
        ({"count": 26}, "count must be below half the number of parameters, 52; got 26"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_ends_that_are_refused(arguments, message):
    problem = reference.CASES["plain"]
    with pytest.raises(ValueError, match=message):
        hessian.extreme_spectrum(problem, model.random_point(problem), **arguments)


def test_no_convergence_is_an_error(monkeypatch):
    def never(*arguments, **options):
        raise ArpackNoConvergence("no convergence after 1 iteration", [], [])

    monkeypatch.setattr("dufm_lib._lanczos.eigsh", never)
    problem = reference.CASES["plain"]
    with pytest.raises(RuntimeError, match=r"did not converge.*ask for another count"):
        hessian.extreme_spectrum(problem, model.random_point(problem))


def test_dense_matrices_are_limited_but_critical_points_are_not():
    problem = Problem(10, 5, 2, 70, 2**-10)
    with pytest.raises(ValueError, match=f"params hold {70 * 50 + 70 * 70 + 700} numbers"):
        hessian.matrix(problem, model.random_point(problem))
    small = reference.CASES["plain"]
    point = model.random_point(small)
    with pytest.raises(ValueError, match="params hold 52 numbers; a dense Hessian is limited to 51"):
        hessian.matrix(small, point, limit=51)
    assert torch.equal(hessian.matrix(small, point, limit=52), hessian.matrix(small, point))
    params = model.aligned_point(problem, optimal(problem, simplex_etf(10)))
    found = hessian.spectrum(problem, params)
    assert found.nullity == theory.solution_dimension(9, 70, 2) and found.negative == 0
