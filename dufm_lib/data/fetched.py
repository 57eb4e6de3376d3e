"""MNIST and CIFAR-10: fetched once with pooch, checked by SHA-256, read from the formats they are published in.

A file is in the cache whole and right, or not at all; what fails says which file, why, and what to do.
"""

from __future__ import annotations

import gzip
import logging
import os
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dufm_lib._arguments import flag, folder_path
from dufm_lib.data.sets import Data, balanced, selection

ALL = tuple(range(10))
SECONDS = 60  # without a byte from the server


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
        OSError: a file cannot be fetched; nothing half-written is left.

    Source: LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition.
    """
    per_class, classes = selection(per_class, classes)
    files = [_fetch(MNIST, name, cache, progress) for name in MNIST.files]
    images, targets, test_images, test_targets = (_read_idx(path) for path in files)
    parts = [(images, targets, files[0]), (test_images, test_targets, files[2])]
    for pictures, labels, path in parts:
        if pictures.ndim != 3 or labels.ndim != 1 or len(pictures) != len(labels):
            raise ValueError(f"{path.name} must hold (images, rows, columns) with one label each; got {pictures.shape}")
        _check_labels(labels, path)
    pairs = [(pictures[:, None], labels) for pictures, labels, _ in parts]
    return balanced(*pairs[0], per_class, classes, pairs[1])


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
        OSError: the file cannot be fetched; nothing half-written is left.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    per_class, classes = selection(per_class, classes)
    path = _fetch(CIFAR10, "cifar-10-binary.tar.gz", cache, progress)
    try:
        with tarfile.open(path, "r:gz") as archive:
            batches = [_read_cifar(archive, name, path) for name in [*CIFAR10_BATCHES, CIFAR10_TEST]]
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
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


def _fetch(source: Source, file: str, cache: str | os.PathLike[str] | None, progress: bool) -> Path:
    """The path of a file of the source in the cache, fetched if it is not there or not right."""
    progress = flag("progress", progress)
    if cache is not None:
        cache = folder_path("cache", cache)
    import pooch  # here: whoever brings other data need not wait for it
    import requests

    folder = Path(cache) if cache is not None else Path(pooch.os_cache("dufm_lib")) / source.name
    pooch.get_logger().setLevel(logging.WARNING)  # the bar says what there is to say
    failures = []
    for address in source.addresses:
        fetcher = pooch.HTTPDownloader(progressbar=progress, chunk_size=2**16, timeout=SECONDS)
        try:
            return Path(
                pooch.retrieve(address + file, f"sha256:{source.files[file]}", file, folder, downloader=fetcher)
            )
        except (requests.RequestException, OSError) as error:
            failures.append(f"{address}{file}: {error}")
        except ValueError:
            failures.append(f"{address}{file}: what came is not the file that is meant, its SHA-256 is another one")
    reasons = "\n  ".join(failures)
    raise OSError(
        f"{file} of {source.name} is not in {folder} and could not be fetched:\n  {reasons}\n"
        "Call again once the connection is better, or put the file there by hand; its SHA-256 is "
        f"{source.files[file]}. data.digits() needs no connection"
    )


def _read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file: 0, 0, 8 (unsigned bytes), how many axes, their lengths (4 bytes each), the bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path.name} is no complete gzip file ({error}); delete {path} and try again") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08" or len(content) < 4 + 4 * content[3]:
        raise ValueError(
            f"{path.name} is no IDX file of unsigned bytes: it begins with {content[:4].hex() or 'nothing'}"
        )
    start = 4 + 4 * content[3]
    shape = tuple(np.frombuffer(content[4:start], dtype=">u4").tolist())
    if len(content) - start != np.prod(shape, dtype=np.int64):
        raise ValueError(f"{path.name} announces {shape} bytes and holds {len(content) - start}")
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
    _check_labels(rows[:, 0], path)
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def _check_labels(labels: np.ndarray, path: Path) -> None:
    if len(labels) == 0 or labels.max() > 9:
        raise ValueError(f"{path.name} must come with labels 0, ..., 9; got {sorted(set(labels.tolist()))[-3:]}")
