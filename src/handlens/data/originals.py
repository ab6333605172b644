"""Data sets that are read from their published files: found in a folder or downloaded, verified, made into arrays, kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import cache, formats, stored
from handlens.data.catalog import DATASETS
from handlens.data.entry import Archive, Original
from handlens.data.formats import shown
from handlens.data.mirrors import Patience, addresses, download
from handlens.data.offline import is_offline
from handlens.data.readers import READERS
from handlens.data.say import Say
from handlens.data.stored import About, Stored, Writer
from handlens.errors import DataDamaged, DataMissing, FileError


def read(name: str, entry: Archive) -> Stored:
    """The data set as it is in the cache, every byte verified.

    Raises:
        DataMissing: it is not there, or was made of other files than the catalogue names now.
        DataDamaged, FileError: as in `stored.read`.
    """
    found = stored.read(name)
    if found.about.key != entry.fingerprint:
        raise DataMissing(f"{entry.title} in the cache was made of other files.", where=shown(found.folder))
    return found


def fill(name: str, entry: Archive, named: Path | None, *, offline: bool, say: Say) -> None:
    """Put the data set into the cache, from `named`, other folders of this machine, or, unless `offline`, its mirrors.

    Raises:
        DataMissing: a file is nowhere; says which ones, with their checksums, and where to put them.
        DataDamaged: a file is there, but not the published one, or not what its reader expects.
        FileError: the cache cannot be written.
    """
    with cache.alone(name, say, waits=not is_offline()) as home, contextlib.ExitStack() as stack:
        if stored.same_source(name, entry.fingerprint):
            return  # another process was quicker
        writer = stack.enter_context(Writer(home))
        paths = stack.enter_context(collected(name, entry, named, offline, say))
        say(f"Reading {entry.title}. {entry.remark}".rstrip())
        _write(writer, entry, READERS[entry.reader](paths, entry))
        about = About(
            title=entry.title,
            description=entry.description,
            licence=entry.licence,
            classes=entry.classes,
            origin=entry.homepage,
            key=entry.fingerprint,
            ink=entry.ink,
            remarks=(entry.remark,) if entry.remark else (),
        )
        writer.publish(about)


def _write(writer: Writer, entry: Archive, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Keep what a reader made, if it is what the catalogue announces."""
    for split, count in zip(("train", "test"), entry.counts, strict=True):
        if count and arrays[f"{split}-images"].shape not in {(count, *entry.image_shape), (count, *entry.image_shape[1:])}:
            shape = "x".join(map(str, arrays[f"{split}-images"].shape))
            raise DataDamaged(f"The {split} images of {entry.title} are {shape}; {count:,} of {entry.image_shape} are announced.")
        if count and int(arrays[f"{split}-labels"].max()) >= len(entry.classes):
            raise DataDamaged(f"A {split} label of {entry.title} is above {len(entry.classes) - 1}.")
    for name, array in arrays.items():
        writer.add(name, [array if array.dtype == np.uint8 and name.endswith("images") else array.astype("<i8")])


@contextlib.contextmanager
def collected(name: str, entry: Archive, named: Path | None, offline: bool, say: Say) -> Iterator[list[Path]]:
    """The path of each published file, verified; what was downloaded is deleted when no other data set of the catalogue needs it.

    Raises:
        DataMissing: as in `fill`.
        FileError: the cache cannot be written.
    """
    patience, problems, paths, fetched = Patience(), [], [], []
    mirrors = [] if offline else addresses(name, entry.mirrors)
    for original in entry.originals:
        place = _place(original)
        try:
            path = _in_folders(original, [*_folders(entry, named), _home()], say)
            if path is None:
                download(original, place, mirrors, say, patience)
                path = place
            fetched += [place] * (path == place)
            paths.append(path)
        except DataMissing as error:
            problems += [f"  {line}" for line in str(error).splitlines()]
    if problems:
        raise _missing(name, entry, problems)
    yield paths
    if not _needed_elsewhere(name, entry):
        for path in fetched:
            with contextlib.suppress(FileError):
                files.remove(path)


def lacking(entry: Archive) -> list[Original]:
    """The published files that would have to be downloaded, told by their lengths; of one whose length nobody says each byte is read."""
    folders = [*_folders(entry, None), _home()]
    return [original for original in entry.originals if not any(_seems_right(path, original) for path in _paths(original, folders))]


def _seems_right(path: Path, original: Original) -> bool:
    if original.size_bytes:
        return cache.has_length(path, original.size_bytes)
    with contextlib.suppress(DataMissing, DataDamaged, FileError):
        return original.is_right(formats.map_file(path))
    return False


def _needed_elsewhere(name: str, entry: Archive) -> bool:
    """Whether the same file holds another data set (EMNIST has six, MNIST-C sixteen) that is not in the cache yet."""
    others = [(other, about) for other, about in DATASETS.items() if isinstance(about, Archive) and other != name]
    return any(set(about.originals) & set(entry.originals) and not stored.find(other) for other, about in others)


def _folders(entry: Archive, named: Path | None) -> list[Path]:
    """Where a published file may lie on this machine."""
    shared = os.environ.get("HANDLENS_SHARED")
    tops = [*([named] if named else []), Path("data").absolute()]
    below = [top / part for top in tops for part in ("", "raw", entry.torchvision, f"{entry.torchvision}/raw")]
    return [*below, *([Path(shared) / entry.shared] if shared and entry.shared else [])]


def _home() -> Path:
    """Where published files are kept that were downloaded."""
    return cache.root() / "originals"


def _place(original: Original) -> Path:
    return _home() / f"{(original.sha256 or original.md5)[:12]}-{original.name.lower()}"


def _paths(original: Original, folders: list[Path]) -> Iterator[Path]:
    """Where it may lie in some folders, under its own name or that under which it is kept."""
    yield from (folder / name for folder in folders for name in (original.name, _place(original).name))


def _in_folders(original: Original, folders: list[Path], say: Say) -> Path | None:
    """The first file of that name that is the published one."""
    for path in _paths(original, folders):
        with contextlib.suppress(DataMissing, DataDamaged, FileError):
            if original.is_right(formats.map_file(path)):
                return path
            say(f"{shown(path)} is not the published file: {original.checksum}.")
    return None


def _missing(name: str, entry: Archive, problems: list[str]) -> DataMissing:
    lines = ["What was tried:", *problems, "With a network that lets these through, try again. Or get these files from wherever you can:"]
    lines += [f"  {original.name}  {original.checksum}" for original in entry.originals]
    lines.append(f"Put them into any FOLDER, and run: handlens data fetch {name} --data-dir FOLDER")
    return DataMissing(
        f"{entry.title} is not on this machine, and no source gave it.", where=shown(cache.root() / name), hint="\n".join(lines)
    )


def identify(folder: Path) -> str | None:
    """The data set of the catalogue whose published files are all in a folder; None if there is none."""
    for name, entry in DATASETS.items():
        if isinstance(entry, Archive) and all(_in_folders(original, [folder], _quiet) for original in entry.originals):
            return name
    return None


def _quiet(sentence: str, done: float | None = None) -> None:
    """Say nothing."""
