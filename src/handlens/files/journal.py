"""A file of lines that only grows: what was added is on the disk when `add` returns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from handlens.files.reading import read_bytes
from handlens.files.reasons import explain
from handlens.files.writing import make_folder, sync_folder, write_all


class Journal:
    """Lines, one after the other. A part of a line, which a kill or a full disk left behind, counts as nothing.

    Only one process at a time may add; see `lock`.

    Args:
        path: the file; it is made with the first line.
        most: bytes that it may have.
        mode: who may read and write it.

    Attributes:
        lines: what was in it when it was opened, without the ends of the lines.

    Raises:
        FileError: it is larger, or cannot be read.
    """

    def __init__(self, path: Path, most: int, *, mode: int = 0o600) -> None:
        whole, end, _part = (read_bytes(path, most) if path.exists() else b"").rpartition(b"\n")
        self.path = path
        self.most = most
        self.lines = whole.split(b"\n") if end else []
        self._mode = mode
        self._size = len(whole) + len(end)

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines. After a kill some of the first of them may be there, each whole.

        Raises:
            FileError: the disk is full, read-only, or forbids it; what got there of them is cut off by the next that are added.
        """
        data = b"".join(line + b"\n" for line in lines)
        try:
            make_folder(self.path.parent)
            is_new = not self.path.exists()
            self._write(data)
            if is_new:
                sync_folder(self.path.parent)
        except OSError as error:
            raise explain(error, self.path) from error
        self._size += len(data)

    def _write(self, data: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), self._mode)
        try:
            if os.fstat(descriptor).st_size > self._size:  # a part of a line, or lines that were told to have failed
                os.ftruncate(descriptor, self._size)
            os.lseek(descriptor, self._size, os.SEEK_SET)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @property
    def is_full(self) -> bool:
        """Whether there is room for little more."""
        return self._size > 0.95 * self.most
