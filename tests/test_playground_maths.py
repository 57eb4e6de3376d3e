"""The playground's JavaScript against Python: descent, spectra, labels and random starts, run by node."""

import numpy as np
import pytest
import torch
from javascript import node

from dufm_lib import Problem, descent, metrics, model, structures
from dufm_lib.widgets.playground import SETTINGS, problem, train
from dufm_lib.widgets.playground_start import start


def setting(problem: Problem, learning_rate: float = 0.5) -> dict:
    """A Problem as JavaScript takes it."""
    return {
        "classes": problem.classes,
        "samples": problem.samples,
        "depth": problem.depth,
        "width": problem.width,
        "weightDecay": problem.weight_decay,
        "learningRate": learning_rate,
        "activation": problem.activation,
    }


def flat(params) -> list[list[float]]:
    return [tensor.reshape(-1).tolist() for tensor in params]


CASES = [
    *[
        Problem(6, 3, depth, 9, 2**-8, activation=activation)
        for depth in (1, 2, 3, 4)
        for activation in ("linear", "relu")
    ],
    Problem(2, 1, 1, 2, 0.01),  # the smallest of everything, and odd sizes
    Problem(5, 1, 3, 7, 0.01),
    Problem(10, 5, 2, 20, 2**-10),
    Problem(10, 5, 4, 40, 2**-10, activation="relu"),
]
NAMES = [f"{p.activation}-K{p.classes}-L{p.depth}-d{p.width}" for p in CASES]


