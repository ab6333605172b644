"""Any bytes that claim to be IDX: an array, or a sentence."""

from __future__ import annotations

import errno
import gzip
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from tiny import bomb

from handlens.data import formats
from handlens.errors import DataDamaged, DataError, DataMissing, FileError

IMAGES = np.arange(3 * 4 * 2, dtype=np.uint8).reshape(3, 4, 2)
IDX = formats.idx_header(IMAGES.shape) + IMAGES.tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images"


def read(path: Path, content: bytes) -> np.ndarray:
    path.write_bytes(content)
    return formats.read_idx(path)


def says(path: Path, content: bytes) -> str:
    with pytest.raises(DataDamaged) as caught:
        read(path, content)
    assert caught.value.where == str(path)
    return caught.value.what


@pytest.mark.parametrize("shape", [(7,), (3, 4, 2), (3, 1, 4, 2), (2, 3, 4, 2), (2, 5)])
def test_what_is_written_is_read(path: Path, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    formats.write_idx(path, array)
    assert np.array_equal(formats.read_idx(path), array)
    assert formats.idx_bytes(shape) == path.stat().st_size
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(formats.read_idx(path), array)


def test_content_decides_whether_a_file_is_packed_not_its_name(tmp_path: Path) -> None:
    assert np.array_equal(read(tmp_path / "plain.gz", IDX), IMAGES)
    assert np.array_equal(read(tmp_path / "packed", gzip.compress(IDX, mtime=0)), IMAGES)
    assert np.array_equal(read(tmp_path / "in-members", gzip.compress(IDX[:9]) + gzip.compress(IDX[9:])), IMAGES)


@pytest.mark.parametrize("array", [np.zeros((0, 2), np.uint8), np.zeros((1, 1, 1, 1, 1), np.uint8), np.zeros(3), np.uint8(3).reshape(())])
def test_an_array_that_could_not_be_read_back_is_not_written(path: Path, array: np.ndarray) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        formats.write_idx(path, array)
    assert not path.exists()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "an empty file"),
        (b"\0", "begins with the bytes 00"),
        (b"\x01" + IDX[1:], "begins with the bytes 01 00 08 03"),
        (IDX[:2] + b"\x07" + IDX[3:], "begins with the bytes 00 00 07 03"),
        (b" \n<!DOCTYPE html><p>Please log in", "a web page"),
        (b"<HTML>", "a web page"),
        (b"\x1f\x8b", "cannot be unpacked"),
        (gzip.compress(b"\x1f\x8b hello", mtime=0), "a gzip file"),
        (gzip.compress(IDX, mtime=0)[:-9], "cannot be unpacked"),
        (gzip.compress(IDX, mtime=0)[:-5] + b"\x99" + gzip.compress(IDX, mtime=0)[-4:], "cannot be unpacked"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 40, "cannot be unpacked"),
        (b"\0\0\x08\x00", "0 dimensions"),
        (b"\0\0\x08\x05" + bytes(40), "5 dimensions"),
        (b"\0\0\x08\xff" + bytes(40), "255 dimensions"),
        (IDX[:10], "truncated inside its header: 10 bytes"),
        (formats.idx_header((3, 0, 2)), "sizes 3 x 0 x 2"),
        (formats.idx_header((1 << 31, 2, 2)) + bytes(100), "sizes 2,147,483,648 x 2 x 2"),
        (formats.idx_header((0xFFFFFFFF,) * 4) + bytes(100), "sizes 4,294,967,295 x"),
        (formats.idx_header((4, 4, 2)) + IMAGES.tobytes(), "truncated: 48 bytes are announced, 40 are there"),
        (formats.idx_header((1 << 31,)) + IMAGES.tobytes(), "truncated: 2,147,483,656 bytes are announced, 32 are there"),
        (IDX + b"\0", "longer than its header says: 40 bytes are announced, 41 are there"),
        (gzip.compress(IDX + b"\0", mtime=0), "longer than its header says"),
        (gzip.compress(IDX, mtime=0) + b"trailing", "cannot be unpacked"),
    ],
)
def test_damage_is_said_in_words(path: Path, content: bytes, words: str) -> None:
    assert words in says(path, content)


