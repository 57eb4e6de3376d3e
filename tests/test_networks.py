"""Networks: head and objective against the model, training against autograd, records, stopping, what is refused."""

import copy
import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from dufm_lib import Problem, data, metrics, model, networks, structures, theory
from dufm_lib.data import Data
from dufm_lib.networks import Classifier
from dufm_lib.networks.results import result_of

DIGITS = data.digits(per_class=6, classes=(0, 1, 2, 3))
UFM = (1e-3, 5e-3)


def small(depth=2, **arguments):
    return networks.mlp(DIGITS, **({"hidden": (12,), "width": 6, "depth": depth, "batch_norm": False} | arguments))


def imbalanced():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(9, 5, generator=generator)
    return Data(inputs, torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 2]), inputs[:0], torch.zeros(0, dtype=torch.int64))


def state(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("depth", [1, 3])
def test_head_is_the_model_with_the_features_as_h1(depth, activation):
    network = small(depth, activation=activation).double()
    problem = Problem(4, 6, depth, 6, UFM, activation=activation)
    signals = network.layers(DIGITS.inputs.double())
    params = [signals[0].mT, *network.weights]
    expected = [*model.activations(problem, params)]
    assert len(signals) == len(expected) == depth + 1
    for ours, theirs in zip(signals, expected, strict=True):
        torch.testing.assert_close(ours.mT, theirs, rtol=1e-12, atol=1e-12)  # float64 rounding of sums of 6 terms
    assert torch.equal(network(DIGITS.inputs.double()), signals[-1])
    loss = cross_entropy(signals[-1], DIGITS.labels) + networks.penalty(network, signals[0], "ufm", UFM)
    torch.testing.assert_close(loss, model.objective(problem, params), rtol=1e-12, atol=0)


def test_features_are_of_either_sign_or_rectified():
    inputs = DIGITS.inputs
    assert (small().features(inputs) < 0).any()
    assert (small(feature_activation="relu").features(inputs) >= 0).all()
    assert (small(hidden=()).features(inputs) < 0).any()
    normalized = networks.mlp(DIGITS, hidden=(), width=6, feature_activation="relu").features
    before = normalized[:-1](inputs).double()
    torch.testing.assert_close(before.mean(0), torch.zeros(6).double(), rtol=0, atol=1e-5)  # float32 sums
    torch.testing.assert_close(before.std(0, correction=0), torch.ones(6).double(), rtol=0, atol=1e-3)  # its eps


def test_seed_fixes_every_parameter_and_leaves_the_global_generator():
    before = torch.random.get_rng_state()
    networks_ = [small(seed=seed) for seed in (3, 3, 4)]
    assert torch.equal(torch.random.get_rng_state(), before)
    first, second, other = (state(network) for network in networks_)
    assert torch.equal(first, second)
    assert (first != other).all()


def test_head_starts_with_the_deviation_of_the_model():
    network = networks.mlp(DIGITS, hidden=(), width=200, depth=2, init_scale=0.5)
    deviation = float(network.weights[0].detach().std()) * math.sqrt(200)
    assert deviation == pytest.approx(0.5, rel=0.02)  # 40 000 entries: standard error 0.35 %
    assert not any(weight.any() for weight in small(init_scale=0.0).weights)


def test_penalty_is_the_sum_of_squares():
    network, features = small(), torch.randn(24, 6, generator=torch.Generator().manual_seed(1))
    weights = sum(float(entry) ** 2 for weight in network.weights for row in weight.detach() for entry in row)
    everything = sum(float(entry) ** 2 for entry in state(network))
    norm = sum(float(entry) ** 2 for row in features for entry in row)
    cases = [
        ("ufm", (0.2, 0.03), 0.1 * norm + 0.015 * weights),
        ("ufm", 0.2, 0.1 * (norm + weights)),
        ("standard", 0.2, 0.1 * everything),
    ]
    for regularization, decay, expected in cases:
        value = float(networks.penalty(network, features, regularization, decay).detach())
        assert value == pytest.approx(expected, rel=1e-5)  # float32 sums of some thousand squares


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("regularization, decay", [("ufm", UFM), ("ufm", 0.01), ("standard", 0.01)])
def test_training_is_momentum_descent_on_the_objective(regularization, decay, batch_norm):
    network = small(batch_norm=batch_norm).double()
    trained = networks.train(network, DIGITS, regularization, decay, learning_rate=0.05, momentum=0.8, steps=3)
    reference = copy.deepcopy(network)
    inputs, objective = DIGITS.inputs.double(), None
    velocity = [torch.zeros_like(parameter) for parameter in reference.parameters()]
    for step in range(4):
        signals = reference.layers(inputs)
        objective = cross_entropy(signals[-1], DIGITS.labels)
        objective = objective + networks.penalty(reference, signals[0], regularization, decay)
        if step == 3:
            break
        slopes = torch.autograd.grad(objective, list(reference.parameters()))
        with torch.no_grad():
            for parameter, speed, slope in zip(reference.parameters(), velocity, slopes, strict=True):
                speed.mul_(0.8).add_(slope)
                parameter.sub_(0.05 * speed)
    # float64; three steps amplify the rounding little
    torch.testing.assert_close(state(trained.network), state(reference), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(trained.history.objective[-1], objective.detach(), rtol=1e-9, atol=0)


def test_history_is_measured_as_the_metrics_say():
    result = networks.train(small(depth=2), DIGITS, weight_decay=UFM, steps=25, record_every=10)
    history, network = result.history, result.network.double()
    assert history.steps.tolist() == [0, 10, 20, 25]
    shapes = {name: tuple(getattr(history, name).shape) for name in ("loss", "dnc1", "features", "logits")}
    assert shapes == {"loss": (4,), "dnc1": (4, 2), "features": (4, 6, 4), "logits": (4, 4, 4)}
    assert [tuple(values.shape) for values in history.weight_singular_values] == [(4, 6), (4, 4)]
    assert all(
        value.dtype == torch.float64 for name, value in vars(history).items() if name[0] != "w" and name != "steps"
    )

    with torch.no_grad():
        *received, logits = (signal.mT for signal in network.layers(DIGITS.inputs.double()))
    expected = metrics.dnc(received, network.weights, DIGITS.labels)
    close = {"rtol": 1e-9, "atol": 1e-12}  # the same float64 formulas on the same parameters
    torch.testing.assert_close(history.dnc2[-1], expected.simplex, **close)
    torch.testing.assert_close(history.dnc3[-1], expected.alignment, **close)
    torch.testing.assert_close(history.nc1[-1], metrics.nc1(received[-1], DIGITS.labels), **close)
    torch.testing.assert_close(history.nc2[-1], metrics.nc2(received[-1], DIGITS.labels), **close)
    weight = network.weights[-1]
    torch.testing.assert_close(history.nc3[-1], metrics.nc3(received[-1], DIGITS.labels, weight), **close)
    torch.testing.assert_close(history.nc4[-1], metrics.nc4(received[-1], DIGITS.labels, logits), **close)
    torch.testing.assert_close(history.logits[-1], model.class_means(result.problem, logits), **close)
    torch.testing.assert_close(history.features[-1], model.class_means(result.problem, received[0]), **close)
    torch.testing.assert_close(history.singular_values, structures.singular_values(history.logits), **close)
    torch.testing.assert_close(
        history.weight_singular_values[0][-1], structures.singular_values(network.weights[0]), **close
    )
    assert float(history.accuracy[-1]) == float((logits.argmax(0) == DIGITS.labels).double().mean())
    answers = network(DIGITS.test_inputs.double()).argmax(1)
    assert float(history.test_accuracy[-1]) == float((answers == DIGITS.test_labels).double().mean())
    params = [received[0], *network.weights]
    torch.testing.assert_close(history.objective[-1], model.objective(result.problem, params).detach(), **close)


def test_imbalanced_data_and_no_test_part():
    sets = imbalanced()
    network = networks.mlp(sets, hidden=(8,), width=4, depth=2)
    result = networks.train(network, sets, weight_decay=UFM, steps=5)
    assert result.problem == Problem(3, (4, 2, 3), 2, 4, UFM)
    assert result.history.test_accuracy.isnan().all()
    assert result.history.objective.isfinite().all()
    with pytest.raises(ValueError, match=r"dnc_bound needs as many samples of each class, got \(4, 2, 3\)"):
        _ = result.dnc_bound
    assert result_of(result, {}, {}).outcome["dnc_bound"] is None


def test_same_seed_same_result_and_the_start_is_left_alone():
    network = networks.mlp(DIGITS, hidden=(12,), width=6, seed=5)
    before = copy.deepcopy(network.state_dict())
    first, second = (networks.train(network, DIGITS, weight_decay=UFM, steps=30) for _ in range(2))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert torch.equal(state(first.network), state(second.network))
    assert torch.equal(first.history.objective, second.history.objective)
    assert not torch.equal(state(first.network), state(network))


def test_number_of_threads_changes_nothing_and_is_put_back():
    network, threads, results = networks.mlp(DIGITS), torch.get_num_threads(), []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            results.append(networks.train(network, DIGITS, weight_decay=UFM, steps=20))
            assert torch.get_num_threads() == count
            with pytest.raises(ZeroDivisionError):
                networks.train(network, DIGITS, weight_decay=UFM, report=lambda *said: 1 / 0)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*(state(result.network) for result in results))


def test_training_goes_on_from_a_result():
    first = networks.train(small(), DIGITS, weight_decay=UFM, momentum=0.0, steps=20)
    second = networks.train(first.network, DIGITS, weight_decay=UFM, momentum=0.0, steps=20)
    both = networks.train(small(), DIGITS, weight_decay=UFM, momentum=0.0, steps=40)
    assert torch.equal(state(second.network), state(both.network))


def test_report_moves_from_zero_to_one():
    told = []
    networks.train(small(), DIGITS, weight_decay=UFM, steps=300, report=lambda *said: told.append(said))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert all("objective" in text for _, text in told)


def stops(fraction, text):
    return False


def interrupts(fraction, text):
    raise KeyboardInterrupt


@pytest.mark.parametrize("report", [stops, interrupts])
def test_report_stops_the_training(report):
    network = small()
    result = networks.train(network, DIGITS, weight_decay=UFM, steps=10**6, report=report)
    assert result.ended == "interrupted"
    assert result.history.steps.tolist() == [0]
    assert torch.equal(state(result.network), state(network))


def test_report_that_stops_later_returns_what_is_there():
    told = []

    def report(fraction, text):
        told.append(fraction)
        return len(told) < 3

    result = networks.train(small(), DIGITS, "ufm", UFM, 0.01, steps=10**6, record_every=50, report=report)
    steps = result.history.steps
    assert result.ended == "interrupted"
    assert steps[-1] == round(told[-1] * 10**6) > 0
    assert (steps.diff() > 0).all()


def test_divergence_is_said_and_the_history_stays_finite():
    result = networks.train(small(), DIGITS, weight_decay=UFM, learning_rate=1e6, steps=50, record_every=1)
    assert (result.ended, result.structure, result.rank) == ("diverged", "diverged", -1)
    assert result.history.objective.isfinite().all()
    assert "diverged" in repr(result)


def test_a_network_that_answers_zero_is_called_zero():
    result = networks.train(small(init_scale=0.0), DIGITS, weight_decay=UFM, steps=5)
    assert (result.structure, result.rank) == ("zero", 0)
    assert float(result.history.loss[-1]) == pytest.approx(math.log(4), rel=1e-12)
    assert result.history.nc3.isnan().all()  # W M is zero: no direction to compare
    assert result.history.nc1.isnan()[-1]  # the second layer receives zeros
    assert result.history.dnc1[:, 0].isfinite().all()  # the first does not


@pytest.mark.parametrize("seed", [0, 1])
def test_ufm_regularization_ends_in_the_pairing_structure(seed):
    digits = data.digits(per_class=30)
    network = networks.mlp(digits, seed=seed)
    decay = (2.8e-5 * 174 / 30, 5e-3)
    result = networks.train(network, digits, weight_decay=decay, steps=800)
    assert (result.structure, result.rank) == ("pairing", 5)
    assert structures.is_diagonally_superior(result.logits)
    scale, pairing = theory.optimal_scale(result.problem, structures.pairing(10))
    _, dnc = theory.optimal_scale(result.problem, structures.simplex_etf(10))
    objective = float(result.history.objective[-1])
    # 800 steps leave a little to go: ten seeds were at most 0.36 % (objective) and 0.30 % (singular values) away
    assert pairing < objective < 1.01 * pairing < dnc
    five, rest = result.history.singular_values[-1].split(5)
    torch.testing.assert_close(five, torch.full((5,), 2 * scale).double(), rtol=0.01, atol=0)
    assert (rest < 1e-3 * five[-1]).all()
    # Lemma 1: each layer has the same five singular values, and so have the features after their own penalty
    for values in result.history.weight_singular_values:
        torch.testing.assert_close(values[-1, :5], result.history.weight_singular_values[0][-1, :5], rtol=1e-3, atol=0)


def test_standard_weight_decay_collapses_a_plain_network():
    digits = data.digits(per_class=30, classes=(0, 1, 2, 3))
    network = networks.mlp(digits, hidden=(64, 64), depth=1, feature_activation="relu")
    history = networks.train(network, digits, "standard", 2e-3, momentum=0.9, steps=400).history
    assert float(history.accuracy[-1]) == 1
    assert float(history.nc4[-1]) == 0 < float(history.nc4[0])
    for name in ("nc1", "nc2", "nc3"):  # five seeds: at most 0.28 of the start, nc1 and nc3 far less
        values = getattr(history, name)
        assert values[-1] < values[0] / 2, name


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"regularization": "ridge"}, "regularization must be one of ufm, standard; got 'ridge'"),
        ({"regularization": "standard"}, "weight_decay must be one number for regularization 'standard'"),
        ({"weight_decay": (1e-3, 1e-3, 1e-3)}, "weight_decay must be one number or"),
        ({"weight_decay": -1e-3}, "weight_decay must be finite and not negative"),
        ({"weight_decay": (1e-3, math.nan)}, "weight_decay must be finite and not negative"),
        ({"weight_decay": "small"}, "weight_decay must be a number"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"learning_rate": -1}, "learning_rate must be finite and not negative"),
        ({"learning_rate": math.inf}, "learning_rate must be finite"),
        ({"momentum": 1.0}, "momentum must be in"),
        ({"momentum": -0.1}, "momentum must be finite and not negative"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 1e3}, "steps must be an integer"),
        ({"record_every": 0}, "record_every must be at least 1"),
        ({"data": "digits"}, "data must be a dufm_lib.data.Data, got 'digits'"),
        ({"data": imbalanced()}, "data must have 4 classes, as many as the network has outputs; got 3"),
        ({"network": torch.nn.Linear(64, 4)}, "network must be a dufm_lib.networks.Classifier, got Linear"),
        ({"network": Classifier(torch.nn.Linear(5, 6), 4, 2, 6)}, "do not fit the feature map of network"),
        ({"network": Classifier(torch.nn.Linear(64, 5), 4, 2, 6)}, "network must have features of shape"),
        ({"network": small(init_scale=1e30, depth=12)}, "network must start with a finite objective"),
    ],
)
def test_train_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.train(**({"network": small(), "data": DIGITS} | arguments))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"data": DIGITS.inputs}, "data must be a dufm_lib.data.Data, got Tensor"),
        ({"hidden": (12, 0)}, "hidden must be at least 1"),
        ({"hidden": 12}, "hidden must be a list of sizes"),
        ({"width": 0}, "width must be at least 1"),
        ({"depth": 0}, "depth must be at least 1"),
        ({"depth": 2.0}, "depth must be an integer"),
        ({"activation": "tanh"}, "activation must be one of linear, relu; got 'tanh'"),
        ({"feature_activation": "tanh"}, "feature_activation must be one of linear, relu"),
        ({"init_scale": -1}, "init_scale must be finite and not negative"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_mlp_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.mlp(**({"data": DIGITS} | arguments))


def test_images_need_another_feature_map():
    labels = torch.tensor([0, 1])
    images = Data(torch.zeros(2, 1, 4, 4), labels, torch.zeros(0, 1, 4, 4), labels[:0])
    with pytest.raises(ValueError, match="data must have flat inputs"):
        networks.mlp(images)
    network = Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3)), 2, 2, 3)
    assert networks.train(network, images, weight_decay=UFM, steps=2).ended == "steps"


def test_problem_needs_the_ufm_penalties():
    result = networks.train(small(), DIGITS, "standard", 1e-3, steps=1)
    with pytest.raises(ValueError, match="problem needs regularization 'ufm', got 'standard'"):
        _ = result.problem
    narrow = networks.train(small(width=3), DIGITS, "ufm", UFM, steps=1)
    with pytest.raises(ValueError, match="width must be at least 4"):
        _ = narrow.problem
