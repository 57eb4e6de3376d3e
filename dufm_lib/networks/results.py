"""The small file that an experiment leaves: its setting, its environment and its history, to be drawn elsewhere."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from dufm_lib._arguments import file_path
from dufm_lib._checkpoint import write_whole
from dufm_lib.networks.training import Training

# The features of every recorded step would be most of the file; of the others six digits are as good as all.
LEFT_OUT = ("features",)
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Result:
    """What a result file holds.

    Attributes:
        setting: what was asked for, by the names of the command's options.
        outcome: ended, structure, rank, and dnc_bound (None for standard regularization and unbalanced classes).
        environment: versions and device.
        history: name -> tensor with the recorded steps first, as in `History` without the features;
            weight_singular_values is a list of L tensors.
    """

    setting: dict[str, object]
    outcome: dict[str, object]
    environment: dict[str, str]
    history: dict[str, torch.Tensor | list[torch.Tensor]]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result as JSON: whole, or not at all."""
        path = Path(path)
        history = {
            name: [_plain(each) for each in value] if isinstance(value, list) else _plain(value)
            for name, value in self.history.items()
        }
        content = {"setting": self.setting, "outcome": self.outcome, "environment": self.environment}
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content | {"history": history}, allow_nan=False) + "\n"
        write_whole(path, lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Result:
        """Read what `save` wrote.

        Raises:
            ValueError: the file is no result.
            OSError: it cannot be read.
        """
        path = file_path("path", path)
        try:
            content = json.loads(path.read_text())
            history = {
                name: [_tensor(each) for each in value] if name == "weight_singular_values" else _tensor(value)
                for name, value in content.pop("history").items()
            }
            return cls(**content, history=history)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is no result of python -m dufm_lib.networks: {error}") from error


def result_of(training: Training, setting: dict[str, object], environment: dict[str, str]) -> Result:
    """What is kept of a training."""
    bounded = training.regularization == "ufm" and isinstance(training.data.samples, int)
    bound = training.dnc_bound if bounded else None
    outcome = {"ended": training.ended, "structure": training.structure, "rank": training.rank, "dnc_bound": bound}
    history = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(training.history).items()
        if name not in LEFT_OUT
    }
    return Result(setting, outcome, environment, history)


def _plain(tensor: torch.Tensor) -> list:
    """Nested lists of six digits; NaN, which JSON has not, as None."""

    def rounded(value: object) -> object:
        if isinstance(value, list):
            return [rounded(each) for each in value]
        if isinstance(value, int):
            return value
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None

    return rounded(tensor.tolist())


def _tensor(value: list) -> torch.Tensor:
    """The tensor of nested lists: integers as int64, all else as float64, None as NaN."""

    def filled(value: object) -> object:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return math.nan if value is None else value

    tensor = torch.tensor(filled(value))
    return tensor if tensor.dtype == torch.int64 else torch.tensor(filled(value), dtype=torch.float64)
