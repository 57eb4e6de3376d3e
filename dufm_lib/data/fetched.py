"""MNIST and CIFAR-10: fetched once with pooch, checked by SHA-256, read from the formats they are published in.

A file is in the cache whole and right, or not at all; what fails says which file, why, and what to do.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import tarfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dufm_lib._arguments import flag, folder_path
from dufm_lib.data.sets import Data, balanced, selection

ALL = tuple(range(10))
SECONDS = 60  # without a byte from the server
STALE = 3600  # seconds since the last byte: nobody is writing to this any more


@dataclass(frozen=True)
class Source:
    """Where the files of a data set are: addresses to be tried in turn, and the SHA-256 of each file."""

    name: str
    addresses: tuple[str, ...]
    files: dict[str, str]


MNIST = Source(
    "mnist",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)
# the binary version: the other one is made of pickles, which may run code when they are read
CIFAR10 = Source(
    "cifar10",
    ("https://www.cs.toronto.edu/~kriz/",),
    {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)
CIFAR10_BATCHES = [f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)]
CIFAR10_TEST = "cifar-10-batches-bin/test_batch.bin"
CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def mnist(
    per_class: int = 5000,
    classes: Sequence[int] = ALL,
    cache: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Data:
    """MNIST: handwritten digits, 28 x 28 pixels; 11 MB to fetch.

    The first `per_class` training images of each class, standardised as `balanced` says; the 10 000 test images are for
    testing.

    Args:
        per_class: n, at most 5421, the images of the digit 5.
        classes: which digits, at least two; class k of the result is the digit classes[k].
        cache: the folder for the files; by default the user's cache folder. Files put there by hand will do.
        progress: show a bar for each file that is fetched.

    Returns:
        Data with inputs (N, 1, 28, 28) float32.

    Raises:
        ValueError: a bad argument, by name; a file that is not of its format.
        OSError: a file cannot be fetched, which names all that are missing; or cannot be read.

    Source: LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition.
    """
    per_class, classes = selection(per_class, classes)
    files = _fetch(MNIST, cache, progress)
    return balanced(*_read_mnist(*files[:2]), per_class, classes, _read_mnist(*files[2:]))


def cifar10(
    per_class: int = 5000,
    classes: Sequence[int] = ALL,
    cache: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> Data:
    """CIFAR-10: colour photographs of ten kinds of things, 32 x 32 pixels; 162 MB to fetch.

    The first `per_class` training images of each class, standardised as `balanced` says; the 10 000 test images are for
    testing. The classes are, in order: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck.

    Args:
        per_class: n, at most 5000.
        classes: which of 0, ..., 9, at least two.
        cache, progress: as in `mnist`.

    Returns:
        Data with inputs (N, 3, 32, 32) float32, the colours red, green and blue.

    Raises:
        ValueError: a bad argument, by name; a file that is not of its format.
        OSError: the file cannot be fetched or read.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    per_class, classes = selection(per_class, classes)
    (path,) = _fetch(CIFAR10, cache, progress)
    try:
        with tarfile.open(path, "r:gz") as archive:
            batches = [_read_cifar(archive, name, path) for name in [*CIFAR10_BATCHES, CIFAR10_TEST]]
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is no complete tar.gz archive ({error}); delete {path} and try again") from error
    images, targets = (np.concatenate(parts) for parts in zip(*batches[:-1], strict=True))
    sets = balanced(images, targets, per_class, classes, batches[-1])
    return Data(
        sets.inputs,
        sets.labels,
        sets.test_inputs,
        sets.test_labels,
        tuple(CIFAR10_NAMES[int(name)] for name in sets.names),
    )