@pytest.mark.parametrize("code, words", [(0x09, "signed bytes"), (0x0B, "16-bit integers"), (0x0C, "32-bit integers"), (0x0E, "doubles")])
def test_other_types_are_refused_by_name(path: Path, code: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(path, IDX[:2] + bytes([code]) + IDX[3:])


def test_every_truncation_is_noticed(path: Path) -> None:
    for content in (IDX, gzip.compress(IDX, mtime=0)):
        for end in range(len(content)):
            assert says(path, content[:end])


def test_a_folder_a_fifo_and_nothing_are_named_without_waiting(tmp_path: Path) -> None:
    with pytest.raises(DataDamaged, match="folder"):
        formats.read_idx(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(DataDamaged, match="not a regular file"):
        formats.read_idx(tmp_path / "fifo")
    with pytest.raises(DataDamaged, match="not a regular file"):
        formats.map_file(tmp_path / "fifo")
    with pytest.raises(DataMissing):
        formats.read_idx(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(DataMissing):
        formats.read_idx(tmp_path / "file" / "below")
    with pytest.raises(DataDamaged, match="empty"):
        formats.map_file(tmp_path / "file")
    with pytest.raises(FileError):
        formats.read_idx(tmp_path / "zero\0byte")


@pytest.mark.parametrize("name", ["with space", "new\nline", os.fsdecode(b"not-\xff\xfe-utf8"), "ümläut", "-rf", "a" * 255])
def test_any_file_name_works_and_can_be_shown(tmp_path: Path, name: str) -> None:
    assert np.array_equal(read(tmp_path / name, IDX), IMAGES)
    with pytest.raises(DataDamaged) as caught:
        read(tmp_path / name, b"")
    str(caught.value).encode()
    assert len(str(caught.value).splitlines()) == 2


def peak_bytes(path: Path, size_bytes: int | None = None) -> int:
    """How much memory it takes to find out that the file is no good."""
    tracemalloc.start()
    try:
        with pytest.raises(DataDamaged):
            formats.parse_idx(formats.read_unpacked(path, size_bytes))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gzip_bomb_is_never_unpacked_beyond_what_is_expected(path: Path) -> None:
    path.write_bytes(bomb())
    assert path.stat().st_size < 2 << 20
    assert peak_bytes(path, 1000) < 64 << 20
    path.write_bytes(bomb(IDX))
    assert peak_bytes(path) < 64 << 20
    assert len(formats.read_unpacked(path, 1000)) == 1001


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_memory_grows_with_the_content_and_not_with_what_the_header_says(path: Path, pack: type[bytes]) -> None:
    path.write_bytes(pack(formats.idx_header((1 << 31,)) + bytes(100)))
    assert peak_bytes(path) < 8 << 20


def test_every_flipped_bit_gives_an_array_or_a_sentence(path: Path) -> None:
    """Which of them are wrong is for the checksum to find: see test_data_cache.py."""
    for content in (IDX, gzip.compress(IDX, mtime=0)):
        for bit in range(8 * len(content)):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            try:
                assert formats.read_idx(path).dtype == np.uint8
            except DataError as error:
                assert error.what  # noqa: PT017


def test_a_mapped_file_is_never_changed_by_writing_into_its_array(path: Path) -> None:
    path.write_bytes(IDX)
    array = formats.parse_idx(formats.map_file(path))
    assert array.flags.writeable
    array[:] = 99
    assert path.read_bytes() == IDX


def test_a_file_that_may_not_be_read_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(IDX)

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "as for another user, which root never is")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match="No permission"):
        formats.read_idx(path)
