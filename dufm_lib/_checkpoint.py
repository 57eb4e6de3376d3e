"""A descent under way, on disk: written in one piece, and read back only by the call that wrote it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

EVERY = 10.0  # seconds
LARGEST_SHARE = 0.05  # of the time may go into writing


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that it is there whole or not at all, whenever the power fails."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Checkpoint:
    """A file that holds the state of a descent beside its setting; with no path, nothing is kept."""

    def __init__(self, path: str | os.PathLike[str] | None, setting: Mapping[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self.setting = dict(setting)
        self.next = time.monotonic() + EVERY

    def due(self) -> bool:
        """Whether it is time to write."""
        return self.path is not None and time.monotonic() > self.next

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state. The more time that takes, the longer it is until it is due again."""
        if self.path is None:
            return
        began = time.monotonic()
        write_whole(self.path, lambda file: torch.save({"setting": self.setting, "state": dict(state)}, file))
        ended = time.monotonic()
        self.next = ended + max(EVERY, (ended - began) / LARGEST_SHARE)

    def load(self) -> Mapping[str, Any] | None:
        """The state in the file; None when there is no file.

        Raises:
            ValueError: the file is damaged, or the descent in it has another setting.
        """
        if self.path is None or not self.path.exists():
            return None
        try:
            kept = torch.load(self.path, weights_only=True)
            setting, state = kept["setting"], kept["state"]
        except OSError:
            raise
        except Exception as error:  # what a damaged file raises depends on where the damage is
            raise ValueError(f"checkpoint {self.path} cannot be read: delete it to start again") from error
        if other := [name for name in self.setting if setting.get(name) != self.setting[name]]:
            raise ValueError(
                f"checkpoint {self.path} belongs to a descent with another {' and '.join(other)}: "
                "repeat that call, or give this one another file"
            )
        return state
