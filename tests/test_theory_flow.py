"""The equation of the singular values, against gradient descent on the parameters, which knows nothing of it."""

import pytest
import torch

from dufm_lib import Problem, descent, model, theory
from dufm_lib.structures import pairing, polygon, simplex_etf


@pytest.mark.parametrize(("K", "n", "L"), [(4, 1, 2), (8, 3, 3), (8, 1, 1)])
def test_descent_follows_the_flow(K, n, L):
    frame = theory.hadamard_frame(K)
    start = torch.linspace(0.05, 0.3, K, dtype=torch.float64) * (torch.arange(K) > 0)
    problem = Problem(K, n, L, K + 2, 0.0)
    point = [factor[None] for factor in model.aligned_point(problem, frame @ torch.diag(start) @ frame.T)]
    expected = theory.spectral_flow(problem, frame, start, torch.tensor([0.0, 20.0]))[-1]
    errors = []
    for rate in (0.02, 0.01):
        run = descent.train(
            problem, start=point, learning_rate=rate, steps=round(20 / rate), dtype=torch.float64, tolerance=0.0
        )
        turned = frame.T @ run.logits[0] @ frame
        # descent keeps the frames: rounding only, 1e-16 a step over 2000 steps
        assert (turned - torch.diag(turned.diagonal())).abs().max() < 1e-12
        errors.append(float((turned.diagonal() - expected).abs().max()))
    assert errors[1] < 0.01  # Euler's error at this step
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)  # and it is of first order: nothing else is left


def test_simplex_polygon_and_pairing_are_diagonal_in_a_fourier_frame():
    frame = theory.fourier_frame(6)
    shift = torch.tensor([0, 3, 1, 4, 2, 5])  # pairs are half a turn apart
    for structure in (simplex_etf(6), polygon(6), pairing(6)[shift.argsort()][:, shift.argsort()]):
        turned = frame.T @ structure @ frame
        assert (turned - torch.diag(turned.diagonal())).abs().max() < 1e-14  # rounding of a 6 by 6 product
        assert theory.softmax_gaps(frame, turned.diagonal())[0].abs() < 1e-14


@pytest.mark.parametrize(
    ("frame", "ahead"),
    [
        (theory.hadamard_frame(4), [0.0, 1, 0, -1]),
        (theory.fourier_frame(5), [0.0, 1, 1, -1, -1]),
        (theory.fourier_frame(6), [0.0, 1, 1, -0.5, -0.5, -1]),  # the last column alternates and has no partner
    ],
)
def test_small_differences_around_collapse_grow_as_the_proposition_says(frame, ahead):
    K, ahead = len(frame), torch.tensor(ahead, dtype=torch.float64)
    start = 0.1 * (1 + 1e-5 * ahead) * (torch.arange(K) > 0)
    end = theory.spectral_flow(Problem(K, 1, 3, K, 0.0), frame, start, torch.tensor([0.0, 1e3]))[-1, 1:]
    scale = end.mean()
    expected = 1e-5 * ahead[1:] * (scale / 0.1) ** 0.5 * torch.exp(-(scale - 0.1) / K)
    # second order in 1e-5, and an integrator that keeps ten digits
    torch.testing.assert_close(end / scale - 1, expected, rtol=0.01, atol=1e-9)


def test_the_gaps_are_exact_when_the_softmax_is_one_up_to_rounding():
    gaps = theory.softmax_gaps(theory.hadamard_frame(4), torch.tensor([0.0, 60.0, 60.0, 60.0]))
    expected = 4 * torch.tensor(-60.0).double().exp() / (1 + 3 * torch.tensor(-60.0).double().exp())
    torch.testing.assert_close(gaps[1:], expected.expand(3), rtol=1e-12, atol=0)  # the exponent 60 has 14 digits


def test_collapse_stays_collapse_and_zero_stays_zero():
    problem = Problem(8, 1, 3, 8, 0.0)
    times = torch.cat([torch.zeros(1), torch.logspace(0, 12, 13)]).double()
    start = torch.tensor([0.0, *[0.1] * 7])
    path = theory.spectral_flow(problem, theory.hadamard_frame(8), start, times)
    # equal entries stay equal up to the accuracy asked of the integrator
    assert (path[:, 1:].amax(1) - path[:, 1:].amin(1)).max() < 1e-7
    start[3:] = 0
    path = theory.spectral_flow(problem, theory.hadamard_frame(8), start, times)
    assert (path[:, 3:] == 0).all() and (path[-1, 1:3] > 10).all()


@pytest.mark.parametrize(
    ("options", "values", "times", "message"),
    [
        ({}, [0.0, 0.1, 0.1, -0.1], [0.0, 1.0], "values must not be negative"),
        ({}, [0.0, 0.1, 0.1, 0.1], [1.0, 0.5], "times must ascend"),
        ({"samples": (1, 1, 1, 2)}, [0.0, 0.1, 0.1, 0.1], [0.0, 1.0], "balanced"),
        ({"activation": "relu"}, [0.0, 0.1, 0.1, 0.1], [0.0, 1.0], "linear"),
    ],
)
def test_bad_input_is_named(options, values, times, message):
    problem = Problem(**{"classes": 4, "samples": 1, "depth": 2, "width": 4, "weight_decay": 0.0} | options)
    with pytest.raises(ValueError, match=message):
        theory.spectral_flow(problem, theory.hadamard_frame(4), torch.tensor(values), torch.tensor(times))


def test_a_frame_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="power of 2"):
        theory.hadamard_frame(6)
    with pytest.raises(ValueError, match="softmax diagonal"):
        theory.softmax_gaps(theory.fourier_frame(6), torch.tensor([0.0, 1.0, 2.0, 0.0, 0.0, 0.0]))


def test_the_path_begins_at_the_start():
    start = torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64)
    path = theory.spectral_flow(Problem(4, 1, 2, 4, 0.0), theory.hadamard_frame(4), start, torch.zeros(1))
    assert torch.equal(path, start[None])
