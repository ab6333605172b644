"""From a name to a path, and from a path to bytes, or to the text of a program."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from importlib.util import decode_source
from pathlib import Path

from handlens.errors import FileError, UsageError
from handlens.files.reasons import explain, printable

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def child(root: Path, name: str) -> Path:
    """The only way from a string to a path: `root / name`, which cannot be anywhere else.

    Raises:
        UsageError: `name` has characters that a name cannot have, or leads out of `root` through a link.
    """
    if not NAME.fullmatch(name) or ".." in name:
        raise UsageError(
            f"'{printable(name)}' cannot be a name here.",
            hint="Use up to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit.",
        )
    path = root / name
    try:
        inside = path.resolve().parent == root.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        inside = False
    if not inside:
        raise UsageError(f"'{name}' leads out of its folder.", where=str(path))
    return path


def is_folder(path: Path) -> bool:
    """Whether it is there and is a folder.

    Raises:
        FileError: we may not look, or no folder can have that name.
    """
    return _asked(path, Path.is_dir)


def is_file(path: Path) -> bool:
    """Whether it is there and is a regular file.

    Raises:
        FileError: we may not look, or no file can have that name.
    """
    return _asked(path, Path.is_file)


def _asked(path: Path, what: Callable[[Path], bool]) -> bool:
    try:
        return what(path)
    except (OSError, ValueError) as error:
        raise explain(error, path) from error


def entries(folder: Path) -> list[Path]:
    """What is in `folder`, by name; nothing if it is no folder.

    Raises:
        FileError: we may not look.
    """
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise explain(error, folder) from error


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """Read a regular file; never a FIFO that would wait for ever, and never more than `most` bytes.

    Raises:
        FileError: it is not there, is no regular file, is larger than `most`, or cannot be read.
    """
    try:
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "not a regular file" if path.exists() else "not there"
            raise FileError(f"'{printable(path.name)}' is {kind}.", where=printable(str(path)))
        with open(path, "rb", opener=_open_without_waiting) as file:
            size = os.fstat(file.fileno()).st_size  # Python makes room for as much as it is told to read
            content = (file.read() if most is None else file.read(min(most, size) + 1)) or b""  # None: nothing has come yet
    except (OSError, ValueError) as error:
        raise explain(error, path) from error
    if most is not None and len(content) > most:
        raise FileError(
            f"'{printable(path.name)}' has more bytes than can be right; at most {most:,} are read here.", where=printable(str(path))
        )
    return content


def read_source(path: Path, most: int = 1 << 20) -> str:
    """The text of a Python file as Python reads it: in UTF-8, or in the encoding that it names itself.

    Raises:
        FileError: as in `read_bytes`.
        SyntaxError: it is not in its encoding, or names one that there is not.
    """
    try:
        return decode_source(read_bytes(path, most))
    except (ValueError, LookupError) as error:
        raise SyntaxError(str(error)) from error


def _open_without_waiting(path: str, flags: int) -> int:
    """For what looks like a file but waits for something to come: a FIFO put there since we looked, /proc/kmsg behind a link."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def sha256(source: bytes | os.PathLike[str]) -> str:
    """The SHA-256 of bytes, or of the file at a path, in hexadecimal.

    Raises:
        FileError: as in `read_bytes`.
    """
    return hashlib.sha256(source if isinstance(source, bytes) else read_bytes(Path(source))).hexdigest()
