"""ResNet-20, and training in large batches."""

import copy

import pytest
import torch
from small_networks import FLAT, IMAGES, ODD, UFM, perceptron, small, state
from torch.nn.functional import cross_entropy

from dufm_lib import networks, structures, theory
from dufm_lib.data import Data
from dufm_lib.networks.feature_maps import Residual

# ResNet-20


def photographs(side, colours, count=4):
    inputs = torch.randn(count, colours, side, side, generator=torch.Generator().manual_seed(0))
    return Data(inputs, torch.arange(count) // (count // 2), inputs[:0], torch.zeros(0, dtype=torch.int64))


def test_resnet20_has_the_size_that_its_authors_print():
    network = networks.resnet20(photographs(32, 3), depth=1)
    convolutions = [layer for layer in network.features.modules() if isinstance(layer, torch.nn.Conv2d)]
    assert len(convolutions) == 19
    # He et al., table 6: 0.27M parameters with the last layer of 64 x 10 + 10
    assert sum(parameter.numel() for parameter in network.features.parameters()) + 650 == 269_722
    sizes = []
    for stage in network.features:
        if isinstance(stage, Residual):
            stage.register_forward_hook(lambda module, inputs, output: sizes.append(tuple(output.shape[1:])))
    network(photographs(32, 3).inputs)
    assert sizes == [(16, 32, 32)] * 3 + [(32, 16, 16)] * 3 + [(64, 8, 8)] * 3


@pytest.mark.parametrize("side, colours", [(8, 1), (28, 1), (5, 2), (1, 1)])
def test_resnet20_takes_images_of_any_size(side, colours):
    sets = photographs(side, colours)
    network = networks.resnet20(sets, channels=2, width=8)
    assert network.layers(sets.inputs)[0].shape == (4, 8)


def test_features_are_of_either_sign_or_rectified():
    assert (small().features(IMAGES.inputs) >= 0).all()
    either = small(feature_activation="linear", width=7).features(IMAGES.inputs)
    assert either.shape == (12, 7) and (either < 0).any()


def test_shortcuts_subsample_and_fill_with_zeros():
    block = Residual(2, 4).eval()
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.rand(1, 2, 4, 4)
    out = block(x)
    assert torch.equal(out[:, 1:3], x[:, :, ::2, ::2]) and not out[:, (0, 3)].any()


def test_seed_fixes_every_parameter_and_leaves_the_global_generator():
    before = torch.random.get_rng_state()
    first, second, other = (small(seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(state(first), state(second)) and not torch.equal(state(first), state(other))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"data": FLAT}, r"data must have images .* got \(24, 64\)"),
        ({"data": "mnist"}, "data must be a dufm_lib.data.Data, got 'mnist'"),
        ({"width": 9}, "width must be 4 channels = 8 for feature_activation 'relu', got 9"),
        ({"channels": 0}, "channels must be at least 1"),
        ({"feature_activation": "tanh"}, "feature_activation must be one of linear, relu"),
        ({"activation": "tanh"}, "activation must be one of linear, relu"),
        ({"depth": 0}, "depth must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_resnet20_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.resnet20(**({"data": IMAGES, "channels": 2, "width": 8} | arguments))


# batches


def test_batches_of_an_epoch_are_the_whole_set_in_another_order_each_time():
    from dufm_lib.networks.training import _batch

    epochs = [[_batch(step, 23, 6, seed=1) for step in range(start, start + 4)] for start in (0, 4)]
    for epoch in epochs:
        assert sorted(torch.cat(epoch).tolist()) == list(range(23))
        assert {len(batch) for batch in epoch} == {5, 6}
    assert not torch.equal(torch.cat(epochs[0]), torch.cat(epochs[1]))
    assert not torch.equal(_batch(0, 23, 6, seed=1), _batch(0, 23, 6, seed=2))
    assert torch.equal(_batch(5, 23, 6, seed=1), epochs[1][1])


def test_a_batch_step_is_descent_on_its_scaled_objective():
    from dufm_lib.networks.training import _batch

    network = perceptron().double()
    trained = networks.train(network, FLAT, "ufm", UFM, 0.05, momentum=0.8, steps=3, batch_size=10, seed=7)
    reference = copy.deepcopy(network).train()
    inputs = FLAT.inputs.double()
    velocity = [torch.zeros_like(parameter) for parameter in reference.parameters()]
    for step in range(3):
        chosen = _batch(step, 24, 10, 7)
        H, *_, Z = reference.layers(inputs[chosen])
        squares = sum(weight.square().sum() for weight in reference.weights)
        charged = UFM[0] / 2 * 24 / 8 * H.square().sum() + UFM[1] / 2 * squares
        slopes = torch.autograd.grad(cross_entropy(Z, FLAT.labels[chosen]) + charged, list(reference.parameters()))
        with torch.no_grad():
            for parameter, speed, slope in zip(reference.parameters(), velocity, slopes, strict=True):
                speed.mul_(0.8).add_(slope)
                parameter.sub_(0.05 * speed)
    for moved, expected in zip(trained.network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-12)  # float64, three steps


@pytest.mark.parametrize(("batch_size", "count"), [(None, 1), (9, 3)])
def test_what_is_measured_does_not_lag_behind_the_weights(batch_size, count):
    """Running averages do, most of all where weight decay shrinks what stands in front of batch normalisation."""
    long = dict(learning_rate=0.1, momentum=0.9, steps=40, record_every=40, batch_size=batch_size)
    result = networks.train(perceptron().double(), FLAT, "standard", 3e-2, **long)
    first, normalise = result.network.features[:2]
    with torch.no_grad():
        entering = first(FLAT.inputs.double())
        answers = result.network(FLAT.test_inputs.double()).argmax(1)
    parts = [entering[start::count] for start in range(count)]  # 24 samples by class, in equal parts of all classes
    # the same float64 sums in another order
    mean, variance = sum(part.mean(0) for part in parts) / count, sum(part.var(0) for part in parts) / count
    torch.testing.assert_close(normalise.running_mean, mean, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(normalise.running_var, variance, rtol=1e-9, atol=1e-12)
    assert float(result.history.test_accuracy[-1]) == float((answers == FLAT.test_labels).double().mean())


def test_history_in_batches_is_that_of_the_network_in_evaluation_mode():
    result = networks.train(perceptron().double(), FLAT, "ufm", UFM, steps=12, batch_size=9, record_every=5)
    network, history = result.network, result.history
    assert history.steps.tolist() == [0, 5, 10, 12]
    with torch.no_grad():
        H, *_, Z = network.eval().layers(FLAT.inputs.double())
        objective = cross_entropy(Z, FLAT.labels) + networks.penalty(network, H, "ufm", UFM)
    torch.testing.assert_close(history.objective[-1], objective, rtol=1e-12, atol=0)  # the same float64 formulas
    assert float(history.accuracy[-1]) == float((Z.argmax(1) == FLAT.labels).double().mean())
    means = torch.stack([part.mean(0) for part in Z.split(6)], dim=1)
    torch.testing.assert_close(history.logits[-1], means, rtol=1e-12, atol=1e-12)


def test_without_normalisation_batches_change_the_path_but_not_what_is_measured():
    network = perceptron(batch_norm=False).double()
    whole, parts = (networks.train(network, FLAT, "ufm", UFM, steps=1, batch_size=size) for size in (None, 5))
    torch.testing.assert_close(whole.history.objective[0], parts.history.objective[0], rtol=1e-12, atol=0)
    assert not torch.equal(state(whole.network), state(parts.network))


def test_the_bound_of_collapse():
    result = networks.train(small(), IMAGES, "ufm", UFM, steps=1)
    assert result.dnc_bound == theory.optimal_scale(result.problem, structures.simplex_etf(3))[1]
    pairing = theory.optimal_scale(result.problem, structures.pairing(3))[1]
    assert result.bounds == {"dnc": result.dnc_bound, "pairing": pairing}
    rectified = networks.train(small(activation="relu"), IMAGES, "ufm", UFM, steps=1)
    assert rectified.bounds == {"dnc": result.dnc_bound}
    standard = networks.train(small(), IMAGES, "standard", 1e-2, steps=1)
    assert standard.bounds == {}
    with pytest.raises(ValueError, match="problem needs regularization 'ufm'"):
        _ = standard.dnc_bound


def test_the_spectra_have_a_name_for_every_layer():
    history = networks.train(small(depth=2), IMAGES, "ufm", UFM, steps=1).history
    first, second, logits = history.spectra.items()
    assert [first[0], second[0]] == ["$W_1$", "$W_2$"]
    assert first[1] is history.weight_singular_values[0] and logits[1] is history.singular_values


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 1}, "batch_size must be at least 2"),
        ({"batch_size": 2.5}, "batch_size must be an integer"),
        ({"batch_size": 2, "data": ODD}, "batch_size must be at least 3 for 9 samples, got 2: one would stand alone"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"device": "abacus"}, "device must be a device of this machine, such as 'cpu'; got 'abacus'"),
    ],
)
def test_train_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.train(**({"network": perceptron(), "data": FLAT, "weight_decay": UFM, "steps": 2} | arguments))


def test_small_batches_of_an_odd_set():
    assert networks.train(perceptron(), ODD, weight_decay=UFM, steps=3, batch_size=3).ended == "steps"
