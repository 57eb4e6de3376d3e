"""Real networks: a feature map, a fully connected head of L layers, and their training.

Training runs in the precision of the network (float32); what is recorded is evaluated in float64.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dufm_lib import metrics
from dufm_lib._batch import REPORT_EVERY, Report
from dufm_lib._recording import History, Record, measure
from dufm_lib.data import Data
from dufm_lib.problem import ACTIVATIONS, Problem, nonnegative_float, positive_int
from dufm_lib.structures import rank

REGULARIZATIONS = ("ufm", "standard")


class Classifier(nn.Module):
    """A feature map with a fully connected head of L layers without biases.

        Z = W_L s(W_{L-1} s( ... s(W_1 h(x))))

    The head is the deep unconstrained features model, with the features h(x) of the samples for H_1.

    Args:
        features: the feature map h, any module from a batch of inputs to (N, d).
        classes: K.
        depth: L >= 1.
        width: d, the size of the features and of the hidden layers of the head.
        activation: s, between the layers of the head only. "linear" (the identity) or "relu".
        init_scale: entries of W_1, ..., W_L are normal with standard deviation init_scale / sqrt(d), as in
            `model.random_point`.

    Raises:
        ValueError: a bad argument, by name.
    """

    def __init__(
        self,
        features: nn.Module,
        classes: int,
        depth: int,
        width: int,
        activation: str = "linear",
        init_scale: float = 1.0,
    ) -> None:
        super().__init__()
        K, L, d = (
            positive_int("classes", classes, smallest=2),
            positive_int("depth", depth),
            positive_int("width", width),
        )
        deviation = nonnegative_float("init_scale", init_scale) / math.sqrt(d)
        self.features = features
        self.activation = _one_of("activation", activation, ACTIVATIONS)
        self.head = nn.ModuleList([nn.Linear(d, d if l < L else K, bias=False) for l in range(1, L + 1)])
        for weight in self.weights:
            nn.init.normal_(weight, std=deviation)

    @property
    def weights(self) -> list[nn.Parameter]:
        """[W_1, ..., W_L], of shapes (d, d), ..., (d, d), (K, d)."""
        return [layer.weight for layer in self.head]

    def layers(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """What each layer of the head receives, and the logits: [A_0 = h(x), ..., A_{L-1}, Z], samples as rows."""
        signals = [self.features(inputs)]
        for number, layer in enumerate(self.head, start=1):
            signal = layer(signals[-1])
            signals.append(signal.relu() if self.activation == "relu" and number < len(self.head) else signal)
        return signals

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits, samples as rows: (N, K)."""
        return self.layers(inputs)[-1]


def mlp(
    data: Data,
    hidden: Sequence[int] = (128, 128),
    width: int = 64,
    depth: int = 3,
    activation: str = "linear",
    feature_activation: str = "linear",
    batch_norm: bool = True,
    init_scale: float = 1.0,
    seed: int = 0,
) -> Classifier:
    """A `Classifier` for `data` whose feature map is a multilayer perceptron with ReLU and biases.

    Args:
        data: with flat inputs (N, p); gives p and K.
        hidden: sizes of the hidden layers of the feature map; () for a map without any.
        width: d, the size of the features and of the hidden layers of the head.
        depth: L, the number of layers in the head; 1 is an ordinary last layer (without bias).
        activation: between the layers of the head, "linear" or "relu".
        feature_activation: at the end of the feature map. "linear" lets the features take either sign, as H_1
            does; "relu" is the custom of ordinary networks.
        batch_norm: normalise over the batch (here the whole training set) in front of every ReLU of the map.
        init_scale: of the head, see `Classifier`. The feature map starts as torch starts its linear layers.
        seed: integer >= 0; fixes every initial parameter, and leaves torch's global generator as it was.

    Raises:
        ValueError: a bad argument, by name.

    >>> from dufm_lib.data import digits
    >>> network = mlp(digits(per_class=10), hidden=(32,), width=16, depth=2)
    >>> [tuple(weight.shape) for weight in network.weights]
    [(16, 16), (10, 16)]
    """
    _require_data(data)
    if data.inputs.ndim != 2:
        raise ValueError(f"data must have flat inputs (N, p) for an mlp, got {tuple(data.inputs.shape)}")
    _one_of("feature_activation", feature_activation, ACTIVATIONS)
    if not isinstance(hidden, (tuple, list)):
        raise ValueError(f"hidden must be a tuple of sizes, such as (128, 128); got {hidden!r}")
    sizes = [data.inputs.shape[1], *(positive_int("hidden", size) for size in hidden)]
    sizes.append(positive_int("width", width))
    seed = positive_int("seed", seed, smallest=0)

    def rectified(before: int, after: int) -> list[nn.Module]:
        normalize = [nn.BatchNorm1d(after)] if batch_norm else []
        return [nn.Linear(before, after, bias=not batch_norm), *normalize, nn.ReLU()]

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        *pairs, last = pairwise(sizes)
        blocks = [rectified(*pair) for pair in pairs]
        blocks.append(rectified(*last) if feature_activation == "relu" else [nn.Linear(*last)])
        features = nn.Sequential(*(step for block in blocks for step in block))
        return Classifier(features, data.classes, depth, width, activation, init_scale)


