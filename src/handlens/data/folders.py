"""Folders of class folders, unpacked or in a zip file: which picture is of which class, and in which split.

flowers/rose/1.jpg               a folder for each class
flowers/train/rose/1.jpg         the same below `train`, `val` and `test`, if they are there
"""

from __future__ import annotations

import contextlib
import io
import lzma
import os
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from handlens import files
from handlens.data.formats import shown
from handlens.errors import DataDamaged, DataError, DataMissing
from handlens.words import counted

MOST_FILE_BYTES = 1 << 28
_MOST_ZIP_BYTES = 1 << 36
_MOST_RATIO = 1000
_SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "testing": "test"}
_JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini"}


class Tree(Protocol):
    """Files below a folder, wherever that is."""

    @property
    def names(self) -> dict[str, int]:
        """The path of each file from there, with `/`, in order, and its length in bytes."""

    def stamp(self) -> str:
        """Changes when a file does, is added or goes."""

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises FileError or DataDamaged if they cannot be had."""


class Folder:
    """The files below a folder of the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        found = sorted(self._walk())
        self.names = {name: size_bytes for name, size_bytes, _time in found}
        self._stamp = files.sha256(repr(found).encode(errors="replace"))

    def _walk(self) -> Iterator[tuple[str, int, int]]:
        for folder, _folders, found in os.walk(self.path, onerror=_refuse):
            for name in found:
                path = Path(folder, name)
                if files.is_file(path):
                    about = path.stat()
                    yield path.relative_to(self.path).as_posix(), about.st_size, about.st_mtime_ns

    def stamp(self) -> str:
        """See `Tree`."""
        return self._stamp

    def read(self, name: str) -> bytes:
        """See `Tree`."""
        return files.read_bytes(self.path / name, MOST_FILE_BYTES)


def _refuse(error: OSError) -> None:
    raise files.explain(error, Path(error.filename or "."))


class Zip:
    """The files in a zip file. Nothing is unpacked to the disk; what a zip file could do harm with is refused from its list of contents."""

    def __init__(self, source: Path | io.BytesIO) -> None:
        where = shown(source) if isinstance(source, Path) else ""
        try:
            self.archive = zipfile.ZipFile(source)
        except OSError as error:
            raise files.explain(error, Path(where)) from error
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError) as error:
            raise DataDamaged(f"This is no zip file: {error}.", where=where) from error
        members = [info for info in self.archive.infolist() if not info.is_dir()]
        problem = _danger(members)
        if problem:
            self.archive.close()
            raise DataDamaged(f"This zip file is refused: {problem}.", where=where)
        self.names = {info.filename: info.file_size for info in sorted(members, key=lambda info: info.filename)}

    def stamp(self) -> str:
        """See `Tree`."""
        contents = sorted((info.filename, info.file_size, info.CRC) for info in self.archive.infolist())
        return files.sha256(repr(contents).encode(errors="replace"))

    def read(self, name: str) -> bytes:
        """See `Tree`."""
        try:
            with self.archive.open(name) as member:
                return member.read(self.names[name])
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
            raise DataDamaged(f"It cannot be unpacked: {error}.", where=name) from error

    def close(self) -> None:
        """Let go of the file."""
        self.archive.close()


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Tree]:
    """The files in a folder or a zip file.

    Raises:
        DataMissing: there is neither.
        DataDamaged: a zip file that is damaged or dangerous.
        FileError: the system does not let us read it.
    """
    if files.is_folder(path):
        yield Folder(path)
    elif files.is_file(path):
        with contextlib.closing(Zip(path)) as tree:
            yield tree
    else:
        raise DataMissing("There is no such folder or file.", where=shown(path))


def _danger(members: list[zipfile.ZipInfo]) -> str:
    """Why the list of contents is not to be trusted; empty if it is."""
    for info in members:
        path = PurePosixPath(info.filename)
        name = files.printable(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
            return f"the name '{name}' leads out of its folder"
        if stat.S_ISLNK(info.external_attr >> 16):
            return f"'{name}' is a link"
        if info.flag_bits & 1:
            return f"'{name}' is encrypted"
        if info.file_size > MOST_FILE_BYTES or info.file_size > _MOST_RATIO * max(info.compress_size, 1 << 10):
            return f"'{name}' would be {info.file_size:,} bytes when unpacked, from {info.compress_size:,}"
    if sum(info.file_size for info in members) > _MOST_ZIP_BYTES:
        return "it would be more than 68 GB when unpacked"
    twice = [name for name, count in Counter(info.filename for info in members).items() if count > 1]
    return f"'{files.printable(twice[0])}' is in it twice" if twice else ""


@dataclass(frozen=True)
class Picture:
    """A file of a class in a split; the split is empty where the folders name none."""

    name: str
    label: str
    split: str


@dataclass(frozen=True)
class Arrangement:
    """The pictures that the folders promise, their classes in the order of the alphabet, and what was left out, in words."""

    pictures: tuple[Picture, ...]
    classes: tuple[str, ...]
    remarks: tuple[str, ...]


def arrange(tree: Tree, where: str) -> Arrangement:
    """Find classes and splits from the names of folders.

    Raises:
        DataError: there are not two folders with files in them.
    """
    paths = [parts for name in tree.names if not is_junk(parts := PurePosixPath(name).parts)]
    top = _common_top(paths)
    firsts = {path[top] for path in paths if len(path) > top + 1}
    split = "train" in {_SPLITS.get(first.lower()) for first in firsts}
    found = [picture for path in paths if (picture := _place(path, top, split))]
    classes = tuple(sorted({picture.label for picture in found}))
    if len(classes) < 2:
        raise DataError(
            f"There are files in {counted(len(classes), 'class folder')}; at least two classes are needed.",
            where=where,
            hint="Put the images of each class into a folder of their own: FOLDER/cat/1.jpg, FOLDER/dog/2.jpg.",
        )
    left = len(paths) - len(found)
    remarks = (f"{counted(left, 'file')} outside the class folders left out.",) if left else ()
    return Arrangement(tuple(found), classes, remarks)


def is_junk(parts: tuple[str, ...]) -> bool:
    """Whether a path is of a file that a system puts beside pictures, or is hidden."""
    return any(part.startswith(".") or part in _JUNK for part in parts)


def _common_top(paths: list[tuple[str, ...]]) -> int:
    """How many folders stand around everything: `flowers/` in a zip file of flowers."""
    top = 0
    while paths and len({path[top] for path in paths}) == 1 and min(len(path) for path in paths) > top + 2:
        top += 1
    return top


def _place(path: tuple[str, ...], top: int, split: bool) -> Picture | None:
    """The picture that a path promises; None for what is in no class folder."""
    rest = path[top:]
    if not split:
        return Picture("/".join(path), files.printable(rest[0]), "") if len(rest) > 1 else None
    kind = _SPLITS.get(rest[0].lower())
    return Picture("/".join(path), files.printable(rest[1]), kind) if kind and len(rest) > 2 else None
