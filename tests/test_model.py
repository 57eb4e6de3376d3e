"""The model against loops over samples and units, its symmetries, and the points it constructs."""

import dataclasses
import math

import numpy as np
import pytest
import reference
import torch
from reference import near

from dufm_lib import Problem, model, structures

CASES = pytest.mark.parametrize("name", reference.CASES)
LINEAR = [name for name, problem in reference.CASES.items() if problem.activation == "linear"]


def gauss(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rotation(d, seed=0):
    return torch.linalg.qr(gauss(d, d, seed=seed))[0]


# against loops


@CASES
def test_logits_fit_penalty_and_objective_against_loops(name):
    problem = reference.CASES[name]
    for seed in range(3):
        params = model.random_point(problem, seed=seed, init_scale=1.5)
        Z = reference.logits(problem, params)
        # sums of a few dozen numbers of size one, in two orders
        assert np.allclose(model.logits(problem, params), Z, rtol=0, atol=1e-13)
        assert float(model.fit(problem, torch.tensor(Z))) == near(reference.fit(problem, Z), rel=1e-13)
        expected = reference.objective(problem, params)
        assert float(model.objective(problem, params)) == near(expected, rel=1e-13)
        penalty = expected - reference.fit(problem, Z)
        assert float(model.penalty(problem, params)) == near(penalty, rel=1e-12)  # a difference


@CASES
def test_batches_equal_one_at_a_time(name):
    problem = reference.CASES[name]
    flat = model.random_point(problem, runs=6, seed=3)
    batch = [tensor.unflatten(0, (2, 3)) for tensor in flat]
    Z, value = model.logits(problem, batch), model.objective(problem, batch)
    assert Z.shape == (2, 3, problem.classes, problem.total_samples) and value.shape == (2, 3)
    for run, (i, j) in enumerate(np.ndindex(2, 3)):
        one = model.random_point(problem, seed=3 + run)
        assert all(torch.equal(tensor[i, j], alone) for tensor, alone in zip(batch, one, strict=True))
        # a batched product may sum in another order
        assert torch.allclose(Z[i, j], model.logits(problem, one), rtol=0, atol=1e-13)
        assert float(value[i, j]) == near(float(model.objective(problem, one)), rel=1e-13)


@CASES
def test_gradients_against_differences(name):
    problem = reference.CASES[name]
    params = [tensor.requires_grad_() for tensor in model.random_point(problem, seed=1, init_scale=1.5)]
    slopes = torch.autograd.grad(model.objective(problem, params), params)
    for tensor, slope in zip(params, slopes, strict=True):
        direction = gauss(*tensor.shape)
        h = 1e-5
        with torch.no_grad():
            values = []
            for sign in (1, -1):
                moved = [other + sign * h * direction if other is tensor else other for other in params]
                values.append(reference.objective(problem, moved))
        # central differences: h^2 of curvature and 1e-16 / h of rounding, both near 1e-10
        assert (values[0] - values[1]) / (2 * h) == pytest.approx(float((slope * direction).sum()), abs=1e-8)


def test_mse_keeps_its_digits_near_the_targets():
    problem = Problem(3, 4, 1, 3, 0.0, loss="mse")
    Z = torch.eye(3)[:, problem.labels] + 1e-5
    # in float32 the grid near 1 is 6e-8: a few per cent of 1e-5, and never a negative loss
    assert float(model.fit(problem, Z)) == near(0.5 * 3 * 1e-10, rel=0.05)


def test_cross_entropy_does_not_overflow():
    problem = Problem(3, 1, 1, 3, 0.0)
    assert float(model.fit(problem, 1e4 * torch.eye(3))) == 0
    assert float(model.fit(problem, -1e4 * torch.eye(3))) == near(1e4 + math.log(2), rel=1e-6)  # float32
    assert float(model.fit(problem, torch.full((3, 3), 1e30))) == pytest.approx(math.log(3))


# symmetries


@pytest.mark.parametrize("name", LINEAR)
def test_frames_between_linear_layers_may_turn(name):
    problem = reference.CASES[name]
    params = model.random_point(problem)
    turned = [tensor.clone() for tensor in params]
    for layer in range(problem.depth):
        Q = rotation(problem.width, seed=layer)
        turned[layer] = Q @ turned[layer]
        turned[layer + 1] = turned[layer + 1] @ Q.T
    assert torch.allclose(model.logits(problem, turned), model.logits(problem, params), rtol=0, atol=1e-13)
    assert float(model.objective(problem, turned)) == near(float(model.objective(problem, params)), rel=1e-13)


@CASES
def test_scale_may_move_between_layers(name):
    problem = reference.CASES[name]  # ReLU too: it is positively homogeneous
    params = model.random_point(problem)
    scaled = [3 * params[0], params[1] / 3, *params[2:]]
    assert torch.allclose(model.logits(problem, scaled), model.logits(problem, params), rtol=0, atol=1e-13)
    assert model.penalty(problem, scaled) != model.penalty(problem, params)


@pytest.mark.parametrize("name", [name for name, problem in reference.CASES.items() if problem.activation == "relu"])
def test_units_of_relu_layers_may_be_permuted(name):
    problem = reference.CASES[name]
    params = model.random_point(problem)
    order = torch.randperm(problem.width, generator=torch.Generator().manual_seed(0))
    permuted = [params[0], params[1][order], params[2][:, order], *params[3:]]
    assert torch.allclose(model.logits(problem, permuted), model.logits(problem, params), rtol=0, atol=1e-13)
    turned = [params[0], rotation(problem.width) @ params[1], params[2] @ rotation(problem.width).T, *params[3:]]
    assert not torch.allclose(model.logits(problem, turned), model.logits(problem, params), atol=1e-3)


@CASES
def test_classes_may_be_renamed(name):
    problem = reference.CASES[name]
    params = model.random_point(problem)
    order = torch.tensor([2, 0, 1])
    renamed = dataclasses.replace(problem, samples=tuple(problem.class_sizes[k] for k in order))
    columns = torch.cat([(problem.labels == k).nonzero()[:, 0] for k in order])
    moved = [params[0][:, columns], *params[1:-1], params[-1][order]]
    assert float(model.objective(renamed, moved)) == near(float(model.objective(problem, params)), rel=1e-13)


def test_layers_receive_what_the_layer_before_gave():
    problem = reference.CASES["relu"]
    params = model.random_point(problem)
    layers = model.activations(problem, params)
    assert len(layers) == problem.depth + 1
    assert torch.equal(layers[0], params[0]) and (layers[0] < 0).any()  # no ReLU on the features
    for layer in (1, 2):
        assert torch.equal(layers[layer], (params[layer] @ layers[layer - 1]).relu())
    assert torch.equal(layers[3], params[3] @ layers[2]) and (layers[3] < 0).any()  # nor on the logits


# random points


def test_random_points_have_the_deviation_asked_for():
    problem = Problem(4, 50, 2, 100, 0.1)
    for factor in (1.0, 0.3):
        for tensor in model.random_point(problem, seed=5, init_scale=factor):
            entries = 10 * tensor.flatten() / factor
            # five standard errors of the mean and of the variance
            assert abs(float(entries.mean())) < 5 / math.sqrt(len(entries))
            assert float(entries.square().mean()) == pytest.approx(1, abs=5 * math.sqrt(2 / len(entries)))


def test_random_points_depend_on_the_seed_alone():
    problem = Problem(3, 2, 2, 4, 0.1)
    three = model.random_point(problem, runs=3, seed=7)
    assert [tuple(tensor.shape) for tensor in three] == [(3, *shape) for shape in problem.shapes]
    for run in range(3):
        one = model.random_point(problem, seed=7 + run)
        assert all(torch.equal(tensor[run], alone) for tensor, alone in zip(three, one, strict=True))
    torch.manual_seed(123)  # no global generator is used ...
    before = torch.get_rng_state()
    assert all(map(torch.equal, model.random_point(problem, runs=3, seed=7), three))
    assert torch.equal(torch.get_rng_state(), before)  # ... nor moved
    single = model.random_point(problem, seed=7, dtype=torch.float32)
    assert all(torch.equal(low, tensor[0].float()) for low, tensor in zip(single, three, strict=True))
    assert all(tensor.count_nonzero() == 0 for tensor in model.random_point(problem, init_scale=0))
    assert not torch.equal(three[0][0], three[0][1])


# means and copies over the samples of a class


def test_expand_and_class_means():
    problem = Problem(3, (1, 4, 2), 2, 4, 0.01)
    logits = gauss(2, 3, 3)
    wide = model.expand(problem, logits)
    assert wide.shape == (2, 3, 7)
    for sample, own in enumerate(reference.classes_of_samples(problem)):
        assert torch.equal(wide[..., sample], logits[..., own])
    assert torch.allclose(model.class_means(problem, wide), logits, rtol=0, atol=1e-15)
    signal = gauss(5, 7)
    for k, columns in enumerate([[0], [1, 2, 3, 4], [5, 6]]):
        expected = torch.stack([signal[:, i] for i in columns]).mean(0)
        assert torch.allclose(model.class_means(problem, signal)[:, k], expected, rtol=0, atol=1e-15)


# aligned points


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("kind", ["gauss", "simplex", "rank one", "zero"])
def test_aligned_points_give_the_logits_and_are_balanced(name, kind):
    problem = reference.CASES[name]
    Z = {
        "gauss": 3 * gauss(3, 3),
        "simplex": 6 * structures.simplex_etf(3),
        "rank one": gauss(3, 1) @ gauss(1, 3, seed=1),
        "zero": 0 * gauss(3, 3),
    }[kind]
    r = {"gauss": 3, "simplex": 2, "rank one": 1, "zero": 0}[kind]
    params = model.aligned_point(problem, Z, seed=2)
    assert all(tensor.dtype == torch.float64 for tensor in params)
    # products of L + 1 factors of condition one
    assert torch.allclose(model.logits(problem, params), model.expand(problem, Z), rtol=0, atol=1e-13)
    decays = [problem.penalties[0]] + [problem.penalties[1]] * problem.depth
    spectra = []
    for tensor, decay in zip(params, decays, strict=True):
        values = math.sqrt(decay) * torch.linalg.svdvals(tensor)
        assert (values[:r] > 1e-3).all() and (values[r:] < 1e-13).all()
        spectra.append(values[:r])
    for values in spectra:
        assert torch.allclose(values, spectra[0], rtol=1e-12)
    for layer in range(problem.depth):  # lambda_{l+1} W_{l+1}^T W_{l+1} = lambda_l W_l W_l^T, with W_0 = H_1
        above, below = params[layer + 1], params[layer]
        gap = decays[layer + 1] * above.T @ above - decays[layer] * below @ below.T
        assert gap.abs().max() < 1e-14


def test_aligned_frames_are_random_and_seeded():
    problem, Z = Problem(3, 2, 2, 6, 0.01), 5 * structures.simplex_etf(3)
    one, same, other = (model.aligned_point(problem, Z, seed=seed) for seed in (1, 1, 2))
    assert all(map(torch.equal, one, same))
    assert not any(map(torch.allclose, one, other))
    assert float(model.objective(problem, one)) == near(float(model.objective(problem, other)), rel=1e-13)


def test_frames_are_uniform_on_the_stiefel_manifold():
    generator = torch.Generator().manual_seed(0)
    frames = torch.stack([model.random_frame(3, 2, generator) for _ in range(4000)])
    assert torch.allclose(frames.mT @ frames, torch.eye(2, dtype=torch.float64).expand(4000, 2, 2), atol=1e-13)
    # An entry of a uniform unit vector in space is uniform on [-1, 1]: moments 0, 1/3, 0, 1/5. Without the signs of R
    # the first column would be fixed to one side. Five standard errors of 4000 draws.
    for power, moment in enumerate([0, 1 / 3, 0, 1 / 5], start=1):
        assert (frames.pow(power).mean(0) - moment).abs().max() < 5 / math.sqrt(4000)
