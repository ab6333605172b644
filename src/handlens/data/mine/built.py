"""The user's own digits as arrays, for `handlens.data.load("mine")`: made again when they have changed, or the way they are read."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import cache, stored
from handlens.data.catalog import MINE
from handlens.data.mine.digits import CLASSES, PARTS, Digit, digits, nothing_yet, seen
from handlens.data.say import Say
from handlens.data.stored import About, Stored, Writer
from handlens.errors import DataError, FileError
from handlens.words import counted

_MANY = 500


def build(say: Say = lambda *_: None) -> Stored:
    """The arrays, from the cache, or made now; where the data folder cannot be written they are made each time.

    Args:
        say: is told if it takes seconds, or another process is doing the same.

    Raises:
        DataMissing: there are no digits yet.
        DataDamaged: the table, or the picture of a digit, is not what it should be.
        FileError: the folder cannot be read.
    """
    kept = digits()
    if not kept:
        raise nothing_yet()
    key = _key(kept)
    with contextlib.suppress(DataError, FileError):
        if (found := stored.read(MINE)).about.key == key:
            return found
    if len(kept) > _MANY:
        say(f"Preparing {counted(len(kept), 'digit')} of your own, once.")
    arrays = _arrays(kept)
    about = About(title=MINE, description=in_words(kept), licence="yours", classes=CLASSES, key=key, ink=True)
    with contextlib.suppress(FileError), cache.alone(MINE, say) as folder, Writer(folder) as writer:
        for name, array in arrays.items():
            writer.add(name, [array])
        writer.publish(about)
    return Stored(cache.root() / MINE, about, arrays)


def in_words(kept: list[Digit]) -> str:
    """How many digits there are, and in which part."""
    tests = sum(digit.part == "test" for digit in kept)
    return f"{counted(len(kept), 'digit')} of your own: {len(kept) - tests:,} to learn from, {tests:,} for the test"


def _key(kept: list[Digit]) -> str:
    return files.sha256(repr([(digit.id, digit.label, digit.part) for digit in kept]).encode() + _way().encode())


@functools.cache
def _way() -> str:
    """Changes when the code does that makes 28x28 pixels of a picture."""
    sources = sorted((Path(__file__).parent.parent / "drawing").glob("*.py"))
    return files.sha256(b"".join(files.read_bytes(source) for source in sources))


def _arrays(kept: list[Digit]) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for part in PARTS:
        members = [digit for digit in kept if digit.part == part]
        if members:
            arrays[f"{part}-images"] = np.stack([seen(digit).image for digit in members])[:, None]
            arrays[f"{part}-labels"] = np.array([digit.label for digit in members], "<i8")
    return arrays
