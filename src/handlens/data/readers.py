"""From the files that a data set is published in to arrays: one function for each format, all in `READERS`.

A reader is given files whose checksums are right already. It gives arrays by `train-images`, `train-labels`, `test-images`, `test-labels`
and, if they are known, `train-writers` and `test-writers`; images are bytes N,H,W or N,C,H,W, labels whole numbers from 0.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import math
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import formats, shares
from handlens.data.entry import Archive
from handlens.data.formats import shown
from handlens.errors import DataDamaged

Arrays = dict[str, NDArray[Any]]
Reader = Callable[[Sequence[Path], Archive], Arrays]
_MOST_TEXT = 1 << 28
_CIFAR_PIXELS = 3 * 32 * 32
# What zipfile, tarfile, bz2, scipy and numpy raise when the bytes are wrong; they name no common ancestor.
_UNREADABLE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, tokenize.TokenError, SyntaxError),
    *(OSError, EOFError, LookupError, ValueError, TypeError, NotImplementedError, RuntimeError, AttributeError, MemoryError),
)


def read_idx_files(paths: Sequence[Path], entry: Archive) -> Arrays:
    """Four IDX files packed with gzip, as MNIST's: images and labels for training, images and labels for testing."""
    parts = ("train-images", "train-labels", "test-images", "test-labels")
    shapes = [shape for count in entry.counts for shape in ((count, *entry.image_shape[1:]), (count,))]
    found = zip(parts, paths, shapes, strict=True)
    return {part: formats.read_idx(path, formats.idx_bytes(shape)) for part, path, shape in found}


def read_idx_split(paths: Sequence[Path], entry: Archive) -> Arrays:
    """Images and labels in IDX files that were meant for testing only: divided here as the catalogue says, of each class the same share."""
    total = sum(entry.counts)
    images = formats.read_idx(paths[0], formats.idx_bytes((total, *entry.image_shape[1:])))
    labels = formats.read_idx(paths[1], formats.idx_bytes((total,)))
    test = np.zeros(total, bool)
    test[shares.chosen(labels.astype(np.int64), entry.counts[1], "split", "test")] = True
    return {"train-images": images[~test], "train-labels": labels[~test], "test-images": images[test], "test-labels": labels[test]}


def read_qmnist(paths: Sequence[Path], entry: Archive) -> Arrays:
    """As MNIST, but the labels are eight numbers an image: the class, where in NIST's collection it is from, the writer, and others.

    Source: https://github.com/facebookresearch/qmnist, "The QMNIST dataset".
    """
    arrays: Arrays = {}
    for split, images, labels, count in zip(("train", "test"), paths[::2], paths[1::2], entry.counts, strict=True):
        arrays[f"{split}-images"] = formats.read_idx(images, formats.idx_bytes((count, *entry.image_shape[1:])))
        table = read_qmnist_labels(labels)
        arrays[f"{split}-labels"], arrays[f"{split}-writers"] = table[:, 0], table[:, 2]
    return arrays


def read_qmnist_labels(path: Path) -> NDArray[np.int32]:
    """The table of QMNIST's labels, N,8: class, NIST's series, writer, index of the writer's image, NIST's class, index in NIST, two zeros.

    Raises:
        DataDamaged: it is no such table.
        DataMissing, FileError: as in `handlens.data.formats.read_idx`.
    """
    content = formats.unpacked_whole(path, _MOST_TEXT)
    count = int.from_bytes(content[4:8], "big")
    if content[:4] != b"\0\0\x0c\x02" or int.from_bytes(content[8:12], "big") != 8 or len(content) != 12 + 32 * count:
        raise DataDamaged("These are not QMNIST's labels: an IDX file of eight 32-bit integers an image.", where=shown(path))
    return np.frombuffer(content, ">i4", offset=12).reshape(count, 8).astype(np.int32)


