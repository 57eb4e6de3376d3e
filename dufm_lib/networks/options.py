"""The options of `python -m dufm_lib.networks`, their defaults, and what is refused before anything is fetched."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from dufm_lib._arguments import compute_device
from dufm_lib.networks.penalties import REGULARIZATIONS, split_decays
from dufm_lib.problem import ACTIVATIONS

SETS = ("digits", "mnist", "cifar10")
NETWORKS = ("resnet20", "mlp")
NOT_SETTING = ("out", "cache", "threads")  # they do not decide the result


def parser(description: str) -> argparse.ArgumentParser:
    """The options, with the paper's values as defaults; None where the default depends on other options."""
    made = argparse.ArgumentParser("python -m dufm_lib.networks", description=description)

    def option(name: str, help: str, default: object = None, **more: object) -> None:
        shown = "" if default is None else " (default %(default)s)"
        made.add_argument(name, help=help + shown, default=default, **more)

    made.add_argument("data", choices=SETS, help="digits are bundled, the others fetched once")
    made.add_argument("--out", type=Path, required=True, help="the result, a .json file of some hundred kilobytes")
    option("--network", "the feature map: a residual network or a perceptron", "resnet20", choices=NETWORKS)
    option("--head", "between the layers of the head", "linear", choices=ACTIVATIONS)
    option("--depth", "L, layers of the head", 3, type=int)
    option("--width", "d, size of the features and of the layers of the head", 64, type=int)
    option("--channels", "of the first stage of resnet20 (default 16)", type=int)
    features = "relu (resnet20: channel means, d = 4 channels) or either sign (default: relu for resnet20, else linear)"
    option("--features", features, choices=ACTIVATIONS)
    option("--init-scale", "of the head", 1.0, type=float)
    option("--regularization", "of features and head, or of every parameter", "ufm", choices=REGULARIZATIONS)
    decay = "ufm: lambda_H lambda_W (default 1e-6 5e-3); standard: lambda (default 1e-2)"
    option("--weight-decay", decay, type=float, nargs="+")
    option("--learning-rate", "of gradient descent (default 0.05; 0.001 with standard regularization)", type=float)
    option("--momentum", "of gradient descent", 0.0, type=float)
    option("--steps", "limit on steps; more of them go on from the end", 5000, type=int)
    option("--per-class", "training images a class (default 5000; digits: 174)", type=int)
    batch = "images a step (default 10000; digits: all). resnet20 takes about 2 MB an image, 20 GB for 10000"
    option("--batch-size", batch, type=int)
    option("--record-every", "steps between records and checkpoints", 50, type=int)
    option("--seed", "of the network and of the order of the images", 0, type=int)
    option("--device", "where to compute, such as cuda", "cpu")
    option("--threads", "on the CPU", torch.get_num_threads(), type=int)
    option("--cache", "folder of the fetched files (default: the user's cache)", type=Path)
    return made


def setting_of(options: argparse.Namespace) -> dict[str, object]:
    """All that decides the result, with the defaults that depend on other options filled in.

    Raises:
        ValueError: penalties of the wrong number, or channels of a perceptron.
    """
    ufm, bundled, residual = options.regularization == "ufm", options.data == "digits", options.network == "resnet20"
    if options.channels is not None and not residual:
        raise ValueError(f"channels belong to --network resnet20, got {options.channels} for {options.network}")
    depends = {
        "weight_decay": [1e-6, 5e-3] if ufm else [1e-2],
        "learning_rate": 0.05 if ufm else 0.001,
        "batch_size": None if bundled else 10_000,
        "per_class": 174 if bundled else 5000,
        "channels": 16 if residual else None,
        "features": "relu" if residual else "linear",
    }
    given = {name: value for name, value in vars(options).items() if name not in NOT_SETTING}
    setting = given | {name: value for name, value in depends.items() if given[name] is None}
    if len(setting["weight_decay"]) == 1:
        setting["weight_decay"] = setting["weight_decay"][0]
    split_decays(setting["regularization"], setting["weight_decay"])
    return setting


def check_places(out: Path, device: str) -> None:
    """Raise a ValueError if the result cannot be written to `out`, or `device` is not there."""
    if out.suffix != ".json" or out.is_dir():
        raise ValueError(f"out must name a .json file, got {out}")
    if found := [each for each in out.absolute().parents if each.exists() and not each.is_dir()]:
        raise ValueError(f"out must be in a folder, got {out}; {found[0]} is a file")
    try:
        compute_device("device", device)
    except ValueError as error:
        if device.startswith("cuda") and not torch.backends.cuda.is_built():
            hint = "this PyTorch is the CPU build, and `make book TORCH_BACKEND=auto` takes the one for the GPU"
            raise ValueError(f"{error}: {hint}") from error
        raise