@pytest.mark.parametrize("problem", CASES, ids=NAMES)
def test_a_trajectory_is_that_of_descent_train(problem):
    point = model.random_point(problem, runs=1, seed=3)
    runs = descent.train(
        problem, start=point, learning_rate=0.5, steps=300, record_every=50, dtype=torch.float64, tolerance=0.0
    )
    body = """
    const run = new m.Descent(given.setting, given.start);
    const history = [run.measure()];
    while (run.steps < 300) {
      for (let i = 0; i < 50; i++) run.step();
      history.push(run.measure());
    }
    return { history, params: run.params };
    """
    answer = node("descent.js", body, {"setting": setting(problem), "start": flat(point)})
    # both compute in float64 and add in another order: measured, they are 1e-14 apart after 300 steps
    for name, ours in (("loss", "loss"), ("gradientNorm", "gradient_norm"), ("logits", "logits")):
        found = np.array([record[name] for record in answer["history"]])
        expected = getattr(runs.history, ours)[:, 0].reshape(found.shape).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    for found, expected in zip(answer["params"], flat(runs.params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


RUN = "const run = new m.Run(given); run.advance(1e6); return run.news();"


@pytest.mark.parametrize("changes", [{}, {"seed": 0}, {"L": 4, "seed": 0}, {"activation": "relu", "seed": 0}])
def test_a_run_ends_when_and_where_descent_train_ends(changes):
    values = SETTINGS | changes
    runs = train(values)
    given = setting(runs.problem, values["rate"]) | {"seed": values["seed"], "initScale": values["scale"]}
    news = node("run.js", RUN, given)
    assert (news["ended"], news["steps"]) == ("converged", runs.steps.item())
    assert (news["rank"], news["structure"]) == (runs.rank.item(), runs.structure[0])
    # thousands of steps past saddles magnify the last digit of the start; the end itself attracts
    assert news["loss"] == pytest.approx(runs.loss.item(), rel=1e-9)
    steps = [record["steps"] for record in news["records"]]
    assert steps[:3] == [0, 1, 2] and steps[-1] == news["steps"] and len(steps) < 1000


def test_a_run_that_diverges_says_so_and_records_no_nan():
    values = SETTINGS | {"L": 4, "seed": 2}
    given = setting(problem(values), values["rate"]) | {"seed": 2, "initScale": values["scale"]}
    news = node("run.js", RUN, given)
    assert (news["ended"], news["structure"], news["rank"]) == ("diverged", "diverged", -1)
    assert all(np.isfinite(record["loss"]) for record in news["records"])


def test_the_outcome_in_words():
    now = {"steps": 4200, "ended": "converged", "rank": 5, "structure": "pairing", "loss": 0.08}
    cases = [
        (
            now,
            "After 4,200 steps the run has converged: rank 5, Pairing; "
            "loss 0.0800, below 0.0907, the best of DNC, and equal to 0.0800, that of pairing.",
        ),
        (now | {"ended": ""}, "Paused after 4,200 steps: rank 5, close to Pairing; loss 0.0800, below"),
        (now | {"loss": 0.0907}, "equal to 0.0907, the best of DNC, and above 0.0800, that of pairing."),
        (now | {"loss": 0.07}, "below 0.0907, the best of DNC, and below 0.0800, that of pairing."),
        (now | {"structure": "mixed"}, "rank 5, none of the named structures;"),
        (now | {"structure": "zero"}, "converged: the logits are zero; loss"),
        (now | {"ended": "limit"}, "After 4,200 steps the run is at its limit and has not converged: rank 5, close to"),
        (now | {"ended": "diverged"}, "diverged after 4,200 steps: the learning rate 0.5 is too large here."),
        (
            None,
            "At step 0. The best loss of Dnc is 0.0907, that of Pairing 0.0800. Press Play to descend "
            "at learning rate 0.5, 100 steps a second.",
        ),
    ]
    body = """
    const label = name => name[0].toUpperCase() + name.slice(1);
    const setting = { activation: "linear", learningRate: 0.5 };
    const rest = { setting, playing: false, label, pace: "100 steps a second",
                   bounds: { dnc: 0.0907, pairing: 0.08 } };
    return given.map(now => m.words({ ...rest, now }));
    """
    for found, (_, expected) in zip(node("outcome.js", body, [now for now, _ in cases]), cases, strict=True):
        assert expected in found


def test_a_start_is_not_changed_and_can_be_used_again():
    problem = Problem(4, 2, 2, 5, 0.01)
    point = flat(model.random_point(problem))
    body = """
    const end = () => { const run = new m.Descent(given.setting, given.start); run.step(); return run.params; };
    return [end(), end(), given.start];
    """
    first, second, after = node("descent.js", body, {"setting": setting(problem), "start": point})
    assert first == second
    assert after == point


def test_the_random_start_is_the_one_of_python():
    problem = Problem(3, 1, 2, 5, 0.01)  # an odd number of entries in every factor
    for seed in (0, 1, 2**31, 2**32 - 1):
        body = "return m.randomStart(given.setting, given.seed, 0.7)"
        found = node("descent.js", body, {"setting": setting(problem), "seed": seed})
        for ours, theirs in zip(found, flat(start(problem, seed, 0.7)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)  # log, sin, cos: the last digit


def test_random_numbers_are_normal_and_seeds_independent():
    body = "return [0, 1, 2, 3].map(seed => { const draw = m.normal(seed); return Array.from({length: 20000}, draw); })"
    numbers = np.array(node("random.js", body))
    assert (numbers == np.array(node("random.js", body))).all()
    count = numbers.shape[1]
    # five standard deviations of each estimate from independent normal numbers
    for values in numbers:
        moments = [(values**power).mean() for power in (1, 2, 3, 4)]
        spreads = np.sqrt(np.array([1, 2, 15, 96]) / count)
        assert (np.abs(np.array(moments) - [0, 1, 0, 3]) < 5 * spreads).all()
        assert abs((values[:-1] * values[1:]).mean()) < 5 / count**0.5
    correlations = np.corrcoef(numbers) - np.eye(4)
    assert np.abs(correlations).max() < 5 / count**0.5


def test_seeds_outside_32_bits_are_refused():
    problem = Problem(3, 1, 2, 5, 0.01)
    with pytest.raises(ValueError, match="seed must be at most 4294967295"):
        start(problem, 2**32)
    with pytest.raises(ValueError, match="seed must be at least 0"):
        start(problem, -1)


@pytest.mark.parametrize("K", [2, 3, 7, 10])
def test_singular_values_and_eigenvectors(K):
    generator = np.random.default_rng(K)
    square = generator.normal(size=(K, K))
    low_rank = square[:, :1] @ square[:1] + 1e-9 * square
    matrices = [square, low_rank, np.zeros((K, K)), np.eye(K), structures.simplex_etf(K).numpy()]
    for matrix in matrices:
        body = "return m.singularValues(given.flat(), given.length)"
        found = node("spectrum.js", body, matrix.tolist())
        expected = np.linalg.svd(matrix, compute_uv=False)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * max(expected[0], 1))
        assert node("spectrum.js", "return m.rank(given)", found) == int(structures.rank(torch.from_numpy(matrix)))
    symmetric = square + square.T
    pairs = node("spectrum.js", "return m.eigenpairs(given.flat(), given.length)", symmetric.tolist())
    np.testing.assert_allclose([value for value, _ in pairs], np.linalg.eigvalsh(symmetric)[::-1], atol=1e-12)
    for value, vector in pairs:
        np.testing.assert_allclose(symmetric @ vector, np.multiply(value, vector), atol=1e-12)


@pytest.mark.parametrize("K", range(2, 11))
def test_labels_are_those_of_python(K):
    generator = torch.Generator().manual_seed(K)
    order = torch.randperm(K, generator=generator)
    ideals = [structures.simplex_etf(K), structures.pairing(K), structures.polygon(K)]
    noise = torch.randn(K, K, generator=generator, dtype=torch.float64)
    matrices = [noise, torch.zeros(K, K, dtype=torch.float64), 1e-3 * noise]
    for ideal in ideals:
        turned = 7 * ideal[order][:, order]
        # on either side of the tolerance 0.02, where a wrong distance would show
        matrices += [turned + 7 * size * ideal.norm() * noise / noise.norm() for size in (0, 0.015, 0.025, 0.3)]
    body = "return given.map(matrix => m.structureLabel(matrix.flat(), matrix.length))"
    found = node("label.js", body, torch.stack(matrices).tolist())
    assert found == metrics.structure_labels(torch.stack(matrices))
