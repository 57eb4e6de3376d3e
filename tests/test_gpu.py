"""Descent on a GPU, where there is one: the numbers of the CPU, and a checkpoint that moves from one to the other."""

import pytest
import torch

from dufm_lib import Problem, descent

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use")
# Sums in another order differ by 1e-16 of their size; 300 steps of a descent let that grow, not by a million.
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
PROBLEMS = [
    Problem(5, 3, depth, 11, 2e-3, loss, activation)
    for depth in (1, 3)
    for loss in ("cross_entropy", "mse")
    for activation in ("linear", "relu")
]


def assert_close(ours, theirs):
    assert (ours.ended, ours.structure) == (theirs.ended, theirs.structure)
    for here, there in zip([*ours.params, ours.loss], [*theirs.params, theirs.loss], strict=True):
        torch.testing.assert_close(here.cpu(), there.cpu(), **CLOSE)


@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_a_gpu_descends_as_the_cpu_does(problem):
    given = {"runs": 6, "seed": 3, "steps": 300, "dtype": torch.float64}
    on_gpu = descent.train(problem, device="cuda", **given)
    assert {tensor.device.type for tensor in on_gpu.params} == {"cuda"}
    assert on_gpu.loss.device.type == on_gpu.history.singular_values.device.type == "cpu"
    assert_close(on_gpu, descent.train(problem, **given))


@pytest.mark.parametrize(("first", "then"), [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_descent_goes_on_on_another_device(first, then, tmp_path):
    given = {"problem": PROBLEMS[0], "runs": 4, "steps": 300, "record_every": 30, "dtype": torch.float64}
    calls = []

    def report(fraction, text):
        calls.append(fraction)
        return len(calls) < 3

    file = tmp_path / "descent.pt"
    descent.train(**given, device=first, checkpoint=file, report=report)
    assert_close(descent.train(**given, device=then, checkpoint=file), descent.train(**given))
