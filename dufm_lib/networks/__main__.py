"""One experiment on images, from the command line: train a network with a fully connected head, leave a small file.

    python -m dufm_lib.networks cifar10 --device cuda --out results/networks/cifar10-linear.json

The defaults are those of the paper's Figure 3. A run that was stopped, however it was, goes on from its checkpoint when
the same command is given again; with more --steps, from its end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch
from tqdm.auto import tqdm

from dufm_lib import data, theory
from dufm_lib.networks.classifier import Classifier
from dufm_lib.networks.feature_maps import mlp, resnet20
from dufm_lib.networks.options import check_places, parser, setting_of
from dufm_lib.networks.results import result_of
from dufm_lib.networks.training import Training, train
from dufm_lib.problem import Problem
from dufm_lib.structures import simplex_etf

LOADERS: dict[str, Callable[[int, Path | None], data.Data]] = {
    "digits": lambda per_class, cache: data.digits(per_class, flat=False),
    "mnist": lambda per_class, cache: data.mnist(per_class, cache=cache, progress=True),
    "cifar10": lambda per_class, cache: data.cifar10(per_class, cache=cache, progress=True),
}


def start(setting: dict[str, object], cache: Path | None) -> tuple[Classifier, data.Data]:
    """The network that the setting says, and the images it sees."""
    images = LOADERS[setting["data"]](setting["per_class"], cache)
    common = {name: setting[name] for name in ("width", "depth", "init_scale", "seed")}
    common |= {"activation": setting["head"], "feature_activation": setting["features"]}
    if setting["network"] == "resnet20":
        return resnet20(images, channels=setting["channels"], **common), images
    flat = replace(images, inputs=images.inputs.flatten(1), test_inputs=images.test_inputs.flatten(1))
    return mlp(flat, **common), flat


def run(options: argparse.Namespace) -> Training:
    """Train as the options say, with a bar, and write the result."""
    setting = setting_of(options)
    check_places(options.out, options.device)
    network, images = start(setting, options.cache)
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
    """Run the command.

    Returns:
        0 when the training ended and its result was written, 1 when it diverged (what it had recorded is written), 2
        when something is wrong, 130 when it was stopped.
    """
    options = parser(__doc__.splitlines()[0]).parse_args(arguments)
    try:
        training = run(options)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except (torch.OutOfMemoryError, MemoryError) as error:
        print(f"error: too little memory; choose a smaller --batch-size ({error})", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(training)
    if training.ended == "interrupted":
        print("stopped; the same command goes on from the last record")
        return 130
    if training.ended == "diverged":
        print("diverged: the objective became infinite; choose a smaller --learning-rate or --init-scale")
    print(f"written: {options.out}")
    return 1 if training.ended == "diverged" else 0


if __name__ == "__main__":
    sys.exit(main())