def penalty(
    network: Classifier,
    features: torch.Tensor,
    regularization: str,
    weight_decay: float | tuple[float, float],
) -> torch.Tensor:
    """What is added to the cross-entropy.

        "ufm":       lambda_H/2 ||H||_F^2 + lambda_W/2 sum_l ||W_l||_F^2     nothing on the feature map itself
        "standard":  lambda/2 ||theta||^2                                    every parameter, biases too

    Args:
        network: the classifier.
        features: (N, d), the features H of the whole training set.
        regularization: "ufm" or "standard".
        weight_decay: lambda; for "ufm" the pair (lambda_H, lambda_W), or one number for both.

    Raises:
        ValueError: a bad argument, by name.

    Source: Garrod & Keating (2025), section 5.
    """
    decay_features, decay_weights = _decays(regularization, weight_decay)
    if regularization == "ufm":
        squares = sum(weight.square().sum() for weight in network.weights)
        return (decay_features * features.square().sum() + decay_weights * squares) / 2
    return decay_weights / 2 * sum(parameter.square().sum() for parameter in network.parameters())


@dataclass(frozen=True, eq=False)
class Training:
    """A trained network and what was recorded on the way."""

    network: Classifier
    data: Data
    regularization: str
    weight_decay: float | tuple[float, float]
    ended: str  # "steps" (the limit), "interrupted", "diverged"
    history: History

    @property
    def problem(self) -> Problem:
        """The deep unconstrained features model of the head: what no point of it reaches, no network does.

        The network is a point of that model, with the same objective: its features are H_1, its head W_1, ..., W_L.

        Raises:
            ValueError: the regularization is not "ufm", or the width is below the number of classes.
        """
        if self.regularization != "ufm":
            raise ValueError(f"problem needs regularization 'ufm', got {self.regularization!r}")
        K, d = self.network.weights[-1].shape
        L, activation = len(self.network.weights), self.network.activation
        return Problem(K, self.data.samples, L, d, self.weight_decay, activation=activation)

    @property
    def logits(self) -> torch.Tensor:
        """(K, K) class means at the last recorded step."""
        return self.history.logits[-1]

    @property
    def rank(self) -> int:
        """Rank of the logits; -1 when training diverged."""
        return -1 if self.ended == "diverged" else int(rank(self.logits))

    @property
    def structure(self) -> str:
        """Name of the structure of the logits, as `metrics.structure_labels` says, or "diverged"."""
        return "diverged" if self.ended == "diverged" else metrics.structure_labels(self.logits)[0]

    def __repr__(self) -> str:
        objective, step = float(self.history.objective[-1]), int(self.history.steps[-1])
        return f"Training({step} steps, {self.structure}, rank {self.rank}, objective {objective:.6f})"


