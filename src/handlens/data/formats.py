"""The IDX format: MNIST's own, and the format of every data set in the cache.

    0 0 8 d         two zeros, the type (8: bytes), the number of dimensions
    size x d        4 bytes each, the most significant one first
    content         as many bytes as the product of the sizes says

Source: the description at the foot of the MNIST homepage (Y. LeCun, C. Cortes, C. Burges).
"""

from __future__ import annotations

import gzip
import math
import mmap
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.errors import DataDamaged, DataError, DataMissing

_TYPES = {0x08: "bytes", 0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers", 0x0D: "32-bit floats", 0x0E: "doubles"}
_GZIP = b"\x1f\x8b"
_PIECE_BYTES = 1 << 20
MOST_BYTES = 4 << 30


def read_idx(path: Path, size_bytes: int | None = None) -> NDArray[np.uint8]:
    """The array in an IDX file, plain or packed with gzip.

    Args:
        path: the file; what is in it decides whether it is unpacked, not its name.
        size_bytes: how long it must be when unpacked; None believes what its header says. No more than this is ever unpacked.

    Returns:
        N for labels, N,H,W or N,C,H,W for images.

    Raises:
        DataMissing: there is no such file.
        DataDamaged: it is no IDX file, or shorter or longer than its header says.
        DataError: it is an IDX file of something else than bytes.
        FileError: the system does not let us read it.
    """
    return parse_idx(read_unpacked(path, size_bytes), where=shown(path))


def read_unpacked(path: Path, size_bytes: int | None = None) -> bytearray:
    """The bytes of a file, unpacked if it is packed; at most one more than is expected. Arguments and errors as in `read_idx`."""
    with _opened(path) as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        return unpack(file, size_bytes, shown(path)) if packed else _read(file, size_bytes, shown(path))


def unpacked_whole(path: Path, most: int) -> bytes:
    """The bytes of a gzip file of any content, if they are at most so many. Errors as in `read_idx`."""
    with _opened(path) as file:
        content = unpack(file, most, shown(path))
    if len(content) > most:
        raise DataDamaged(f"The file has more than {most:,} bytes when unpacked.", where=shown(path))
    return bytes(content)


def unpack(packed: BinaryIO, size_bytes: int | None = None, where: str = "") -> bytearray:
    """What a gzip stream holds, at most one byte more than is expected. Arguments and errors as in `read_idx`."""
    try:
        return _read(cast("BinaryIO", gzip.GzipFile(fileobj=packed)), size_bytes, where)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataDamaged(f"The file cannot be unpacked: {error}.", where=where) from error


def _read(file: BinaryIO, size_bytes: int | None, where: str) -> bytearray:
    """Read piece by piece, so that memory grows with what is there and not with what a header claims."""
    content = bytearray(file.read(20))
    expected = idx_bytes(_shape(content, where)) if size_bytes is None else size_bytes
    while len(content) <= expected:
        piece = file.read(min(_PIECE_BYTES, expected + 1 - len(content)))
        if not piece:
            break
        content += piece
    return content


def shown(path: Path) -> str:
    """A path as it can be printed, whatever bytes it is made of."""
    return files.printable(str(path), 400)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file; a FIFO would wait for ever."""
    where = shown(path)
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise DataDamaged("A folder is where a file should be." if stat.S_ISDIR(mode) else "This is not a regular file.", where=where)
        with path.open("rb") as file:
            yield file
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataMissing("There is no such file.", where=where) from error
    except (OSError, ValueError) as error:
        raise files.explain(error, path) from error


def map_file(path: Path) -> memoryview:
    """The bytes of a file as memory: read when they are used, shared by all processes, and a change in them never reaches the file.

    Raises:
        DataMissing, DataDamaged, FileError: as in `read_idx`.
    """
    with _opened(path) as file:
        if not os.fstat(file.fileno()).st_size:
            raise DataDamaged("The file is empty.", where=shown(path))
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def parse_idx(content: bytes | bytearray | memoryview, where: str = "") -> NDArray[np.uint8]:
    """The array in the bytes of an IDX file; it shares their memory. Errors as in `read_idx`."""
    shape = _shape(bytes(content[:20]), where)
    expected, found = idx_bytes(shape), len(content)
    if found != expected:
        kind = "truncated" if found < expected else "longer than its header says"
        raise DataDamaged(f"The file is {kind}: {expected:,} bytes are announced, {found:,} are there.", where=where)
    return np.frombuffer(content, np.uint8, offset=expected - math.prod(shape)).reshape(shape)


def idx_bytes(shape: tuple[int, ...]) -> int:
    """How long an IDX file of that shape is."""
    return len(idx_header(shape)) + math.prod(shape)


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The first bytes of an IDX file of that shape."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    """Write an array of bytes, up to four dimensions, as an IDX file.

    Raises:
        DataError: it is not an array that `read_idx` would read back.
        FileError: the disk is full, read-only, or forbids it; nothing is left over.
    """
    files.write_atomic(path, idx_file(array, str(path)))


def idx_file(array: NDArray[np.uint8], where: str = "") -> bytes:
    """The bytes of an IDX file. Raises DataError as in `write_idx`."""
    if array.dtype != np.uint8 or not 1 <= array.ndim <= 4 or array.size == 0:
        raise DataError(f"An array of {array.dtype} of shape {array.shape} cannot be written as an IDX file of bytes.", where=where)
    return idx_header(array.shape) + np.ascontiguousarray(array).tobytes()


def _shape(start: bytes | bytearray, where: str) -> tuple[int, ...]:
    """The sizes in the header, from the first 20 bytes of a file."""
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        raise DataDamaged(f"This is no IDX file but {kind_of(start)}.", where=where)
    if start[2] != 0x08:
        raise DataError(f"This IDX file holds {_TYPES[start[2]]}; only bytes are read here.", where=where)
    dimensions = start[3]
    if not 1 <= dimensions <= 4:
        raise DataDamaged(f"The header announces {dimensions} dimensions; labels have 1, images 3 or 4.", where=where)
    if len(start) < 4 + 4 * dimensions:
        raise DataDamaged(f"The file is truncated inside its header: {len(start)} bytes.", where=where)
    shape = tuple(int.from_bytes(start[at : at + 4], "big") for at in range(4, 4 + 4 * dimensions, 4))
    if 0 in shape or math.prod(shape) > MOST_BYTES:
        raise DataDamaged(f"The header announces the sizes {' x '.join(f'{size:,}' for size in shape)}.", where=where)
    return shape


def kind_of(start: bytes | bytearray | memoryview) -> str:
    """What a file is, as far as its first bytes tell, in words."""
    first = bytes(start[:20])
    if not first:
        return "an empty file"
    if first.lstrip().lower().startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")):
        return "a web page (perhaps the login or error page of a network)"
    if first.startswith(_GZIP):
        return "a gzip file"
    return f"a file that begins with the bytes {first[:4].hex(' ')}"
