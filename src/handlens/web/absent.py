"""Data sets that are not on this machine. The lab fetches none unasked: it says which, how large they are, and how to get them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from handlens import data
from handlens.data.catalog import DATASETS
from handlens.data.entry import Archive, Entry
from handlens.errors import DataError, DataMissing


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
    entries = [DATASETS[name] for name in absent]
    titles = " and ".join(entry.title for entry in entries)
    commands = ", then ".join(f"handlens data fetch {name}" for name in absent)
    size = sum(map(fetched_bytes, entries)) / 1e6
    how = "not on this machine" if absent == absent_ones(*absent) else "not on this machine, or damaged"
    error = Absent(f"The images of {titles} are {how}.", hint=f"To get them, {size:.0f} MB: {commands}")
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


def published(entry: Entry | Archive) -> list[dict[str, Any]]:
    """The files that are fetched, or that somebody can carry here: name and length of each."""
    originals = entry.originals if isinstance(entry, Archive) else [file.packed for file in entry.files]
    return [{"name": file.name, "size_bytes": file.size_bytes} for file in originals]


def fetched_bytes(entry: Entry | Archive) -> int:
    """What comes over the network; where nobody publishes the length of a file, what all images take unpacked."""
    sizes = [file["size_bytes"] for file in published(entry)]
    return sum(sizes) if all(sizes) else entry.size_bytes
