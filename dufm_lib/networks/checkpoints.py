"""Checkpoints of a training: written in one piece, and taken up only by the training that wrote them."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import NamedTuple

import torch

from dufm_lib.data import Data
from dufm_lib.networks.classifier import Classifier
from dufm_lib.networks.recording import Record


class State(NamedTuple):
    """All that a training needs to go on as if it had not stopped."""

    step: int
    network: dict[str, torch.Tensor]
    velocities: list[torch.Tensor]
    recorded: dict[int, Record]


def identity(network: Classifier, data: Data, **setting: object) -> str:
    """Says what a training is: its setting, its start and its data, the latter two by a checksum."""
    checksum = 0
    for tensor in [*network.state_dict().values(), data.inputs, data.labels, data.test_inputs, data.test_labels]:
        checksum = zlib.crc32(tensor.detach().cpu().contiguous().numpy(), checksum)
    described = ", ".join(f"{name} {value}" for name, value in setting.items())
    return f"{described}, start and data {checksum:08x}"


def save(path: Path, described: str, state: State) -> None:
    """Write a checkpoint so that it is there whole or not at all, whenever the power fails."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            torch.save({"training": described, **state._asdict()}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load(path: Path, described: str) -> State | None:
    """The state in the checkpoint; None if there is none yet.

    Raises:
        ValueError: the file is no checkpoint, or that of another training.
    """
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        other = content.pop("training")
        state = State(**content)
    except Exception as error:  # whatever reading a damaged file may raise
        raise ValueError(f"checkpoint {path} cannot be read ({error}); delete it to start anew") from error
    if other != described:
        raise ValueError(
            f"checkpoint {path} belongs to another training:\n  {other}\nand not to\n  {described}\n"
            "Delete it, or name another file"
        )
    return state
