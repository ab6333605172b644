"""Data sets that were made into arrays here: `about.json` says what they are, and beside it lie the arrays, byte after byte.

    <root>/flowers/0123456789ab/about.json      the folder is named after its SHA-256
    <root>/flowers/0123456789ab/train-images    and it has the SHA-256, the shape and the type of each array

So a data set is right or absent, as in the cache of IDX files, although nobody published what the right bytes are.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from handlens import files
from handlens.data import cache, formats
from handlens.data.formats import shown
from handlens.errors import DataDamaged, DataMissing, FileError

ABOUT = "about.json"
SPLITS = ("train", "val", "test")
_MOST_ABOUT = 1 << 26
_FOLDER = re.compile(r"[0-9a-f]{12}(-\d+)?")
_Name = Annotated[str, Field(pattern=r"^(train|val|test)-(images|labels|writers)$")]


class Array(BaseModel):
    """One array: its shape, its type (bytes, or 64-bit integers) and the SHA-256 of its content."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[PositiveInt, ...] = Field(min_length=1, max_length=4)
    dtype: Literal["|u1", "<i8"]
    sha256: str

    @property
    def size_bytes(self) -> int:
        """Length of its file."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class About(BaseModel):
    """What stands in `about.json`.

    Attributes:
        title, description, licence: as in the catalogue.
        classes: the name of each class.
        origin: where the images came from, in words.
        key: changes when the source does, so that the same one is not read twice.
        ink: bright strokes on black.
        image_size: height and width in pixels, if the user asked for them.
        remarks: what people should know: how it was split, what was turned.
        unreadable: files that were left out, and why.
        arrays: by `<split>-images`, `<split>-labels` and, if known, `<split>-writers`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    description: str = ""
    licence: str = ""
    classes: tuple[str, ...] = Field(min_length=1)
    origin: str = ""
    key: str = ""
    ink: bool = False
    image_size: int | None = None
    remarks: tuple[str, ...] = ()
    unreadable: dict[str, str] = {}
    arrays: dict[_Name, Array] = {}


@dataclass(frozen=True)
class Stored:
    """A data set on this machine, every byte verified. `arrays` are mapped into memory; writing into one never reaches the file."""

    folder: Path
    about: About
    arrays: dict[str, NDArray[Any]]


def find(name: str) -> Path | None:
    """The folder of the data set of that name, the newest if there are several; None if there is none. Nothing is verified."""
    if not files.NAME.fullmatch(name):
        return None
    made = {folder: _made(folder) for folder in files.entries(cache.root() / name) if _FOLDER.fullmatch(folder.name)}
    return max((folder for folder in made if made[folder]), key=made.__getitem__, default=None)


def _made(folder: Path) -> int:
    """When a data set was published there, in ns; 0 if none was."""
    try:
        return (folder / ABOUT).stat().st_mtime_ns
    except OSError:
        return 0


def names() -> list[str]:
    """Every data set that is kept in this way."""
    return [home.name for home in files.entries(cache.root()) if find(home.name)]


def read(name: str) -> Stored:
    """The data set of that name, every byte verified.

    Raises:
        DataMissing: it is not there.
        DataDamaged: it is, but not as it was written; says which file.
        FileError: the system does not let us read it.
    """
    folder = find(name)
    if folder is None:
        raise DataMissing(f"'{name}' is not in the cache.", where=shown(cache.root() / name))
    about = read_about(folder)
    return Stored(folder, about, {part: _map(folder / part, array) for part, array in about.arrays.items()})


def read_about(folder: Path) -> About:
    """What `about.json` in a folder says, if its SHA-256 is the folder's name.

    Raises:
        DataDamaged: it is not, or it is no such file.
        FileError: the system does not let us read it.
    """
    content = files.read_bytes(folder / ABOUT, _MOST_ABOUT)
    if not folder.name.startswith(files.sha256(content)[:12]):
        raise DataDamaged("about.json has changed since the data set was made.", where=shown(folder), hint="Import it again.")
    try:
        return About.model_validate_json(content)
    except ValidationError as error:
        raise DataDamaged(
            f"about.json cannot be read: {error.errors()[0]['msg']}.", where=shown(folder), hint="Import it again."
        ) from error


def _map(path: Path, array: Array) -> NDArray[Any]:
    content = formats.map_file(path)
    if len(content) != array.size_bytes or hashlib.sha256(content).hexdigest() != array.sha256:
        raise DataDamaged(
            f"{path.name} must have {array.size_bytes:,} bytes and the SHA-256 {array.sha256}; "
            f"here are {len(content):,} bytes with another one.",
            where=shown(path),
            hint="Import or fetch it again.",
        )
    return np.frombuffer(content, array.dtype).reshape(array.shape)


class Writer:
    """Arrays on their way into the folder `filling` of a data set's home. Only who is `cache.alone` there may make one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = home / "filling"
        self.arrays: dict[str, Array] = {}
        files.remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(FileError):
            files.remove(self.folder)  # what was published has moved away

    def add(self, name: str, blocks: Iterable[NDArray[Any]]) -> int:
        """Write an array, given as blocks of its first dimension, so that it need never be in memory whole; gives its length.

        Nothing is kept if there are no blocks.

        Raises:
            FileError: the disk is full, read-only, or forbids it.
        """
        digest = hashlib.sha256()
        shapes: list[tuple[int, ...]] = []
        dtypes: list[str] = []

        def pieces() -> Iterator[bytes]:
            for block in blocks:
                content = np.ascontiguousarray(block).tobytes()
                shapes.append(block.shape)
                dtypes.append(block.dtype.str)
                digest.update(content)
                yield content

        files.write_atomic(self.folder / name, pieces())
        count = sum(shape[0] for shape in shapes)
        if count == 0:
            files.remove(self.folder / name)
        else:
            self.arrays[name] = Array(shape=(count, *shapes[0][1:]), dtype=dtypes[0], sha256=digest.hexdigest())
        return count

    def publish(self, about: About) -> Path:
        """Give the folder its name; what was kept under the data set's name before goes.

        Raises:
            FileError: the disk refuses.
        """
        whole = about.model_copy(update={"arrays": self.arrays})
        content = json.dumps(whole.model_dump(mode="json"), indent=1, ensure_ascii=False).encode(errors="replace")
        files.write_atomic(self.folder / ABOUT, content)
        old = [folder for folder in files.entries(self.home) if _FOLDER.fullmatch(folder.name)]
        return cache.publish(self.home, files.sha256(content)[:12], old)


def remove(name: str) -> Path:
    """Delete a data set that is kept in this way, and say where it was.

    Raises:
        DataMissing: there is none of that name.
        FileError: the disk refuses.
    """
    folder = find(name)
    if folder is None:
        raise DataMissing(f"'{name}' is not in the cache.", where=shown(cache.root() / name))
    with cache.alone(name, lambda *_: None):
        files.remove(folder)
    return folder


def same_source(name: str, key: str) -> bool:
    """Whether a whole data set of that name was made from the source of that key."""
    try:
        return read(name).about.key == key
    except (DataMissing, DataDamaged, FileError):
        return False
