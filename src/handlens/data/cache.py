"""The cache: one folder a data set, written once, verified whenever it is opened.

    <root>/mnist/lock            who fills it, if anybody does
    <root>/mnist/filling/        verified files of a data set that is not complete yet
    <root>/mnist/partial/        downloads that broke off
    <root>/mnist/0123456789ab/   the four IDX files; the name is the fingerprint of their content

Other processes may have these files mapped into their memory, and Windows lets nobody rename or delete such a file. So a published
folder is never changed: if its content is damaged, good content gets a new name (`0123456789ab-2`), and the old folder goes when it can.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import catalog, formats
from handlens.data.catalog import DataFile, Entry
from handlens.data.formats import shown
from handlens.data.offline import is_offline
from handlens.data.say import Say
from handlens.errors import DataDamaged, DataError, DataMissing, FileError, RunBusy

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Cached:
    """A data set on this machine, every byte verified.

    Attributes:
        folder: where it is.
        arrays: what its files hold, by their names, mapped into memory; writing into one never reaches the file.
    """

    folder: Path
    arrays: dict[str, NDArray[np.uint8]]


def root() -> Path:
    """Where all data sets are kept: `HANDLENS_DATA`, or the user's cache folder."""
    import platformdirs

    chosen = os.environ.get("HANDLENS_DATA")
    return Path(chosen).expanduser().absolute() if chosen else platformdirs.user_cache_path("handlens", appauthor=False) / "data"


def place(name: str) -> tuple[Path, bool]:
    """Where the four files of a data set are or would be, and whether all are there with the right lengths."""
    entry = catalog.find_idx(name)
    complete = [folder for folder in _versions(name) if all(has_length(folder / file.name, file.size_bytes) for file in entry.files)]
    return (complete[0], True) if complete else (root() / name / entry.fingerprint, False)


def has_length(path: Path, size_bytes: int) -> bool:
    """Whether there is a file of that length."""
    try:
        return path.is_file() and path.stat().st_size == size_bytes
    except OSError:
        return False


def check(name: str) -> Cached:
    """The data set of that name as it is in the cache, every byte verified. Nothing is looked for elsewhere.

    Raises:
        UsageError: there is no data set of that name.
        DataMissing: it is not in the cache.
        DataDamaged: it is, but not with the right content; says which file, and the expected and the found SHA-256.
        FileError: the system does not let us read it.
    """
    entry = catalog.find_idx(name)
    problems: list[DataError] = []
    for folder in reversed(_versions(name)):
        try:
            return Cached(folder, {file.name: _verified(folder / file.name, file) for file in entry.files})
        except DataError as error:
            problems.append(DataDamaged(f"{entry.title} in the cache is damaged. {error.what}", where=error.where))
    raise problems[0] if problems else DataMissing(f"{entry.title} is not in the cache.", where=shown(root() / name))


def _verified(path: Path, file: DataFile) -> NDArray[np.uint8]:
    content = formats.map_file(path)
    verify(content, file, shown(path))
    return formats.parse_idx(content, shown(path))


def verify(content: bytes | bytearray | memoryview, file: DataFile, where: str) -> None:
    """Refuse bytes that are not exactly the unpacked `file`.

    Raises:
        DataDamaged: with the expected and the found length and SHA-256.
    """
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DataDamaged(
            f"{file.name} must have {file.size_bytes:,} bytes and the SHA-256 {file.sha256}; "
            f"here is {formats.kind_of(content)} of {len(content):,} bytes with the SHA-256 {found}.",
            where=where,
        )


def is_being_filled(name: str) -> bool:
    """Whether a process puts that data set into the cache just now."""
    return files.is_locked(root() / name / "lock")


def unfilled(name: str) -> list[DataFile]:
    """The files that no fetch which broke off has left here, told by their lengths."""
    folder = root() / name / "filling"
    return [file for file in catalog.find_idx(name).files if not has_length(folder / file.name, file.size_bytes)]


def _versions(name: str) -> list[Path]:
    """The folders in which the data set may be, the oldest first: its fingerprint, and that with -2, -3 ..."""
    found = (root() / name).glob(catalog.find_idx(name).fingerprint + "*")
    return sorted(found, key=lambda folder: (len(folder.name), folder.name))


@dataclass(frozen=True)
class Filling:
    """A data set on its way into the cache. Only `filling` makes one, so that no two processes have one of the same name."""

    name: str
    entry: Entry
    home: Path

    @property
    def partial(self) -> Path:
        """Where downloads that broke off are kept."""
        return self.home / "partial"

    @property
    def missing(self) -> list[DataFile]:
        """The files that are not here yet, whole and right."""
        return [file for file in self.entry.files if not self._has(file)]

    def _has(self, file: DataFile) -> bool:
        try:
            _verified(self._folder / file.name, file)
        except DataError:
            return False
        return True

    @property
    def _folder(self) -> Path:
        return self.home / "filling"

    def add(self, file: DataFile, content: bytes | bytearray, where: str) -> None:
        """Keep the content of one file.

        Raises:
            DataDamaged: it is not the right content; nothing is kept.
            FileError: the disk is full, read-only, or forbids it.
        """
        verify(content, file, where)
        pieces = (bytes(content[start : start + _PIECE_BYTES]) for start in range(0, len(content), _PIECE_BYTES))
        files.write_atomic(self._folder / file.name, pieces)

    def publish(self) -> None:
        """Give the complete folder its name."""
        publish(self.home, self.entry.fingerprint, _versions(self.name))


def publish(home: Path, fingerprint: str, old: list[Path]) -> Path:
    """Give the complete folder `filling` its name. What is old or half there goes, unless the system keeps it because it is in use.

    Raises:
        FileError: the disk refuses.
    """
    names = itertools.chain([fingerprint], (f"{fingerprint}-{number}" for number in itertools.count(2)))
    folder = next(home / name for name in names if not (home / name).exists())
    files.move(home / "filling", folder)
    for leftover in (*old, home / "partial"):
        with contextlib.suppress(FileError):
            files.remove(leftover)
    return folder


@contextlib.contextmanager
def filling(name: str, say: Say) -> Iterator[Filling]:
    """Alone among all processes, put the data set of that name into the cache. Waiting and errors as in `alone`."""
    with alone(name, say, waits=not is_offline()) as home:
        yield Filling(name, catalog.find_idx(name), home)


@contextlib.contextmanager
def alone(name: str, say: Say, *, waits: bool = True) -> Iterator[Path]:
    """The home of the data set of that name, while no other process fills it; waits, and says so, while another one does.

    Raises:
        DataMissing: another one does, and it is not to wait: what is only looked at must not hang behind a download.
        FileError: the cache cannot be written.
    """
    home = root() / name
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.lock(home / "lock"))
        except RunBusy as busy:
            if not waits:
                raise DataMissing(f"'{name}' is being fetched just now.", where=shown(home)) from busy
            say(f"{busy.what} Waiting for it to fill {shown(home)}.")
            stack.enter_context(files.lock(home / "lock", wait_s=-1))
        files.sweep(home / "filling")
        try:
            yield home
        except FileError:
            with contextlib.suppress(FileError):
                files.remove(home / "filling")  # a full disk is not left full
            raise
