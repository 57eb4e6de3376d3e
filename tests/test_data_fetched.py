"""MNIST and CIFAR-10: small files in the true formats, served from this machine, whole and broken."""

import gzip
import hashlib
import io
import os
import struct
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
import torch

from dufm_lib import data
from dufm_lib.data import fetched

RANDOM = np.random.default_rng(0)
LABELS = np.repeat(np.arange(10), 3)[RANDOM.permutation(30)].astype(np.uint8)  # 3 a class, in a random order
TEST_LABELS = np.arange(10, dtype=np.uint8)[::-1]


def idx(array):
    """The IDX format: magic number with the type and the number of axes, the axes, the bytes."""
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + b"".join(struct.pack(">I", axis) for axis in array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


def cifar(**batches):
    """The archive: for every image a byte of label and 3 x 32 x 32 bytes of colour."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


DIGITS = RANDOM.integers(0, 256, (30, 6, 5), dtype=np.uint8)
TEST_DIGITS = RANDOM.integers(0, 256, (10, 6, 5), dtype=np.uint8)
PHOTOS = RANDOM.integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
TEST_PHOTOS = RANDOM.integers(0, 256, (10, 3, 32, 32), dtype=np.uint8)
MNIST_FILES = dict(
    zip(fetched.MNIST.files, map(idx, (DIGITS, LABELS, TEST_DIGITS, TEST_LABELS)), strict=True),
)


def rows(photos, labels):
    return np.concatenate([labels[:, None], photos.reshape(len(photos), -1)], axis=1).astype(np.uint8).tobytes()


BATCHES = {
    f"data_batch_{number + 1}": rows(PHOTOS[part], LABELS[part])
    for number, part in enumerate(np.split(np.arange(30), 5))
} | {"test_batch": rows(TEST_PHOTOS, TEST_LABELS)}
ARCHIVE = "cifar-10-binary.tar.gz"


@pytest.fixture
def served(monkeypatch):
    """A server on this machine: {file: bytes}, or a number for that error; `asked` lists what was asked for."""
    files, asked, cut = {}, [], set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.lstrip("/")
            asked.append(name)
            if name not in files:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(files[name])))
            self.end_headers()
            self.wfile.write(files[name][: len(files[name]) // 2] if name in cut else files[name])

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def serve(name, content, promised=None):
        """Serve a set's files; what their checksums promise may be something else."""
        files.update(content)
        sums = {file: hashlib.sha256(bytes_).hexdigest() for file, bytes_ in (promised or content).items()}
        source = fetched.Source(name, (f"http://127.0.0.1:{server.server_port}/",), sums)
        monkeypatch.setattr(fetched, name.upper(), source)

    serve.files, serve.asked, serve.cut = files, asked, cut
    yield serve
    server.shutdown()
    thread.join()
    server.server_close()


def check(sets, images, test_images, per_class):
    """Against the definition: the first of each class, standardised by two numbers."""
    chosen = np.concatenate([images[k == LABELS][:per_class] for k in range(10)]).astype(float)
    tested = np.concatenate([test_images[k == TEST_LABELS] for k in range(10)]).astype(float)
    mean, deviation = chosen.mean(), chosen.std()
    assert (sets.classes, sets.samples) == (10, per_class)
    assert sets.inputs.dtype == torch.float32
    # float32 rounding of numbers of size one
    np.testing.assert_allclose(sets.inputs.numpy(), (chosen - mean) / deviation, atol=1e-6)
    np.testing.assert_allclose(sets.test_inputs.numpy(), (tested - mean) / deviation, atol=1e-6)
    assert sets.test_labels.tolist() == list(range(10))


def test_mnist_is_fetched_once_and_standardised(served, tmp_path):
    served("mnist", MNIST_FILES)
    sets = data.mnist(2, cache=tmp_path)
    check(sets, DIGITS[:, None], TEST_DIGITS[:, None], 2)
    assert sets.inputs.shape == (20, 1, 6, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(served.asked) == sorted(MNIST_FILES)
    again = data.mnist(3, classes=(7, 1), cache=tmp_path)
    assert len(served.asked) == 4  # from the cache
    assert (again.names, again.samples, len(again.test_labels)) == (("7", "1"), 3, 2)


def test_cifar10_is_read_from_its_archive(served, tmp_path):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    sets = data.cifar10(3, cache=tmp_path)
    check(sets, PHOTOS, TEST_PHOTOS, 3)
    assert sets.names[0] == "airplane" and sets.names[9] == "truck"
    assert data.cifar10(1, classes=(9, 3), cache=tmp_path).names == ("truck", "cat")
    assert [path.name for path in tmp_path.iterdir()] == [ARCHIVE]  # nothing is unpacked


def test_a_damaged_file_in_the_cache_is_fetched_anew(served, tmp_path):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    (tmp_path / ARCHIVE).write_bytes(b"half of it")
    assert data.cifar10(1, cache=tmp_path).samples == 1
    assert served.asked == [ARCHIVE]


def test_the_next_address_is_tried(served, tmp_path, monkeypatch):
    served("mnist", MNIST_FILES)
    source = fetched.MNIST
    gone = (source.addresses[0] + "gone/", *source.addresses)
    monkeypatch.setattr(fetched, "MNIST", fetched.Source("mnist", gone, source.files))
    assert data.mnist(1, cache=tmp_path).samples == 1
    assert served.asked[:2] == ["gone/train-images-idx3-ubyte.gz", "train-images-idx3-ubyte.gz"]


def absent(served):
    del served.files[ARCHIVE]
    return "404"


def cut_off(served):
    served.cut.add(ARCHIVE)
    return "IncompleteRead|broken"


def exchanged(served):
    served.files[ARCHIVE] = b"another file"
    return f"its SHA-256 is {hashlib.sha256(b'another file').hexdigest()}"


@pytest.mark.parametrize("broken", [absent, cut_off, exchanged])
def test_a_failed_fetch_says_why_and_leaves_nothing(served, tmp_path, broken):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    reason = broken(served)
    with pytest.raises(OSError, match=rf"{ARCHIVE} of cifar10 could not (?s:.*)({reason})(?s:.*)put these files into"):
        data.cifar10(1, cache=tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nobody = fetched.Source("mnist", ("http://127.0.0.1:9/",), fetched.MNIST.files)  # the port of no service
    monkeypatch.setattr(fetched, "MNIST", nobody)
    with pytest.raises(
        OSError, match=r"train-images-idx3-ubyte.gz of mnist (?s:.*)digits\(\) needs no connection"
    ) as no:
        data.mnist(cache=tmp_path / "new")
    for file, digest in fetched.MNIST.files.items():  # all that are missing
        assert f"\n  {digest}  {file}\n" in str(no.value)
    assert list(tmp_path.iterdir()) == []
    labels = "t10k-labels-idx1-ubyte.gz"
    (tmp_path / labels).write_bytes(b"damaged")
    with pytest.raises(OSError) as no:
        data.mnist(cache=tmp_path)
    found = hashlib.sha256(b"damaged").hexdigest()
    assert f"{labels} (the one that is there is damaged, its SHA-256 is {found})" in str(no.value)
    assert str(no.value).count("damaged") == 1 and (tmp_path / labels).read_bytes() == b"damaged"


def test_what_a_killed_download_left_is_removed_by_the_next(served, tmp_path):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    old, other = tmp_path / f"{ARCHIVE}.1.part", tmp_path / f"{ARCHIVE}.2.part"
    for part in (old, other):
        part.write_bytes(b"half of it")
    os.utime(old, (0, 0))
    data.cifar10(1, cache=tmp_path)
    assert not old.exists() and other.exists()  # somebody may be writing to the other


def test_a_file_that_cannot_be_read_is_not_called_damaged(served, tmp_path):
    served("mnist", MNIST_FILES)
    (tmp_path / IMAGES).mkdir()  # a folder cannot be read, even by root
    for read in (lambda: data.mnist(1, cache=tmp_path), lambda: fetched._read_idx(tmp_path / IMAGES, 3)):
        with pytest.raises(IsADirectoryError, match=IMAGES):
            read()


def test_the_logger_of_pooch_is_left_alone(served, tmp_path):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    before = pooch.get_logger().level
    data.cifar10(1, cache=tmp_path)
    assert pooch.get_logger().level == before


IMAGES, TARGETS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    "file, content, message",
    [
        (IMAGES, b"no gzip", "train-images-idx3-ubyte.gz is no complete gzip file"),
        (IMAGES, MNIST_FILES[IMAGES][:-20], "no complete gzip file"),
        (
            IMAGES,
            gzip.compress(b"\x00\x00\x0d\x01" + bytes(8), mtime=0),
            "no IDX file of unsigned bytes: it begins with 00000d01",
        ),
        (IMAGES, gzip.compress(b"", mtime=0), "no IDX file of unsigned bytes: it begins with nothing"),
        (
            IMAGES,
            gzip.compress(gzip.decompress(MNIST_FILES[IMAGES])[:-1], mtime=0),
            f"{IMAGES} must hold the bytes of its shape .30, 6, 5., got 899",
        ),
        (
            IMAGES,
            gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 2**31, 2**31), mtime=0),  # a product above 2^63
            f"{IMAGES} must hold the bytes of its shape .2147483648, 2147483648, 2147483648., got 0",
        ),
        (IMAGES, idx(DIGITS[:0]), f"{IMAGES} must hold the bytes of its shape .0, 6, 5."),
        (IMAGES, idx(DIGITS[:29]), f"{IMAGES} and {TARGETS} must hold one label .* 30 labels and 29 images"),
        (IMAGES, idx(DIGITS.reshape(30, 30)), f"{IMAGES} must have 3 axes, got 2"),
        (TARGETS, idx(np.where(LABELS == 4, 77, LABELS).astype(np.uint8)), f"^{TARGETS} must hold labels .* got 77"),
        (TARGETS, idx(np.where(LABELS == 4, 5, LABELS).astype(np.uint8)), "classes must be among .*got 4"),
        (IMAGES, idx(np.full_like(DIGITS, 7)), "images must differ"),
    ],
)
def test_mnist_files_that_are_refused(served, tmp_path, file, content, message):
    served("mnist", MNIST_FILES | {file: content})
    with pytest.raises(ValueError, match=message):
        data.mnist(1, cache=tmp_path)


