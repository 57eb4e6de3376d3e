"""Real networks: a feature map, a fully connected head of L layers, their training and its results.

The MNIST and CIFAR-10 experiments are one command each: `python -m dufm_lib.networks --help`.
"""

from dufm_lib.networks.classifier import Classifier
from dufm_lib.networks.feature_maps import mlp, resnet20
from dufm_lib.networks.penalties import REGULARIZATIONS, penalty
from dufm_lib.networks.recording import History
from dufm_lib.networks.results import Result
from dufm_lib.networks.training import Training, train

__all__ = ["REGULARIZATIONS", "Classifier", "History", "Result", "Training", "mlp", "penalty", "resnet20", "train"]
