"""Feature maps, with a head on them: a multilayer perceptron, and the residual network ResNet-20."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import pad

from dufm_lib._arguments import flag, one_of, positive_int, room, seed_int, sequence
from dufm_lib.data import Data
from dufm_lib.networks.classifier import Classifier, require_data
from dufm_lib.problem import ACTIVATIONS


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
    require_data(data)
    if data.inputs.ndim != 2:
        raise ValueError(f"data must have flat inputs (N, p) for an mlp, got {tuple(data.inputs.shape)}")
    one_of("feature_activation", feature_activation, ACTIVATIONS)
    sizes = [positive_int("hidden", size) for size in sequence("hidden", hidden, "sizes, such as (128, 128)")]
    sizes = [data.inputs.shape[1], *sizes, positive_int("width", width)]
    room("hidden, or width,", sum(before * after for before, after in pairwise(sizes)))
    seed, batch_norm = seed_int("seed", seed), flag("batch_norm", batch_norm)

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


def resnet20(
    data: Data,
    width: int = 64,
    depth: int = 3,
    activation: str = "linear",
    feature_activation: str = "relu",
    channels: int = 16,
    init_scale: float = 1.0,
    seed: int = 0,
) -> Classifier:
    """A `Classifier` for images whose feature map is ResNet-20 in the style made for CIFAR.

        3 x 3 convolution;  three stages of three residual blocks, of c, 2c and 4c channels, the image halved between;
        h(x) = mean over the pixels of the last 4c channels

    Nineteen convolutions, each followed by batch normalisation; shortcuts have no parameters. Where the original has
    its only fully connected layer, the twentieth, there is the head. The images may have any size and any number of
    colours.

    Args:
        data: with images (N, colours, height, width); gives the colours and K.
        width: d, the size of the features and of the hidden layers of the head.
        depth: L, the number of layers in the head.
        activation: between the layers of the head, "linear" or "relu".
        feature_activation: "relu": the features are the channel means themselves, not negative, so that width must be
            4 channels, as in the original. "linear": one linear layer more makes `width` features of either sign.
        channels: c; 16 in the original, fewer for a smaller and faster network.
        init_scale: of the head, see `Classifier`. Convolutions start normal, of variance 2 / inputs.
        seed: integer >= 0; fixes every initial parameter, and leaves torch's global generator as it was.

    Raises:
        ValueError: a bad argument, by name; data that are not images.

    Source: He, Zhang, Ren & Sun (2016), Deep residual learning for image recognition, section 4.2.

    >>> from dufm_lib.data import digits
    >>> network = resnet20(digits(per_class=2, flat=False))
    >>> sum(parameter.numel() for parameter in network.features.parameters())
    268784
    """
    require_data(data)
    if data.inputs.ndim != 4:
        raise ValueError(
            f"data must have images (N, colours, height, width) for a resnet20, got {tuple(data.inputs.shape)}"
        )
    one_of("feature_activation", feature_activation, ACTIVATIONS)
    c, d = positive_int("channels", channels, largest=1000), positive_int("width", width)
    if feature_activation == "relu" and d != 4 * c:
        raise ValueError(
            f"width must be 4 channels = {4 * c} for feature_activation 'relu', got {d}; 'linear' takes any width"
        )
    seed = seed_int("seed", seed)
    room("width", 4 * c * d)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = [*_convolution(data.inputs.shape[1], c), nn.ReLU(inplace=True)]
        before = c
        for stage in (c, 2 * c, 4 * c):
            for _ in range(3):
                layers.append(Residual(before, stage))
                before = stage
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        if feature_activation == "linear":
            layers.append(nn.Linear(before, d))
        return Classifier(nn.Sequential(*layers), data.classes, depth, d, activation, init_scale)


class Residual(nn.Module):
    """A residual block: s(x + two convolutions of x), s = ReLU; where the channels double the image is halved.

    There the shortcut takes every second pixel and fills the new channels with zeros.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.stride = 2 if after > before else 1
        self.change = nn.Sequential(
            *_convolution(before, after, self.stride), nn.ReLU(inplace=True), *_convolution(after, after)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, before, height, width) -> (N, after, height / stride, width / stride)."""
        shortcut = x[:, :, :: self.stride, :: self.stride]
        added = self.after - self.before
        half = added // 2
        return (pad(shortcut, (0, 0, 0, 0, half, added - half)) + self.change(x)).relu_()

    def extra_repr(self) -> str:
        """What tells one block from another; the stride of the shortcut shows in no parameter."""
        return f"{self.before}, {self.after}, stride={self.stride}"


def _convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    """A 3 x 3 convolution and the normalisation after it."""
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight)
    return [convolution, nn.BatchNorm2d(after)]
