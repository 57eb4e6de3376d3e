"""MNIST and CIFAR-10: small files in the true formats, served from this machine, whole and broken."""

import gzip
import hashlib
import io
import struct
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
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
    return "SHA-256 is another one"


@pytest.mark.parametrize("broken", [absent, cut_off, exchanged])
def test_a_failed_fetch_says_why_and_leaves_nothing(served, tmp_path, broken):
    served("cifar10", {ARCHIVE: cifar(**BATCHES)})
    reason = broken(served)
    with pytest.raises(OSError, match=rf"{ARCHIVE} of cifar10 is not in (?s:.*)({reason})(?s:.*)put the file there"):
        data.cifar10(1, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    nobody = fetched.Source("mnist", ("http://127.0.0.1:9/",), fetched.MNIST.files)  # the port of no service
    monkeypatch.setattr(fetched, "MNIST", nobody)
    with pytest.raises(OSError, match=r"train-images-idx3-ubyte.gz of mnist (?s:.*)digits\(\) needs no connection"):
        data.mnist(cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


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
            "announces .30, 6, 5. bytes and holds 899",
        ),
        (IMAGES, idx(DIGITS[:29]), "with one label each"),
        (IMAGES, idx(DIGITS.reshape(30, 30)), "must hold .images, rows, columns."),
        (TARGETS, idx(np.where(LABELS == 4, 10, LABELS).astype(np.uint8)), "labels 0, ..., 9; got .*10"),
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
        (cifar(**BATCHES | {"data_batch_2": b"\x0a" + bytes(3072)}), "labels 0, ..., 9; got .10."),
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
