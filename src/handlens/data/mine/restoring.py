"""Digits that are deleted, and may be wanted back a moment later: nothing of them is kept here but by whoever deleted them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from handlens import files
from handlens.data.drawing import read
from handlens.data.mine.digits import Digit, changing, find, id_of, place, remove
from handlens.errors import DataError, FileError, UsageError

_MOST_BYTES = 1 << 24
_LARGEST = 1 << 12


@dataclass(frozen=True)
class Removed:
    """All that there was of a digit.

    Attributes:
        digit: its line in the table.
        png: its picture; empty if that was lost.
        strokes: as JSON; empty if it did not come as such.
    """

    digit: Digit
    png: bytes
    strokes: str


def take_out(reference: str) -> Removed:
    """Delete a digit, and hand over all of it.

    Raises:
        UsageError: there is no such digit.
        RunBusy, DataDamaged, FileError: see `changing`.
    """
    digit = find(reference)
    parts = [_content(digit.id, suffix) for suffix in ("png", "json")]
    return Removed(remove(digit.id), parts[0], parts[1].decode(errors="replace"))


def _content(digit_id: str, suffix: str) -> bytes:
    path = place(digit_id, suffix)
    try:
        return files.read_bytes(path, _MOST_BYTES) if path.exists() else b""
    except FileError:
        return b""


def put_back(removed: Removed) -> Digit:
    """Undo `take_out`: the same picture, label and part, now the last in the table.

    Raises:
        UsageError: that is no such digit, or it is there again.
        RunBusy, DataDamaged, FileError: see `changing`.
    """
    digit = removed.digit
    try:
        right = id_of(read(removed.png, _LARGEST).pixels) == digit.id
        strokes = isinstance(json.loads(removed.strokes or "[]"), list)
    except (DataError, ValueError, RecursionError) as error:
        raise _no_digit() from error
    if not right or not strokes:
        raise _no_digit()
    with changing() as kept:
        if digit.id in {one.id for one in kept}:
            raise UsageError("This digit is there again already.")
        for suffix, content in (("json", removed.strokes), ("png", removed.png)):
            if content:
                files.write_atomic(place(digit.id, suffix), content)
        kept.append(digit)
    return digit


def _no_digit() -> UsageError:
    return UsageError("This is not what was deleted.", hint="Add its picture again instead.")