def read_emnist(paths: Sequence[Path], entry: Archive) -> Arrays:
    """One part of EMNIST's zip file of IDX files. The images are stored transposed, the labels of `letters` begin at 1.

    Source: G. Cohen et al., "EMNIST: an extension of MNIST to handwritten letters" (2017).
    """
    arrays: Arrays = {}
    with _reading(paths[0]), zipfile.ZipFile(paths[0]) as archive:
        first = _check_mapping(_member(archive, f"gzip/emnist-{entry.part}-mapping.txt", _MOST_TEXT), entry)
        for split, count in zip(("train", "test"), entry.counts, strict=True):
            stem = f"gzip/emnist-{entry.part}-{split}"
            images = _packed_idx(archive, f"{stem}-images-idx3-ubyte.gz", (count, *entry.image_shape[1:]))
            arrays[f"{split}-images"] = images.transpose(0, 2, 1)
            arrays[f"{split}-labels"] = _packed_idx(archive, f"{stem}-labels-idx1-ubyte.gz", (count,)).astype(np.int64) - first
    return arrays


def _packed_idx(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    with archive.open(name) as packed:
        return formats.parse_idx(formats.unpack(cast("BinaryIO", packed), formats.idx_bytes(shape), name), name)


def _check_mapping(text: bytes, entry: Archive) -> int:
    """The label of the first class; EMNIST's own table of labels and letters must agree with the catalogue's."""
    rows = [line.split() for line in text.decode("ascii").splitlines() if line.strip()]
    if tuple(chr(int(row[1])) for row in rows) != entry.classes:
        raise DataDamaged(f"The classes of {entry.title} are not those of its mapping.")
    return int(rows[0][0])


def read_cifar(paths: Sequence[Path], entry: Archive) -> Arrays:
    """CIFAR's binary archive: records of one label byte (CIFAR-100: coarse, then fine) and 3,072 pixels, red, green, blue.

    Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
    """
    names = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
    if len(entry.classes) > 10:
        names = {"train": ["train.bin"], "test": ["test.bin"]}
    wanted = {f"{entry.part}/{name}" for found in names.values() for name in found}
    record = _CIFAR_PIXELS + (2 if len(entry.classes) > 10 else 1)
    with _reading(paths[0]), tarfile.open(paths[0], "r:gz") as archive:
        members = {member.name: _batch(archive, member, record, sum(entry.counts)) for member in archive if member.name in wanted}
        batches = {split: np.concatenate([members[f"{entry.part}/{name}"] for name in found]) for split, found in names.items()}
    images = {f"{split}-images": rows[:, -_CIFAR_PIXELS:].reshape(-1, *entry.image_shape) for split, rows in batches.items()}
    return images | {f"{split}-labels": rows[:, -_CIFAR_PIXELS - 1] for split, rows in batches.items()}


def _batch(archive: tarfile.TarFile, member: tarfile.TarInfo, record: int, most: int) -> NDArray[np.uint8]:
    file = archive.extractfile(member) if member.isreg() else None
    if file is None or member.size % record or member.size > record * most:
        raise DataDamaged(f"{member.name} has {member.size:,} bytes; it must be a file of records of {record:,}.")
    return np.frombuffer(file.read(), np.uint8).reshape(-1, record)


def read_svhn(paths: Sequence[Path], entry: Archive) -> Arrays:
    """Matlab files with X (H,W,C,N) and y (N,1), in which a 0 is called 10.

    SciPy reads numbers from them. It makes objects of what else can stand there, and calls none of it.
    """
    from scipy.io.matlab import MatReadError, loadmat

    arrays: Arrays = {}
    for split, path, count in zip(("train", "test"), paths, entry.counts, strict=True):
        with _reading(path, MatReadError):
            found: Mapping[str, Any] = loadmat(path, variable_names=["X", "y"])
            images, labels = np.asarray(found["X"]), np.asarray(found["y"]).ravel()
        if images.dtype != np.uint8 or images.ndim != 4 or labels.dtype.kind not in "iu" or len(labels) != count:
            raise DataDamaged(f"X is {images.dtype} {images.shape}, y has {len(labels):,} labels.", where=shown(path))
        arrays[f"{split}-images"] = images.transpose(3, 2, 0, 1)
        arrays[f"{split}-labels"] = labels % 10
    return arrays


def read_usps(paths: Sequence[Path], entry: Archive) -> Arrays:
    """Lines of LIBSVM: the label, 1 for a 0 to 10 for a 9, then `place:value` for each pixel, from -1 (paper) to 1 (ink); bzip2.

    Source: https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html#usps
    """
    arrays: Arrays = {}
    for split, path in zip(("train", "test"), paths, strict=True):
        with _reading(path), bz2.open(path) as file:
            lines = _limited(file, _MOST_TEXT).decode("ascii").splitlines()
            rows = [_libsvm(line, math.prod(entry.image_shape)) for line in lines]
            values = np.array([values for _label, values in rows])
        arrays[f"{split}-images"] = np.rint((values.clip(-1, 1) + 1) / 2 * 255).astype(np.uint8).reshape(-1, *entry.image_shape)
        arrays[f"{split}-labels"] = np.array([label - 1 for label, _values in rows])
    return arrays


def _libsvm(line: str, count: int) -> tuple[int, NDArray[np.float64]]:
    """The label and the values of one line; a value that is left out is 0."""
    label, *pairs = line.split()
    values = np.zeros(count)
    for pair in pairs:
        place, _, value = pair.partition(":")
        values[range(count)[int(place) - 1]] = float(value)
    return int(label), values


def read_mnist_c(paths: Sequence[Path], entry: Archive) -> Arrays:
    """The test images of one corruption, as .npy in a zip file.

    Source: N. Mu and J. Gilmer, "MNIST-C: a robustness benchmark for computer vision" (2019).
    """
    with _reading(paths[0]), zipfile.ZipFile(paths[0]) as archive:
        channels, height, width = entry.image_shape
        images = _npy(archive, f"mnist_c/{entry.part}/test_images.npy", (entry.counts[1], height, width, channels))
        labels = _npy(archive, f"mnist_c/{entry.part}/test_labels.npy", (entry.counts[1],))
    return {"test-images": images.transpose(0, 3, 1, 2), "test-labels": labels}


def _npy(archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of whole numbers in NumPy's own format, if its header announces that shape. Objects, which NumPy pickles, are refused."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise DataDamaged(f"{name} has version {version} of NumPy's format; 1.0 is read.")
        found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if found != shape or fortran or dtype.kind not in "iu":
            raise DataDamaged(f"{name} announces {dtype} {found}; whole numbers {shape} are expected.")
        return np.frombuffer(_exactly(file, math.prod(shape) * dtype.itemsize), dtype).reshape(shape)


def _exactly(file: IO[bytes], size_bytes: int) -> bytes:
    content = file.read(size_bytes)
    if len(content) != size_bytes:
        raise DataDamaged(f"It is truncated: {size_bytes:,} bytes are announced, {len(content):,} are there.")
    return content


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        return _limited(file, most)


def _limited(file: IO[bytes], most: int) -> bytes:
    content = file.read(most + 1)
    if len(content) > most:
        raise DataDamaged(f"It has more than {most:,} bytes when unpacked.")
    return content


@contextlib.contextmanager
def _reading(path: Path, *more: type[Exception]) -> Iterator[None]:
    """In its body, whatever the libraries raise over a file that is not what it should be becomes a sentence."""
    try:
        yield
    except _UNREADABLE + more as error:
        words = f"{type(error).__name__}: {files.printable(str(error))}"
        raise DataDamaged(f"The file cannot be read: {words}.", where=shown(path)) from error


READERS: dict[str, Reader] = {
    "idx": read_idx_files,
    "idx-split": read_idx_split,
    "qmnist": read_qmnist,
    "emnist": read_emnist,
    "cifar": read_cifar,
    "svhn": read_svhn,
    "usps": read_usps,
    "mnist-c": read_mnist_c,
}