@pytest.mark.parametrize(
    "archive, message",
    [
        (b"no archive", "is no complete tar.gz archive"),
        (cifar(**BATCHES)[:-2000], "is no complete tar.gz archive"),
        (cifar(test_batch=b""), "has no member cifar-10-batches-bin/data_batch_1.bin"),
        (cifar(**BATCHES | {"data_batch_2": bytes(3074)}), "must hold 3073 bytes an image, got 3074 in all"),
        (cifar(**BATCHES | {"data_batch_2": b""}), "must hold 3073 bytes an image, got 0 in all"),
        (cifar(**BATCHES | {"data_batch_2": b"\x0a" + bytes(3072)}), "data_batch_2.bin in .* must hold .* got 10"),
    ],
)
def test_cifar10_archives_that_are_refused(served, tmp_path, archive, message):
    served("cifar10", {ARCHIVE: archive})
    with pytest.raises(ValueError, match=message):
        data.cifar10(1, cache=tmp_path)


def test_too_few_images_of_a_class(served, tmp_path):
    served("mnist", MNIST_FILES)
    with pytest.raises(ValueError, match="per_class must be at most 3, the images of class 0; got 4"):
        data.mnist(4, cache=tmp_path)


def test_targets_must_fit_the_images():
    with pytest.raises(ValueError, match="targets must be one for each image; got 29 for 30 images"):
        data.balanced(DIGITS, LABELS[:29], 1, range(10))
    with pytest.raises(ValueError, match="targets must be one for each image; got 9 for 10 images"):
        data.balanced(DIGITS, LABELS, 1, range(10), (TEST_DIGITS, TEST_LABELS[:9]))


def test_digits_as_images_are_the_same_numbers():
    flat, images = data.digits(5), data.digits(5, flat=False)
    assert images.inputs.shape == (50, 1, 8, 8)
    assert torch.equal(flat.inputs, images.inputs.flatten(1))
    assert torch.equal(flat.test_inputs, images.test_inputs.flatten(1))


@pytest.mark.parametrize("source", [fetched.MNIST, fetched.CIFAR10])
def test_sources_name_secure_addresses_and_whole_checksums(source):
    assert all(address.startswith("https://") and address.endswith("/") for address in source.addresses)
    assert all(len(bytes.fromhex(digest)) == 32 for digest in source.files.values())
