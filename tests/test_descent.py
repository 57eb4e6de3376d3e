"""Descent: its gradient against autograd, its ends against theory, its promises about batches, threads and stopping."""

import dataclasses
import math
import threading
import time

import numpy as np
import pytest
import torch

from dufm_lib import Problem, _batch, _measure, _step, descent, hessian, model, structures, theory
from dufm_lib._batch import workers
from dufm_lib._measure import Meter, factors

FIGURE_1 = Problem(classes=10, samples=5, depth=2, width=70, weight_decay=2**-10)
SMALL = Problem(classes=4, samples=2, depth=2, width=8, weight_decay=0.01)

CASES = [
    Problem(4, samples, depth, 6, decay, loss=loss, activation=activation)
    for loss in ("cross_entropy", "mse")
    for activation in ("linear", "relu")
    for samples in (2, (3, 1, 2, 5))
    for depth in (1, 2, 4)
    for decay in (0.0, 0.01, (0.02, 0.003))
]


def cat(*starts):
    return [torch.cat(tensors) for tensors in zip(*starts, strict=True)]


def described(problem):
    return f"{problem.loss}-{problem.activation}-{problem.samples}-L{problem.depth}-{problem.weight_decay}"


@pytest.mark.parametrize("problem", CASES, ids=described)
def test_gradient_and_step_equal_autograd(problem):
    params = model.random_point(problem, runs=3, seed=1)
    leaves = [tensor.clone().requires_grad_() for tensor in params]
    expected = torch.autograd.grad(model.objective(problem, leaves).sum(), leaves)
    meter = Meter(problem, 3, torch.device("cpu"))
    meter.measure(problem, params)
    for ours, theirs in zip(factors(problem, meter.slopes), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-15)  # float64 rounding of sums of 11 terms

    block = _step.make_block(problem, [tensor.clone() for tensor in params], learning_rate=0.3)
    block.advance(1, threading.Event())
    assert block.done == 1
    for moved, tensor, slope in zip(block.params, params, expected, strict=True):
        torch.testing.assert_close(moved, tensor - 0.3 * slope, rtol=1e-12, atol=1e-15)


def test_float32_keeps_the_minima_of_the_penalty_asked_for():
    """1 - learning_rate * penalty is rounded to float32; the fixed points must not move with it."""
    problem = Problem(classes=4, samples=1, depth=1, width=4, weight_decay=1e-3)
    block = _step.make_block(problem, model.random_point(problem, 1, dtype=torch.float32), learning_rate=0.3)
    for update in block.rates:
        beta, rate = update["beta"], -update["alpha"] * problem.total_samples
        assert torch.tensor(beta, dtype=torch.float32).item() == beta
        assert (1 - beta) / rate == pytest.approx(1e-3, rel=1e-12)
        assert rate == pytest.approx(0.3, rel=1e-4)  # half a float32 spacing below 1, over 3e-4


def test_figure_1_ends_at_collapse_and_at_the_pairing_structure():
    """Starts and a learning rate at which both ends come early; the losses are those of the theory."""
    starts = [model.random_point(FIGURE_1, 1, seed, scale) for seed, scale in ((0, 2.0), (4, 0.3))]
    runs = descent.train(FIGURE_1, learning_rate=8.0, steps=5000, start=cat(*starts))
    assert runs.structure == ("dnc", "pairing")
    assert runs.ended == ("converged", "converged")
    assert runs.rank.tolist() == [9, 5]
    for loss, structure in zip(runs.loss.tolist(), (structures.simplex_etf, structures.pairing), strict=True):
        best = theory.optimal_scale(FIGURE_1, structure(10))[1]
        # Both are minima of their own value; a gradient of 1e-5 with curvature >= lambda = 1e-3 leaves < 1e-7.
        assert best - 1e-12 <= loss <= best + 1e-7
    assert best == pytest.approx(0.0800126592, abs=1e-10)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_one_layer_reaches_the_known_global_minimum(loss):
    """L = 1 has no other minima: the closed form bounds the loss from below all the way, and is reached."""
    problem = Problem(classes=4, samples=3, depth=1, width=6, weight_decay=5e-3, loss=loss)
    structure = structures.simplex_etf(4) if loss == "cross_entropy" else torch.eye(4, dtype=torch.float64)
    best = theory.optimal_scale(problem, structure)[1]
    runs = descent.train(problem, runs=4, dtype=torch.float64, tolerance=1e-8)
    assert set(runs.ended) == {"converged"}
    assert (runs.history.loss.nan_to_num(math.inf) >= best - 1e-12).all()
    assert runs.loss.tolist() == pytest.approx([best] * 4, abs=1e-12)  # gradient^2 / curvature = 1e-16 / 5e-3


