"""What is recorded of a network in training: single measurements in float64, and the history of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import cross_entropy

from dufm_lib import metrics
from dufm_lib.data import Data
from dufm_lib.structures import singular_values

if TYPE_CHECKING:
    from dufm_lib.networks.classifier import Classifier

# In a low-rank solution the class means of a trained network still spread a little in the dead directions, and the
# noise there is no smaller: DNC1 looks only where the means spread by this share of their largest singular value.
ALIVE = 0.05

Record = dict[str, torch.Tensor | list[torch.Tensor]]  # one step, by the names of History


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """What was recorded on the way: T recorded steps, the first is 0. Float64 but for the steps.

    The metrics are those of `dufm_lib.metrics` on the training set; NaN where they are not defined (all class
    means coincide, as in a network that has died).
    """

    steps: torch.Tensor  # (T,) int64
    loss: torch.Tensor  # (T,) cross-entropy, mean over the training samples
    objective: torch.Tensor  # (T,) loss + penalty
    accuracy: torch.Tensor  # (T,) share of the training samples
    test_accuracy: torch.Tensor  # (T,) share of the test samples; NaN when there are none
    nc1: torch.Tensor  # (T,) of the last layer, as nc2, nc3 and nc4
    nc2: torch.Tensor  # (T,)
    nc3: torch.Tensor  # (T,)
    nc4: torch.Tensor  # (T,)
    dnc1: torch.Tensor  # (T, L) variability of what W_l receives, as nc1 but in the surviving directions only
    dnc2: torch.Tensor  # (T, L) distance of its class means from a simplex ETF
    dnc3: torch.Tensor  # (T, L) share of W_l outside the span of these means
    features: torch.Tensor  # (T, d, K) class means of the features h(x)
    logits: torch.Tensor  # (T, K, K) class means of the logits, column k for class k
    singular_values: torch.Tensor  # (T, K) of the class-mean logits, descending
    weight_singular_values: tuple[torch.Tensor, ...]  # L tensors (T, d), ..., (T, d), (T, min(K, d))

    @property
    def spectra(self) -> dict[str, torch.Tensor]:
        """Singular values of each layer of the head and of the class-mean logits: {"$W_1$": (T, d), ...}."""
        layers = enumerate(self.weight_singular_values, start=1)
        return {f"$W_{layer}$": values for layer, values in layers} | {"mean logits": self.singular_values}

    @classmethod
    def of(cls, recorded: Mapping[int, Record]) -> History:
        """Stack the records {step: record}."""
        rows = list(recorded.values())
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        layers = zip(*columns.pop("weight_singular_values"), strict=True)
        return cls(
            steps=torch.tensor(list(recorded)),
            **{name: torch.stack(column) for name, column in columns.items()},
            weight_singular_values=tuple(torch.stack(column) for column in layers),
        )


def measure(
    network: Classifier,
    data: Data,
    penalty: Callable[[Classifier, torch.Tensor], torch.Tensor],
    batch_size: int | None = None,
) -> Record | None:
    """One row of the history; None when the objective is not finite.

    Batch normalisation uses the statistics of the whole training set (`settle`), for the test samples too. Without a
    `batch_size` everything is computed in float64 on the CPU; with one, the features where the network is and in its
    precision, a batch at a time, the head and the rest in float64 on the CPU.
    """
    features, test_features = _features(network, data, batch_size)
    network = copy.deepcopy(network).cpu().double()
    labels, weights = data.labels, network.weights
    with torch.no_grad():
        answers = network.through_head(test_features)[-1].argmax(1)
        signals = network.through_head(features)
        loss = cross_entropy(signals[-1], labels)
        objective = loss + penalty(network, signals[0])
    if not objective.isfinite():
        return None
    *received, logits = [signal.mT for signal in signals]
    last = received[-1]
    collapse = [
        _or_nan(lambda a=a, w=w: torch.cat(metrics.dnc([a], [w], labels)), 3)
        for a, w in zip(received, weights, strict=True)
    ]
    _, dnc2, dnc3 = torch.stack(collapse, -1)
    means = _class_means(logits, labels)
    return {
        "loss": loss,
        "objective": objective,
        "accuracy": (logits.argmax(0) == labels).double().mean(),
        "test_accuracy": (answers == data.test_labels).double().mean(),
        "nc1": _or_nan(lambda: metrics.nc1(last, labels)),
        "nc2": _or_nan(lambda: metrics.nc2(last, labels)),
        "nc3": _or_nan(lambda: metrics.nc3(last, labels, weights[-1])),
        "nc4": _or_nan(lambda: metrics.nc4(last, labels, logits)),
        "dnc1": torch.stack([_or_nan(lambda a=a: metrics.nc1(a, labels, rtol=ALIVE)) for a in received]),
        "dnc2": dnc2,
        "dnc3": dnc3,
        "features": _class_means(received[0], labels),
        "logits": means,
        "singular_values": singular_values(means),
        "weight_singular_values": [singular_values(weight) for weight in weights],
    }


@torch.no_grad()
def settle(features: torch.nn.Module, inputs: torch.Tensor, batch_size: int | None = None) -> torch.Tensor:
    """Give batch normalisation the statistics of the whole set, and go to evaluation mode.

    The running averages that training leaves behind lag: they mix the networks of the last ten to twenty steps, and a
    network whose convolutions the weight decay shrinks is judged far below its worth by them.

    Args:
        features: the feature map, whose buffers are overwritten.
        inputs: (N, ...) ordered by class, in its precision and on its device.
        batch_size: the most at a time; what is kept is then the mean over batches in which the classes are mixed.

    Returns:
        (N, d) features, as training sees them: each batch with its own statistics.
    """
    layers = [layer for layer in features.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # PyTorch's word for the plain mean of all batches
    features.train()
    count = 1 if batch_size is None else math.ceil(len(inputs) / batch_size)
    parts = [features(inputs[first::count]) for first in range(count)]
    seen = parts[0].new_empty(len(inputs), *parts[0].shape[1:])
    for first, part in enumerate(parts):
        seen[first::count] = part
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    features.eval()
    return seen


def _features(network: Classifier, data: Data, batch_size: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of the training and of the test samples, as rows, float64 on the CPU."""
    features, like = copy.deepcopy(network.features), network.weights[-1]
    if batch_size is None:
        features, like = features.cpu().double(), like.cpu().double()
    seen = settle(features, data.inputs.to(like), batch_size)

    def judged(inputs: torch.Tensor) -> torch.Tensor:
        """In evaluation mode."""
        parts = inputs.split(batch_size or max(len(inputs), 1))
        with torch.no_grad():
            return torch.cat([features(part.to(like)).cpu().double() for part in parts])

    return seen if batch_size is None else judged(data.inputs), judged(data.test_inputs)


def _or_nan(metric: Callable[[], torch.Tensor], *shape: int) -> torch.Tensor:
    """The metric, or NaN where it is not defined for the features at hand."""
    try:
        return metric()
    except ValueError:
        return torch.full(shape, math.nan, dtype=torch.float64)


def _class_means(signal: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Average the columns of each class, ordered by class: (m, N) -> (m, K)."""
    parts = signal.split(torch.bincount(labels).tolist(), dim=-1)
    return torch.stack([part.mean(-1) for part in parts], dim=-1)
