"""Checkpoints of a training: written in one piece, and taken up only by the training that wrote them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch

from dufm_lib._checkpoint import write_whole
from dufm_lib.data import Data
from dufm_lib.networks.classifier import Classifier
from dufm_lib.networks.recording import Record


class State(NamedTuple):
    """All that a training needs to go on as if it had not stopped."""

    step: int
    network: dict[str, torch.Tensor]
    velocities: list[torch.Tensor]
    recorded: dict[int, Record]


def identity(network: Classifier, data: Data, **setting: object) -> dict[str, str]:
    """Says what a training is, name by name: its setting, its network, where it starts, its data.

    The feature map is known by what `repr` shows of it (a layer without parameters is nowhere else), parameters and
    data by a checksum.
    """
    described = {name: str(value) for name, value in setting.items()}
    return described | {
        "activation of the head": network.activation,
        "feature map": repr(network.features),
        "start": _checksum(network.state_dict().values()),
        "data": _checksum([data.inputs, data.labels, data.test_inputs, data.test_labels]),
    }


def _checksum(tensors: Iterable[torch.Tensor]) -> str:
    checksum = 0
    for tensor in tensors:
        checksum = zlib.crc32(tensor.detach().cpu().contiguous().numpy(), checksum)
    return f"{checksum:08x}"


def save(path: Path, described: dict[str, str], state: State) -> None:
    """Write a checkpoint."""
    write_whole(path, lambda file: torch.save({"training": described, **state._asdict()}, file))


def load(path: Path, described: dict[str, str]) -> State | None:
    """The state in the checkpoint; None if there is none yet.

    Raises:
        ValueError: the file is no checkpoint, or that of another training.
        OSError: it cannot be read.
    """
    if not path.exists():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        kept = dict(content.pop("training"))
        state = State(**content)
    except OSError:
        raise
    except Exception as error:  # what a damaged file raises depends on where the damage is
        raise ValueError(f"checkpoint {path} cannot be read ({error}); delete it to start anew") from error
    if other := [name for name in described if kept.get(name) != described[name]]:
        raise ValueError(
            f"checkpoint {path} belongs to another training, with another {' and '.join(other)}: "
            "repeat that one, delete the file, or name another one"
        )
    return state