def _fetch(source: Source, cache: str | os.PathLike[str] | None, progress: bool) -> list[Path]:
    """The paths of all files of the source in the cache, fetched where they are not there or not right."""
    progress = flag("progress", progress)
    if cache is not None:
        cache = folder_path("cache", cache)
    import pooch  # here: whoever brings other data need not wait for it

    folder = Path(cache) if cache is not None else Path(pooch.os_cache("dufm_lib")) / source.name
    if wanted := _wanted(source, folder):
        made = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _remove_stale(source, folder)
            for file in wanted:
                _download(source, file, folder, progress)
        except OSError as error:
            files = "\n  ".join(f"{source.files[file]}  {file}{said}" for file, said in _wanted(source, folder).items())
            raise OSError(
                f"{error}\nCall again once the connection is better, or put these files into {folder} by hand, "
                f"each with the SHA-256 beside it:\n  {files}\ndata.digits() needs no connection"
            ) from error
        finally:
            for each in made:  # those that stayed empty
                with contextlib.suppress(OSError):
                    each.rmdir()
    return [folder / file for file in source.files]


def _wanted(source: Source, folder: Path) -> dict[str, str]:
    """The files that are not in the folder, or not right; with what is to be said of those that are there."""
    import pooch

    there = {file: pooch.file_hash(folder / file) for file in source.files if (folder / file).exists()}
    said = {file: f" (the one that is there is damaged, its SHA-256 is {found})" for file, found in there.items()}
    return {file: said.get(file, "") for file, digest in source.files.items() if there.get(file) != digest}


def _download(source: Source, file: str, folder: Path, progress: bool) -> None:
    """Fetch a file from the first address that has it: whole and right, or not at all."""
    import pooch

    part, failures = folder / f"{file}.{os.getpid()}.part", []
    for address in source.addresses:
        fetcher = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=SECONDS)
        try:
            fetcher(address + file, part, None)
            if (found := pooch.file_hash(part)) == source.files[file]:
                part.replace(folder / file)
                return
            failures.append(f"{address}{file}: what came is not the file that is meant, its SHA-256 is {found}")
        except OSError as error:  # of the connection too: requests' errors are OSErrors
            failures.append(f"{address}{file}: {error}")
        finally:
            part.unlink(missing_ok=True)
    raise OSError("\n  ".join([f"{file} of {source.name} could not be fetched:", *failures]))


def _remove_stale(source: Source, folder: Path) -> None:
    """Remove what a download that was killed has left: nothing was written to it for long."""
    for file in source.files:
        for part in folder.glob(f"{file}.*.part"):
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink(missing_ok=True)


def _read_mnist(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (M, 1, rows, columns) and labels (M,) of a part."""
    images, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path.name} and {labels_path.name} must hold one label for each image; "
            f"got {len(labels)} labels and {len(images)} images"
        )
    _check_labels(labels, labels_path.name)
    return images[:, None], labels


def _read_idx(path: Path, axes: int) -> np.ndarray:
    """Read a gzipped IDX file: 0, 0, 8 (unsigned bytes), how many axes, their lengths (4 bytes each), the bytes."""
    packed = path.read_bytes()
    try:
        content = gzip.decompress(packed)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path.name} is no complete gzip file ({error}); delete {path} and try again") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise ValueError(
            f"{path.name} is no IDX file of unsigned bytes: it begins with {content[:4].hex() or 'nothing'}"
        )
    if content[3] != axes:
        raise ValueError(f"{path.name} must have {axes} axes, got {content[3]}")
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    if 0 in shape or len(content) - start != math.prod(shape):
        raise ValueError(f"{path.name} must hold the bytes of its shape {shape}, got {len(content) - start}")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _read_cifar(archive: tarfile.TarFile, name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (M, 3, 32, 32) and labels (M,) of one batch: a byte of label, then 1024 of red, green and blue each."""
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    if member is None:  # not there, or no file
        raise ValueError(f"{path.name} has no member {name} that is a file; it is not the binary CIFAR-10")
    content = member.read()
    if len(content) == 0 or len(content) % 3073:
        raise ValueError(f"{name} in {path.name} must hold 3073 bytes an image, got {len(content)} in all")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, 3073)
    _check_labels(rows[:, 0], f"{name} in {path.name}")
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def _check_labels(labels: np.ndarray, where: str) -> None:
    if labels.max() > 9:
        raise ValueError(f"{where} must hold labels 0, ..., 9; got {labels.max()}")