def train(
    network: Classifier,
    data: Data,
    regularization: str = "ufm",
    weight_decay: float | tuple[float, float] = (2.8e-5, 5e-3),
    learning_rate: float = 0.1,
    momentum: float = 0.95,
    steps: int = 1000,
    *,
    record_every: int = 100,
    report: Report | None = None,
) -> Training:
    """Train a copy of `network` by full-batch gradient descent with momentum.

        objective = cross-entropy (mean over samples) + `penalty`
        v <- momentum v + gradient of the objective,   theta <- theta - learning_rate v

    One thread computes, however many torch may use: the result does not depend on the number of cores, and at
    these sizes threads that wait for each other on a busy machine cost far more than they give. The same network
    and arguments give the same result on the same machine.

    Args:
        network: the start; it is left as it is. Training goes on from a result with `result.network`.
        data: the training set, and the test part whose accuracy is recorded.
        regularization: "ufm" or "standard", see `penalty`.
        weight_decay: for "ufm" (lambda_H, lambda_W), or one number for both; for "standard" one number. The
            penalty of the features sums over all N samples: lambda_H n = constant is the same reduced problem.
        learning_rate: > 0.
        momentum: in [0, 1).
        steps: the limit on steps, >= 1; a step is an epoch.
        record_every: how often, in steps, the history is written; also at the first and the last step.
        report: called with (fraction done, text) up to 20 times a second; returning False ends the training.

    Returns:
        Training, its network in evaluation mode. Ctrl-C, or a report that returns False, also returns what was
        done, marked "interrupted". The history of a training that diverged ends at the last finite record.

    Raises:
        ValueError: a bad argument, by name; `data` does not fit `network`.

    Source: Garrod & Keating (2025), section 5.
    """
    decay_features, decay_weights = _decays(regularization, weight_decay)
    if nonnegative_float("learning_rate", learning_rate) == 0:
        raise ValueError("learning_rate must be positive, got 0")
    if nonnegative_float("momentum", momentum) >= 1:
        raise ValueError(f"momentum must be below 1, got {momentum}")
    steps = positive_int("steps", steps)
    record_every = positive_int("record_every", record_every)

    network = _fitting_copy(network, data).train()
    like = network.weights[-1]
    inputs, labels = data.inputs.to(like), data.labels.to(like.device)
    other = decay_weights if regularization == "standard" else 0.0
    decays = {weight: decay_weights for weight in network.weights}
    decays |= {parameter: other for parameter in network.features.parameters() if parameter.requires_grad}
    velocities = [torch.zeros_like(parameter) for parameter in decays]

    penalized = partial(penalty, regularization=regularization, weight_decay=weight_decay)
    ended, step, told = "steps", 0, -math.inf
    recorded: dict[int, Record] = {}

    def record() -> bool:
        """Keep a measurement of this step, and say whether it was finite."""
        measured = measure(network, data, penalized)
        if measured is not None:
            recorded[step] = measured
        return measured is not None

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for step in range(steps + 1):
            if (step % record_every == 0 or step == steps) and not record():
                ended = "diverged"
                break
            if report is not None and time.monotonic() - told >= REPORT_EVERY:
                if report(step / steps, _text(recorded)) is False:
                    raise KeyboardInterrupt
                told = time.monotonic()
            if step == steps:
                break
            signals = network.layers(inputs)
            objective = cross_entropy(signals[-1], labels) + decay_features / 2 * signals[0].square().sum()
            gradients = torch.autograd.grad(objective, list(decays))
            with torch.no_grad():  # torch.optim.SGD does the same, but takes three seconds to import
                for (parameter, decay), velocity, gradient in zip(decays.items(), velocities, gradients, strict=True):
                    velocity.mul_(momentum).add_(gradient.add(parameter, alpha=decay))
                    parameter.sub_(velocity, alpha=learning_rate)
    except KeyboardInterrupt:
        ended = "interrupted" if record() else "diverged"
    finally:
        torch.set_num_threads(threads)
    if not recorded:
        raise ValueError("network must start with a finite objective: choose a smaller init_scale")
    if report is not None and ended != "interrupted":
        report(1.0, _text(recorded))
    return Training(network.eval(), data, regularization, weight_decay, ended, History.of(recorded))


def _text(recorded: dict[int, Record]) -> str:
    """One line for a progress display: what was recorded last."""
    step, row = next(reversed(recorded.items()))
    return f"step {step}: objective {float(row['objective']):.6f}, accuracy {float(row['accuracy']):.3f}"


def _one_of(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}")
    return value


def _decays(regularization: str, weight_decay: float | tuple[float, float]) -> tuple[float, float]:
    """(lambda_H, lambda of the weights); lambda_H is 0 for standard regularization."""
    _one_of("regularization", regularization, REGULARIZATIONS)
    pair = isinstance(weight_decay, (tuple, list))
    if regularization == "standard":
        if pair:
            raise ValueError(f"weight_decay must be one number for regularization 'standard', got {weight_decay!r}")
        return 0.0, nonnegative_float("weight_decay", weight_decay)
    both = weight_decay if pair else (weight_decay, weight_decay)
    if len(both) != 2:
        raise ValueError(f"weight_decay must be one number or (lambda_H, lambda_W), got {weight_decay!r}")
    return tuple(nonnegative_float("weight_decay", value) for value in both)


def _require_data(data: Data) -> None:
    if not isinstance(data, Data):
        raise ValueError(f"data must be a dufm_lib.data.Data, got {type(data).__name__}")


def _fitting_copy(network: Classifier, data: Data) -> Classifier:
    """A copy of `network`, if it takes the samples of `data` and has one output a class; else a ValueError."""
    _require_data(data)
    if not isinstance(network, Classifier):
        raise ValueError(f"network must be a dufm_lib.networks.Classifier, got {type(network).__name__}")
    K, d = network.weights[-1].shape
    if data.classes != K:
        raise ValueError(f"data must have {K} classes, as many as the network has outputs; got {data.classes}")
    network = copy.deepcopy(network).eval()
    try:
        with torch.no_grad():
            shape = tuple(network.features(data.inputs[:2].to(network.weights[-1])).shape)
    except RuntimeError as error:
        shape = tuple(data.inputs.shape)
        raise ValueError(f"data of shape {shape} do not fit the feature map of network: {error}") from error
    if shape != (2, d):
        raise ValueError(f"network must have features of shape (samples, {d}), got {shape} for two samples")
    return network
