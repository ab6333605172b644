"""The user's own digits on the disk: one folder with a picture of each, and a table that says what they are.

    <root>/mine/digits.csv          id, label, part, how the label was found, when it was added, where it came from
    <root>/mine/pictures/ID.png     what was drawn, as it was read
    <root>/mine/pictures/ID.json    its strokes, if it came as such

The table is what counts: it is written last, in one step, and a picture that it does not name was never kept.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data import cache
from handlens.data.catalog import MINE
from handlens.data.formats import shown
from handlens.errors import DataDamaged, DataError, DataMissing, FileError, UsageError

if TYPE_CHECKING:
    from handlens.data.drawing import Normalized

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
TABLE = "digits.csv"
PARTS = ("train", "test")
_ID = re.compile(r"[0-9a-f]{12}")
_MOST_BYTES = 1 << 24
_PATIENCE_S = 60.0
_LARGEST = 1 << 12  # pixels: none that is kept has so many along a side


@dataclass(frozen=True)
class Digit:
    """One line of the table.

    Attributes:
        id: the first 12 hexadecimal digits of the SHA-256 of its pixels: the same picture has the same one.
        label: what it is, 0 to 9.
        part: `train`, or `test` for those that are kept apart from every training.
        how: how the label was found: `folder`, `name`, `sheet`, `given`, or `mended` since.
        added: when, for people.
        source: where it came from, in words.
    """

    id: str
    label: int
    part: str
    how: str
    added: str
    source: str

    def to_dict(self) -> dict[str, str | int]:
        """As JSON."""
        return asdict(self)


class OtherLabel(UsageError):
    """A digit has another label than whoever asked thinks."""


_COLUMNS = tuple(field.name for field in fields(Digit))


def home() -> Path:
    """The folder that all of it is in."""
    return cache.root() / MINE


def digits() -> list[Digit]:
    """All digits, in the order in which they were added.

    Raises:
        DataDamaged: the table is not what it should be; says which line.
        FileError: it cannot be read.
    """
    path = home() / TABLE
    if not path.exists():
        return []
    try:
        lines = list(csv.reader(io.StringIO(files.read_bytes(path, _MOST_BYTES).decode("utf-8-sig"), newline="")))
    except (ValueError, csv.Error) as error:
        raise _damaged(f"it is no table: {error}") from error
    if not lines or tuple(lines[0]) != _COLUMNS:
        raise _damaged(f"its first line must be {','.join(_COLUMNS)}")
    return [_digit(line, number) for number, line in enumerate(lines[1:], start=2) if line]


def _digit(line: list[str], number: int) -> Digit:
    if len(line) != len(_COLUMNS) or not _ID.fullmatch(line[0]) or line[1] not in CLASSES or line[2] not in PARTS:
        raise _damaged(f"line {number} is no digit")
    return Digit(line[0], int(line[1]), *line[2:])


def _damaged(problem: str) -> DataDamaged:
    hint = "The pictures beside it are as they were. Mend the line, or move the whole folder away and add the pictures again."
    return DataDamaged(f"The table of your own digits is damaged: {problem}.", where=shown(home() / TABLE), hint=hint)


def nothing_yet() -> DataMissing:
    """What is said where there is no digit, with what to do."""
    hint = "To write some: handlens mine template sheet.pdf. To add pictures: handlens mine add FOLDER, or PICTURE --label 7."
    return DataMissing("You have no digits of your own yet.", where=shown(home()), hint=hint)


@contextlib.contextmanager
def changing() -> Iterator[list[Digit]]:
    """All digits, which nobody else can change meanwhile; if the body changes them, they are written, lastingly, when it ends.

    Raises:
        RunBusy: another process takes very long to do the same.
        DataDamaged, FileError: as in `digits`, or the folder cannot be written.
    """
    with _alone():
        before = digits()
        after = list(before)
        yield after
        if after != before:
            _write(after)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    try:
        with files.lock(home() / f"{TABLE}.lock", wait_s=_PATIENCE_S):
            files.sweep(home())
            files.sweep(home() / "pictures")
            yield
    except FileError as error:
        hint = error.hint or "Your own digits are kept in the data folder: set HANDLENS_DATA to one in which you may write."
        raise FileError(error.what, where=error.where, hint=hint) from error


def _write(rows: list[Digit]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_COLUMNS, *map(astuple, rows)])
    files.write_atomic(home() / TABLE, text.getvalue())


def find(reference: str, among: list[Digit] | None = None) -> Digit:
    """The digit of that id, or the only one whose id begins so.

    Raises:
        UsageError: there is none, or there are several.
    """
    begun = [digit for digit in (digits() if among is None else among) if digit.id.startswith(reference)] if reference else []
    if len(begun) == 1:
        return begun[0]
    problem = f"{len(begun)} of your digits begin with" if begun else "None of your digits is"
    hint = "Write more of it." if begun else "Their ids: handlens mine ls --all"
    raise UsageError(f"{problem} '{files.printable(reference)}'.", hint=hint)


def check_label(label: object) -> int:
    """A label as a number.

    Raises:
        UsageError: it is none of 0 to 9.
    """
    if isinstance(label, bool) or str(label) not in CLASSES:
        raise UsageError(f"'{files.printable(str(label))}' is no digit.", hint="A label is one of 0 to 9.")
    return int(str(label))


def relabel(reference: str, label: object, *, before: object = None) -> Digit:
    """Say what a digit really is. It stays in its part, so that none that was kept apart is learned from.

    Args:
        reference: its id, or the beginning of it.
        label: 0 to 9.
        before: what it must be up to now, if it is not what it shall be already; None for anything.

    Raises:
        UsageError: there is no such digit, or that is no label.
        OtherLabel: it is something else than `before`.
        RunBusy, DataDamaged, FileError: see `changing`.
    """
    right = check_label(label)
    with changing() as all_digits:
        old = find(reference, all_digits)
        if before is not None and old.label not in (right, check_label(before)):
            raise OtherLabel(f"This digit is a {old.label} by now, and no {before} any more.")
        new = Digit(old.id, right, old.part, "mended", old.added, old.source)
        all_digits[all_digits.index(old)] = new
    return new


def remove(reference: str) -> Digit:
    """Forget a digit, and delete its picture.

    Args:
        reference: its id, or the beginning of it.

    Raises:
        UsageError: there is no such digit.
        RunBusy, DataDamaged, FileError: see `changing`.
    """
    with _alone():  # to the end: somebody may be about to add the same picture again
        all_digits = digits()
        gone = find(reference, all_digits)
        _write([digit for digit in all_digits if digit != gone])
        for suffix in ("png", "json"):
            files.remove(place(gone.id, suffix))
    return gone


def place(digit_id: str, suffix: str = "png") -> Path:
    """Where the picture of a digit is, or its strokes (`json`)."""
    return files.child(home() / "pictures", f"{digit_id}.{suffix}")


def id_of(pixels: NDArray[np.uint8]) -> str:
    """The id of a picture, from its pixels H,W or H,W,3."""
    return files.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes())[:12]


def drawn(digit: Digit) -> NDArray[np.uint8]:
    """What was drawn, as it was read: H,W or H,W,3.

    Raises:
        DataDamaged: its picture is gone, or is another one now.
    """
    from handlens.data.drawing import read  # with SciPy, which whoever has no own digits need not wait for

    try:
        pixels = read(place(digit.id), _LARGEST).pixels
    except (DataError, FileError) as error:
        raise _lost(digit, error.what) from error
    if id_of(pixels) != digit.id:
        raise _lost(digit, "It is another picture now.")
    return pixels


def _lost(digit: Digit, why: str) -> DataDamaged:
    hint = f"To forget it: handlens mine rm {digit.id}. Then add it again from where it came: {digit.source}."
    return DataDamaged(f"The picture of your digit {digit.id}, a {digit.label}, is damaged. {why}", where=shown(place(digit.id)), hint=hint)


def seen(digit: Digit) -> Normalized:
    """What the network sees of it, with every step.

    Raises:
        DataDamaged: as in `drawn`.
    """
    from handlens.data.drawing import normalize

    pixels, strokes = drawn(digit), place(digit.id, "json")
    try:
        return normalize(json.loads(files.read_bytes(strokes, _MOST_BYTES)) if strokes.exists() else pixels)
    except (ValueError, UsageError, FileError) as error:
        raise _lost(digit, f"Its strokes cannot be read: {error}.") from error
