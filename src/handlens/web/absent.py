"""Data sets that are not on this machine. The lab fetches none unasked: it says which, how large they are, and how to get them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from handlens import data
from handlens.data.catalog import DATASETS
from handlens.data.entry import Archive, Original
from handlens.data.say import megabytes
from handlens.data.sources import lacking
from handlens.errors import DataError, DataMissing
from handlens.words import counted


class Absent(DataMissing):
    """Data sets of the catalogue that are not here, and without which something cannot be done.

    Attributes:
        names: theirs.
    """

    names: tuple[str, ...] = ()


def absent_ones(*names: str) -> tuple[str, ...]:
    """Those that are data sets of the catalogue and not here; others, such as one's own digits, could not be fetched from anywhere."""
    here = {status.name for status in data.status() if status.on_disk}
    return tuple(name for name in dict.fromkeys(names) if name in DATASETS and name not in here)


def check_here(*names: str) -> None:
    """Whether data sets are here, as far as they would have to be fetched.

    Raises:
        Absent: some are not, or damaged; says how large they are, and how to get them.
    """
    absent = tuple(name for name in dict.fromkeys(names) if name in DATASETS and not _is_right(name))
    if not absent:
        return
    titles = " and ".join(DATASETS[name].title for name in absent)
    commands = ", then ".join(f"handlens data fetch {name}" for name in absent)
    how = "not on this machine" if absent == absent_ones(*absent) else "not on this machine, or damaged"
    size = _size({file for name in absent for file in lacking(name)})
    error = Absent(f"The images of {titles} are {how}.", hint=f"To get them{size}: {commands}")
    error.names = absent
    raise error


def _is_right(name: str) -> bool:
    """Whether it is here with every byte: what only looks like it could not be read, and would be fetched anew."""
    try:
        data.check(name)
    except DataError:
        return False
    return True


@contextlib.contextmanager
def needing(*names: str) -> Iterator[None]:
    """Whoever needs these data sets is told in two sentences that they are not here, in place of all that was tried to find them.

    Raises:
        Absent: some are not.
    """
    try:
        yield
    except DataMissing:
        check_here(*names)
        raise


def _size(files: set[Original]) -> str:
    """How much files are that would have to be downloaded, behind a comma; nothing is said where there are none."""
    known, unknown = sum(file.size_bytes for file in files), sum(not file.size_bytes for file in files)
    parts = [megabytes(known)] * (known > 0) + [counted(unknown, "file of unknown size", "files of unknown size")] * (unknown > 0)
    return f", {' and '.join(parts)}" if parts else ""


def published(name: str) -> list[dict[str, Any]]:
    """The files of a data set of the catalogue that are fetched, or that somebody can carry here.

    Of each its name, length (0 if nobody says it) and checksum, which tells whether another data set has the same file; and whether
    it is on this machine, so that it need not be downloaded.
    """
    entry, absent = DATASETS[name], lacking(name)
    originals = entry.originals if isinstance(entry, Archive) else [file.packed for file in entry.files]
    return [
        {"name": file.name, "size_bytes": file.size_bytes, "checksum": file.sha256 or file.md5, "here": file not in absent}
        for file in originals
    ]