def test_what_is_reported_is_evaluated_from_the_parameters():
    runs = descent.train(SMALL, runs=3, steps=70, record_every=30)
    assert runs.history.steps.tolist() == [0, 30, 60, 70]
    point = [tensor.double() for tensor in runs.params]
    assert runs.params[0].dtype == torch.float32
    torch.testing.assert_close(runs.loss, model.objective(SMALL, point), rtol=1e-14, atol=0)
    logits = model.class_means(SMALL, model.logits(SMALL, point))
    torch.testing.assert_close(runs.logits, logits, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(runs.history.loss[-1], runs.loss, rtol=0, atol=0)
    torch.testing.assert_close(runs.history.singular_values[-1], torch.linalg.svdvals(logits))
    leaves = [tensor.requires_grad_() for tensor in point]
    slopes = torch.autograd.grad(model.objective(SMALL, leaves).sum(), leaves)
    norm = sum(slope.square().sum((-2, -1)) for slope in slopes).sqrt()
    torch.testing.assert_close(runs.gradient_norm, norm)
    assert set(runs.structure) == {"unconverged"}
    assert runs.steps.tolist() == [70] * 3


@pytest.mark.parametrize(
    "problem",
    [
        FIGURE_1,
        SMALL,
        Problem(3, 1, 1, 3, 0.02),  # the smallest shapes: most padding
        Problem(5, 3, 2, 11, 2e-3, activation="relu"),
        Problem(5, (4, 1, 1, 2, 3), 3, 23, (2e-3, 1e-3), loss="mse", activation="relu"),
        Problem(7, 3, 4, 30, 1e-3),
    ],
    ids=described,
)
def test_a_run_ends_at_the_same_bits_in_any_company(problem):
    """Not a tolerance: 7 runs together, each alone, on one thread, and on two must agree exactly in float32."""
    together = descent.train(problem, runs=7, seed=3, steps=250)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            again = descent.train(problem, runs=7, seed=3, steps=250)
            assert all(map(torch.equal, together.params, again.params))
    finally:
        torch.set_num_threads(threads)
    for run in range(7):
        alone = descent.train(problem, seed=3 + run, steps=250)
        assert all(map(torch.equal, alone.params, together[run].params))
        torch.testing.assert_close(alone.loss, together.loss[run : run + 1], rtol=1e-14, atol=0)


def test_one_call_may_mix_settings(monkeypatch):
    """Every run of a mixed call ends at the bits of a call of its own, in shares and blocks of any size."""
    problems = [Problem(6, 2, 2, 20, decay) for decay in (1e-3, (1e-3, 4e-3), 1e-3, 0.02, 1e-3, 0.02, 0.0)]
    mixed = {"learning_rate": np.array([0.5, 0.5, 1.0, 0.5, 0.5, 0.5, 2.0]), "seed": [3, 1, 4, 1, 5, 9, 2]}
    mixed["init_scale"] = torch.tensor([0.5, 1.0, 1.0, 2.0, 1.0, 1.0, 0.5])
    mixed["tolerance"] = [1e-5, 1e-5, 0.3, 1e-5, 0.0, 1e-5, 1e-5]  # one is content early
    together = descent.train(problems, **mixed, steps=400)
    assert together.problems == tuple(problems)
    assert together[[0, 2]].problem == problems[0]
    assert together.ended[2] == "converged" and 0 < together.steps[2] < 400
    with pytest.raises(ValueError, match="problems"):
        _ = together.problem
    monkeypatch.setattr(_batch, "WORTH_A_THREAD", 1)
    for largest in (1, 1 << 20):
        monkeypatch.setattr(_batch, "LARGEST_BLOCK", largest)
        again = descent.train(problems, **mixed, steps=400)
        assert all(map(torch.equal, together.params, again.params))
    for run, problem in enumerate(problems):
        own = {name: values[run] for name, values in mixed.items()}
        alone = descent.train(problem, **own, steps=400)
        assert all(map(torch.equal, alone.params, together[run].params))
        assert (alone.ended, alone.structure) == (together[run].ended, together[run].structure)
        torch.testing.assert_close(alone.loss, together.loss[run : run + 1], rtol=1e-14, atol=0)


def test_converged_runs_leave_and_the_others_go_on_unchanged():
    start = cat(model.random_point(SMALL, 3), model.random_point(SMALL, 1, seed=9, init_scale=0.0))
    runs = descent.train(SMALL, start=start, steps=3000)
    assert runs.ended == ("converged",) * 4
    assert runs.structure == ("dnc", "dnc", "dnc", "zero")  # zero is critical for L >= 2
    assert runs.steps[3] == 0
    assert (runs.steps[:3] > 0).all()
    assert (runs.gradient_norm <= SMALL.weight_decay / 100).all()
    left = runs.history.steps[:, None] > runs.steps
    assert torch.equal(runs.history.loss.isnan(), left)
    assert torch.equal(runs.history.singular_values.isnan().all(-1), left)
    longer = descent.train(SMALL, runs=3, steps=3000, tolerance=0.0)
    assert longer.ended == ("steps",) * 3
    assert (longer.gradient_norm < runs.gradient_norm[:3]).all()


def test_what_is_called_converged_is_a_minimum():
    """Descent passes saddles on its way to lower rank; no run may leave at one. float64 eigenvalues decide."""
    problem = Problem(classes=6, samples=1, depth=2, width=9, weight_decay=1e-3)
    runs = descent.train(problem, runs=6, learning_rate=2.0, steps=40_000)
    assert set(runs.ended) == {"converged"}
    assert len(set(runs.rank.tolist())) > 1
    for run in range(len(runs)):
        # The gradient left, at most 1e-5, bends the zero modes by that over the size of the factors (a few units).
        smallest = torch.linalg.eigvalsh(hessian.matrix(problem, runs.point(run)))[0]
        assert smallest > -problem.weight_decay / 100


def test_a_diverging_run_ends_alone():
    start = cat(model.random_point(SMALL, 2), [100 * tensor for tensor in model.random_point(SMALL, 1, seed=2)])
    runs = descent.train(SMALL, start=start, steps=3000)
    assert runs.ended == ("converged", "converged", "diverged")
    assert runs.structure == ("dnc", "dnc", "diverged")
    assert runs.rank.tolist() == [3, 3, -1]
    undisturbed = descent.train(SMALL, runs=2, steps=3000)
    assert all(map(torch.equal, runs[:2].params, undisturbed.params))
    assert descent.train(SMALL, start=[tensor[2:] for tensor in start], steps=50).ended == ("diverged",)


def test_start_continues_a_run():
    whole = descent.train(SMALL, runs=2, steps=200)
    half = descent.train(SMALL, runs=2, steps=100)
    rest = descent.train(SMALL, start=half.params, steps=100)
    assert all(map(torch.equal, whole.params, rest.params))


def test_the_start_is_not_changed():
    start = model.random_point(SMALL, 2, dtype=torch.float32)
    kept = [tensor.clone() for tensor in start]
    descent.train(SMALL, start=start, steps=20)
    assert all(map(torch.equal, start, kept))


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_runs_are_measured_alike_in_slices_of_any_size(activation, monkeypatch):
    problem = Problem(5, (4, 1, 1, 2, 3), 3, 7, (2e-3, 1e-3), activation=activation)
    params = model.random_point(problem, 7, dtype=torch.float32)
    whole = Meter(problem, 7, torch.device("cpu"))
    monkeypatch.setattr(_measure, "AT_ONCE_ON_CPU", 3 * problem.parameters)
    sliced = Meter(problem, 7, torch.device("cpu"))
    assert (len(whole.points), len(sliced.points)) == (7, 3)
    for ours, theirs in zip(sliced.measure(problem, params), whole.measure(problem, params), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-15)  # sums in another order


@pytest.mark.parametrize("background", [False, True])
def test_a_report_that_returns_false_ends_the_training(background):
    calls, ends = [], []

    def report(fraction, text):
        calls.append((fraction, text, threading.current_thread()))
        return len(calls) < 3

    def work():
        ends.append(descent.train(FIGURE_1, runs=2, steps=10**9, report=report, record_every=10**8, tolerance=0.0))

    if background:  # as the widgets do
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    else:
        thread = threading.current_thread()
        work()
    (runs,) = ends
    assert len(calls) == 3
    assert all(caller is thread for _, _, caller in calls)
    assert runs.ended == ("interrupted",) * 2
    assert runs.structure == ("unconverged",) * 2
    assert 0 < runs.steps.min() < 10**8
    point = [tensor.double() for tensor in runs.params]
    torch.testing.assert_close(runs.loss, model.objective(FIGURE_1, point), rtol=1e-14, atol=0)
    assert not any(thread.name.startswith("descent") for thread in threading.enumerate())


def test_ctrl_c_returns_what_was_done():
    def report(fraction, text):
        raise KeyboardInterrupt

    runs = descent.train(SMALL, runs=2, steps=10**9, report=report, tolerance=0.0)
    assert runs.ended == ("interrupted",) * 2


def test_ctrl_c_while_blocks_are_handed_out(monkeypatch):
    """It comes when one worker has its share and the other has not: what the first still does must count."""
    monkeypatch.setattr(_batch, "WORTH_A_THREAD", 1)
    shares = []

    def slow(share, to, stop):
        time.sleep(0.05)
        for _, block in share:
            block.advance(block.done + 5, threading.Event())

    def submit(worker, function, *args):
        if function is slow and shares.append(args[0]) is None and len(shares) == 2:
            raise KeyboardInterrupt
        return real(worker, function, *args)

    real = _batch.ThreadPoolExecutor.submit
    monkeypatch.setattr(_batch, "_advance", slow)
    monkeypatch.setattr(_batch.ThreadPoolExecutor, "submit", submit)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        runs = descent.train(SMALL, runs=2, steps=100)
    finally:
        torch.set_num_threads(threads)
    assert runs.ended == ("interrupted",) * 2
    assert runs.steps.tolist() == [5, 0]
    point = [tensor.double() for tensor in runs.params]
    torch.testing.assert_close(runs.loss, model.objective(SMALL, point), rtol=1e-14, atol=0)


def test_ctrl_c_at_the_very_end_changes_nothing():
    def report(fraction, text):
        if fraction == 1:
            raise KeyboardInterrupt

    runs = descent.train(SMALL, runs=2, steps=4000, report=report)
    assert runs.ended == ("converged",) * 2


def test_another_exception_passes_through_and_leaves_no_thread():
    def report(fraction, text):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        descent.train(SMALL, runs=2, steps=10**9, report=report, tolerance=0.0)
    assert not any(thread.name.startswith("descent") for thread in threading.enumerate())


def test_report_ends_at_one_and_progress_draws_a_bar(capsys):
    fractions = []
    descent.train(SMALL, steps=300, report=lambda fraction, text: fractions.append(fraction), progress=True)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "300/300" in capsys.readouterr().err


def flushes():
    """Whether this thread's arithmetic makes subnormal numbers zero."""
    return torch.full((1,), 1e-39).mul(0.5).view(torch.int32).item() == 0


def test_denormals_are_flushed_by_the_workers_and_by_nobody_else():
    threads = torch.get_num_threads()
    assert not flushes()
    with workers(torch.device("cpu")) as crew:
        assert len(crew) == threads
        assert all(worker.submit(flushes).result() for worker in crew)
        assert {worker.submit(torch.get_num_threads).result() for worker in crew} == {1}
        assert not flushes()
    descent.train(SMALL, runs=2, steps=10)
    assert not flushes()
    found = []
    thread = threading.Thread(target=lambda: found.extend((torch.get_num_threads(), flushes())))
    thread.start()
    thread.join()
    assert found == [threads, False]
    assert torch.get_num_threads() == threads


def test_singular_values_of_the_history_follow_the_selection():
    """They are computed when asked for: before or after runs are selected."""
    runs = descent.train(SMALL, runs=3, steps=40, record_every=20)
    early = runs[1].history.singular_values
    assert runs.history.singular_values.shape == (3, 3, 4)
    assert torch.equal(runs.history.singular_values[:, 1:2], early)
    assert torch.equal(runs[1].history.singular_values, early)


def test_selecting_runs():
    runs = descent.train(SMALL, runs=4, steps=50)
    assert (len(runs), len(runs[1]), len(runs[1:3]), len(runs[[0, 3]]), len(list(runs))) == (4, 1, 2, 2, 4)
    assert repr(runs) == "Runs(4: 4 unconverged)"
    low = runs[runs.loss == runs.loss.min()]
    assert low.loss.item() == runs.loss.min()
    assert low.history.loss.shape == (2, 1)
    torch.testing.assert_close(model.objective(SMALL, runs.point(2)), runs.loss[2])
    with pytest.raises(IndexError):
        runs[4]


START = model.random_point(SMALL, 2)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("runs", {"runs": 0}),
        ("runs", {"runs": 2.0}),
        ("runs", {"runs": 3, "start": START}),
        ("seed", {"seed": -1}),
        ("learning_rate", {"learning_rate": 0}),
        ("learning_rate", {"learning_rate": -0.5}),
        ("learning_rate", {"learning_rate": math.nan}),
        ("learning_rate", {"learning_rate": "fast"}),
        ("steps", {"steps": 0}),
        ("steps", {"steps": 1e4}),
        ("init_scale", {"init_scale": -1.0}),
        ("dtype", {"dtype": torch.float16}),
        ("record_every", {"record_every": 0}),
        ("tolerance", {"tolerance": -1e-6}),
        ("tolerance", {"tolerance": [1e-6, -1e-6]}),
        ("tolerance", {"tolerance": [1e-6] * 2, "start": [tensor[:1] for tensor in START]}),
        ("learning_rate", {"learning_rate": np.ones((2, 2))}),
        ("learning_rate", {"learning_rate": np.ones(2), "runs": 3}),
        ("start", {"start": [tensor[0] for tensor in START]}),
        ("start", {"start": [tensor[:0] for tensor in START]}),
        ("learning_rate", {"learning_rate": [0.5, 0.0]}),
        ("learning_rate", {"learning_rate": [0.5, 0.1], "runs": 3}),
        ("learning_rate", {"learning_rate": [0.5, 0.1], "init_scale": [1.0] * 3}),
        ("init_scale", {"init_scale": [1.0, -1.0]}),
        ("seed", {"seed": [0, 0.5]}),
        ("runs", {"seed": []}),
        ("runs", {"problem": []}),
        ("problem", {"problem": [SMALL, 4]}),
        ("problem", {"problem": 4}),
        ("problem", {"problem": 4, "start": START}),
        ("start", {"start": []}),
        ("start", {"start": START[0]}),
        ("problem", {"problem": [SMALL] * 3, "start": START}),
        ("weight_decay", {"problem": [SMALL, FIGURE_1]}),
        ("weight_decay", {"problem": [SMALL, dataclasses.replace(SMALL, loss="mse")], "start": START}),
        ("params", {"start": START[:2]}),
        ("W_1", {"start": [START[0], START[1][:, :, :5], START[2]]}),
    ],
)
def test_a_bad_argument_is_named(name, arguments):
    with pytest.raises(ValueError, match=name):
        descent.train(**{"problem": SMALL} | arguments)


def test_relu_goes_below_every_collapsed_solution():
    """Figure 6 (there at learning rate 0.5 and more steps): the linear DNC optimum bounds all ReLU DNC solutions."""
    problem = Problem(10, 5, 3, 70, 2**-9, activation="relu")
    runs = descent.train(problem, 2, learning_rate=2.0, steps=10_000, init_scale=0.5)
    _, bound = theory.optimal_scale(problem, structures.simplex_etf(10))
    assert (runs.loss < bound).all()  # 0.1449 and 0.1385 against 0.1471
