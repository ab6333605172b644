"""What is on this machine, in whichever way it is kept: the catalogue's IDX files, and arrays that were made here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from handlens import files
from handlens.data import cache, catalog, originals, stored
from handlens.data.cache import Cached
from handlens.data.catalog import DATASETS, MINE
from handlens.data.entry import Archive, Entry
from handlens.data.formats import shown
from handlens.data.known import is_known
from handlens.data.mine import built
from handlens.data.mine.digits import digits, home
from handlens.data.say import Say
from handlens.data.stored import Stored
from handlens.errors import DataError, FileError, UsageError, nearest


@dataclass(frozen=True)
class Status:
    """What `handlens data ls` says about a data set. `on_disk`: all files are there with the right lengths (`check` reads each byte)."""

    name: str
    on_disk: bool
    folder: Path
    size_bytes: int
    licence: str
    description: str


def status() -> list[Status]:
    """Every data set of the catalogue, the user's own digits, and every one that was imported: whether it is here, where, how large."""
    return [_known(name, entry) for name, entry in DATASETS.items()] + _own_digits() + [_imported(name) for name in imported()]


def imported() -> list[str]:
    """The names of the data sets that the user imported."""
    return [name for name in stored.names() if name not in (*DATASETS, MINE)]


def was_read_from(name: str, path: Path) -> bool:
    """Whether the images of that name were imported from this folder or file, which is still there."""
    folder = stored.find(name) if name not in DATASETS and path.exists() else None
    try:
        return folder is not None and stored.read_about(folder).origin == shown(path.absolute())
    except (DataError, FileError):
        return False


def _known(name: str, entry: Entry | Archive) -> Status:
    if isinstance(entry, Entry):
        folder, on_disk = cache.place(name)
    else:
        found = stored.find(name)
        folder, on_disk = found or cache.root() / name, _is_whole(found)
    return Status(name, on_disk, folder, entry.size_bytes, entry.licence, entry.description)


def _own_digits() -> list[Status]:
    try:
        kept = digits()
    except (DataError, FileError) as error:
        return [Status(MINE, False, home(), 0, "yours", f"damaged: {error.what}")]
    return [Status(MINE, True, home(), 28 * 28 * len(kept), "yours", built.in_words(kept))] if kept else []


def _imported(name: str) -> Status:
    folder = stored.find(name) or cache.root() / name
    try:
        about = stored.read_about(folder)
    except (DataError, FileError) as error:
        return Status(name, False, folder, 0, "", f"damaged: {error.what}")
    size = sum(array.size_bytes for array in about.arrays.values())
    return Status(name, _is_whole(folder), folder, size, about.licence or "yours", about.description)


def _is_whole(folder: Path | None) -> bool:
    try:
        arrays = stored.read_about(folder).arrays.items() if folder else ()
    except (DataError, FileError):
        return False
    return bool(arrays) and folder is not None and all(cache.has_length(folder / part, array.size_bytes) for part, array in arrays)


def check(name: str, say: Say = lambda *_: None) -> Cached | Stored:
    """The data set of that name as it is on this machine, every byte verified. Nothing is looked for elsewhere.

    Args:
        name: of the catalogue, `mine`, or of one that was imported.
        say: is told if own digits have to be prepared first.

    Raises:
        UsageError: there is no data set of that name.
        DataMissing: it is not on this machine.
        DataDamaged: it is, but not with the right content; says which file, and the expected and the found SHA-256.
        FileError: the system does not let us read it.
    """
    if name == MINE:
        return built.build(say)
    if name in imported():
        return stored.read(name)
    if name not in DATASETS:
        raise unknown(name)
    entry = catalog.find(name)
    return cache.check(name) if isinstance(entry, Entry) else originals.read(name, entry)


def unknown(name: str) -> UsageError:
    """The error for a name that leads nowhere, with the one that was probably meant."""
    hint = nearest(name, [*DATASETS, *imported()])
    advice = f"{hint} To make one of your own images: handlens data import FOLDER".strip()
    return UsageError(f"There is no data set '{files.printable(name)}'.", hint=advice)


def remove(name: str) -> Path:
    """Delete a data set from this machine and say where it was; the files that it was imported from stay.

    Raises:
        UsageError: there is no data set of that name.
        DataMissing: it is not on this machine.
        FileError: the disk refuses.
    """
    if not is_known(name):
        raise unknown(name)
    if name == MINE:
        raise UsageError("Your own digits are nowhere else.", where=str(home()), hint="To forget one of them: handlens mine rm ID")
    if isinstance(DATASETS.get(name), Entry):
        raise UsageError(f"'{name}' would have to be downloaded again.", hint=f"Delete its folder yourself: {cache.root() / name}")
    return stored.remove(name)
