"""One experiment on images, from the command line: train ResNet-20 with a fully connected head, leave a small file.

    python -m dufm_lib.networks cifar10 --device cuda --out results/networks/cifar10-linear.json

The defaults are those of the paper's Figure 3. A run that was stopped, however it was, goes on from its checkpoint when
the same command is given again; with more --steps, from its end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from tqdm.auto import tqdm

from dufm_lib import data, theory
from dufm_lib._arguments import one_of
from dufm_lib.networks.feature_maps import resnet20
from dufm_lib.networks.penalties import REGULARIZATIONS
from dufm_lib.networks.results import result_of
from dufm_lib.networks.training import Training, train
from dufm_lib.problem import ACTIVATIONS, Problem
from dufm_lib.structures import simplex_etf

SETS: dict[str, Callable[..., data.Data]] = {
    "digits": lambda per_class, cache: data.digits(per_class, flat=False),
    "mnist": lambda per_class, cache: data.mnist(per_class, cache=cache, progress=True),
    "cifar10": lambda per_class, cache: data.cifar10(per_class, cache=cache, progress=True),
}


def parser() -> argparse.ArgumentParser:
    """The options, with the paper's values as defaults."""
    made = argparse.ArgumentParser("python -m dufm_lib.networks", description=__doc__.splitlines()[0])
    made.add_argument("data", help="digits (bundled), mnist or cifar10 (fetched once)")
    made.add_argument("--out", type=Path, required=True, help="the result, a JSON file of some hundred kilobytes")
    made.add_argument("--head", default="linear", help="between the layers of the head: linear or relu")
    made.add_argument("--depth", type=int, default=3, help="L, layers of the head (default 3)")
    made.add_argument("--width", type=int, default=64, help="d (default 64)")
    made.add_argument("--channels", type=int, default=16, help="of the first stage of ResNet-20 (default 16)")
    made.add_argument("--features", default="relu", help="relu (channel means, d = 4 channels) or linear (either sign)")
    made.add_argument("--init-scale", type=float, default=1.0, help="of the head (default 1)")
    made.add_argument("--regularization", default="ufm", help="ufm (features and head) or standard (every parameter)")
    decay = "ufm: lambda_H lambda_W (default 1e-6 5e-3); standard: lambda (default 1e-2)"
    made.add_argument("--weight-decay", type=float, nargs="+", help=decay)
    made.add_argument("--learning-rate", type=float, help="default 0.05; 0.001 with standard regularization")
    made.add_argument("--momentum", type=float, default=0.0)
    made.add_argument("--steps", type=int, default=5000)
    made.add_argument("--per-class", type=int, help="training images a class (default 5000; digits: 174)")
    made.add_argument("--batch-size", type=int, help="default: the whole set for digits, else 10000, some 20 GB")
    made.add_argument("--record-every", type=int, default=50, help="steps between records and checkpoints")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--device", default="cpu", help="such as cuda")
    made.add_argument("--threads", type=int, default=torch.get_num_threads(), help="on the CPU (default: all)")
    made.add_argument("--cache", type=Path, help="folder of the fetched files (default: the user's cache)")
    return made


def setting_of(options: argparse.Namespace) -> dict[str, object]:
    """All that decides the result, with the defaults that depend on other options filled in.

    Raises:
        ValueError: an unknown name, or penalties of the wrong number.
    """
    one_of("data", options.data, tuple(SETS))
    one_of("head", options.head, ACTIVATIONS)
    one_of("regularization", options.regularization, REGULARIZATIONS)
    ufm, bundled = options.regularization == "ufm", options.data == "digits"
    depends = {
        "weight_decay": [1e-6, 5e-3] if ufm else [1e-2],
        "learning_rate": 0.05 if ufm else 0.001,
        "batch_size": None if bundled else 10_000,
        "per_class": 174 if bundled else 5000,
    }
    given = {name: value for name, value in vars(options).items() if name not in ("out", "cache", "threads")}
    setting = given | {name: value for name, value in depends.items() if given[name] is None}
    if len(setting["weight_decay"]) == 1:
        setting["weight_decay"] = setting["weight_decay"][0]
    return setting


def run(options: argparse.Namespace) -> Training:
    """Train as the options say, with a bar, and write the result."""
    setting = setting_of(options)
    images = SETS[options.data](setting["per_class"], options.cache)
    network = resnet20(
        images,
        options.width,
        options.depth,
        options.head,
        options.features,
        options.channels,
        options.init_scale,
        options.seed,
    )
    if options.regularization == "ufm":  # penalties without a bound would be refused at the end: better now
        K, n, decay = images.classes, images.samples, setting["weight_decay"]
        theory.optimal_scale(Problem(K, n, options.depth, options.width, decay), simplex_etf(K))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with tqdm(total=options.steps, unit="step", smoothing=0) as bar:

        def report(fraction: float, text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(round(fraction * options.steps) - bar.n)

        training = train(
            network,
            images,
            options.regularization,
            setting["weight_decay"],
            setting["learning_rate"],
            options.momentum,
            options.steps,
            batch_size=setting["batch_size"],
            seed=options.seed,
            record_every=options.record_every,
            report=report,
            checkpoint=options.out.with_suffix(".checkpoint"),
            device=options.device,
            threads=options.threads,
        )
    environment = {"dufm_lib": version("dufm_lib"), "torch": torch.__version__, "device": device_model(options.device)}
    if training.ended != "interrupted":
        result_of(training, setting, environment).save(options.out)
    return training


def device_model(device: str) -> str:
    """What computed: the model of the accelerator, or the kind of the device."""
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else device


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when a result was written, 1 when it was stopped, 2 when something is wrong."""
    options = parser().parse_args(arguments)
    try:
        training = run(options)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(training)
    if training.ended == "interrupted":
        print("stopped; the same command goes on from the last record")
        return 1
    print(f"written: {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
