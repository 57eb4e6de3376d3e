"""Data and networks so small that a test can train them, for the tests of networks."""

import torch

from dufm_lib import data, networks
from dufm_lib.data import Data

IMAGES = data.digits(per_class=4, classes=(0, 1, 2), flat=False)
FLAT = data.digits(per_class=6, classes=(0, 1, 2, 3))
ODD = Data(
    FLAT.inputs[[0, 1, 2, 6, 7, 12, 13, 18, 19]],
    torch.tensor([0, 0, 0, 1, 1, 2, 2, 3, 3]),
    FLAT.test_inputs,
    FLAT.test_labels,
)
UFM = (1e-3, 5e-3)


def small(**arguments):
    return networks.resnet20(IMAGES, **({"channels": 2, "width": 8, "depth": 2} | arguments))


def perceptron(**arguments):
    return networks.mlp(FLAT, **({"hidden": (12,), "width": 6, "depth": 2} | arguments))


def state(network):
    return torch.cat([tensor.detach().double().flatten() for tensor in network.state_dict().values()])
