"""A folder of finished tables: a Parquet file each, named by what decides it, there whole or not at all."""

from __future__ import annotations

import functools
import hashlib
import io
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd

from dufm_lib._checkpoint import write_whole

DRAFT = 3600.0  # seconds; who writes a draft needs a moment, and after an hour is gone


class Store:
    """Tables by the text that decides them; with no folder, nothing is kept.

    Several processes may use one folder at a time: none sees half a table, and tables of one text are the same.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for draft in folder.glob("*.draft"):
                with suppress(FileNotFoundError):  # another process has finished it meanwhile
                    if time.time() - draft.stat().st_mtime > DRAFT:
                        draft.unlink()

    def load(self, text: str) -> pd.DataFrame | None:
        """The table of this text; None when there is none.

        Raises:
            ValueError: its file is damaged.
        """
        if self.folder is None or not (file := self._file(self.folder, text)).exists():
            return None
        content = file.read_bytes()
        try:
            return pd.read_parquet(io.BytesIO(content))
        except Exception as error:  # what a damaged file raises depends on where the damage is
            raise ValueError(f"{file} of the store cannot be read: delete it to compute it again") from error

    def save(self, text: str, table: pd.DataFrame) -> None:
        """Keep a table."""
        if self.folder is not None:
            write_whole(self._file(self.folder, text), functools.partial(table.to_parquet, index=False))

    @staticmethod
    def _file(folder: Path, text: str) -> Path:
        return folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.parquet"
