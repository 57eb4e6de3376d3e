"""A network: a feature map with a fully connected head, which is the deep unconstrained features model."""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

from dufm_lib._arguments import nonnegative_float, one_of, positive_int, room, shown
from dufm_lib.data import Data
from dufm_lib.problem import ACTIVATIONS


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
        if not isinstance(features, nn.Module):
            raise ValueError(f"features must be a torch.nn.Module, got {shown(features)}")
        room("width, depth or classes", d * ((L - 1) * d + K))
        deviation = nonnegative_float("init_scale", init_scale) / math.sqrt(d)
        self.features = features
        self.activation = one_of("activation", activation, ACTIVATIONS)
        self.head = nn.ModuleList([nn.Linear(d, d if l < L else K, bias=False) for l in range(1, L + 1)])
        for weight in self.weights:
            nn.init.normal_(weight, std=deviation)

    @property
    def weights(self) -> list[nn.Parameter]:
        """[W_1, ..., W_L], of shapes (d, d), ..., (d, d), (K, d)."""
        return [layer.weight for layer in self.head]

    def layers(self, inputs: torch.Tensor) -> list[torch.Tensor]:
        """What each layer of the head receives, and the logits: [A_0 = h(x), ..., A_{L-1}, Z], samples as rows."""
        return self.through_head(self.features(inputs))

    def through_head(self, features: torch.Tensor) -> list[torch.Tensor]:
        """The same from the features h(x), (N, d)."""
        signals = [features]
        for number, layer in enumerate(self.head, start=1):
            signal = layer(signals[-1])
            signals.append(signal.relu() if self.activation == "relu" and number < len(self.head) else signal)
        return signals

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits, samples as rows: (N, K)."""
        return self.layers(inputs)[-1]


def fitting_copy(network: Classifier, data: Data) -> Classifier:
    """A copy of `network`, if it takes the samples of `data` and has one output a class; else a ValueError."""
    require_data(data)
    if not isinstance(network, Classifier):
        raise ValueError(f"network must be a dufm_lib.networks.Classifier, got {shown(network)}")
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


def require_data(data: object) -> None:
    """Raise a ValueError if `data` is something else than Data."""
    if not isinstance(data, Data):
        raise ValueError(f"data must be a dufm_lib.data.Data, got {shown(data)}")
