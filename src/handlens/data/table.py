"""Images in a table: a CSV file with a label and the pixels of one image in each line, as Kaggle gives MNIST.

label,pixel0,pixel1,...,pixel783        a first line of names may be missing; then the label is the first column
1,0,0,...,0                             a label is any text, a pixel a whole number from 0 to 255
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data.formats import shown
from handlens.errors import DataDamaged, DataError, DataMissing
from handlens.words import counted

_LABELS = ("label", "class", "target", "y")
_MOST_BYTES = 4 << 30
_MOST_LINE = 1 << 20
_LINES = 4096
_MOST_CLASSES = 1 << 14
_MOST_NAME = 200


def stamp(path: Path) -> str:
    """Changes when the file does.

    Raises:
        DataMissing: there is none.
    """
    try:
        about = path.stat()
    except FileNotFoundError as error:
        raise DataMissing("There is no such file.", where=shown(path)) from error
    except OSError as error:
        raise files.explain(error, path) from error
    return f"{about.st_size} {about.st_mtime_ns}"


def read_csv(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """The images in a CSV file.

    Returns:
        Images N,1,H,W with H = W, labels N from 0, and the name of each class: what stood in the file, in the order of the numbers if all
        are numbers.

    Raises:
        DataError: no column of labels, a number of pixels that is no square, values that are not 0 to 255; says the line.
        DataDamaged: it is no table.
        FileError: it cannot be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise DataError("This is no file of at most 4.3 GB.", where=shown(path))
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows, label, classes = _read(file, shown(path))
    except OSError as error:
        raise files.explain(error, path) from error
    names = sorted(classes, key=_in_order(classes))
    places = np.argsort([classes[name] for name in names])  # from the number that a class was given when it came to the one it has
    images = np.delete(rows, label, axis=1).astype(np.uint8)
    side = math.isqrt(images.shape[1])
    return images.reshape(-1, 1, side, side), places[rows[:, label]].astype(np.int64), tuple(names)


def _in_order(names: Iterable[str]) -> Callable[[str], Any]:
    return int if all(re.fullmatch(r"-?\d{1,18}", name, re.ASCII) for name in names) else str


def _read(file: TextIO, where: str) -> tuple[NDArray[np.int16], int, dict[str, int]]:
    """All numbers, with the classes numbered as they come; which column is the label; and the number of each class."""
    columns, label, begins = _columns(file, where)
    blocks, classes = [], _Classes()
    lines = _Lines(file, begins, where)
    while some := lines.take():
        block = _numbers(some, columns, {label: classes.number}, where)
        _check_pixels(np.delete(block, label, axis=1), some, where)
        blocks.append(block)
    if not blocks:
        raise DataError("There is no image in this table.", where=where)
    return np.concatenate(blocks), label, classes


class _Classes(dict[str, int]):
    """The number of each class, in the order in which they came."""

    def number(self, text: str) -> int:
        """Its number, a new one if it is new."""
        name = text.strip()
        if not name or len(self) > _MOST_CLASSES or len(name) > _MOST_NAME:
            raise ValueError("the label is missing, too long, or one of too many")
        return self.setdefault(name, len(self))


def _columns(file: TextIO, where: str) -> tuple[int, int, int]:
    """How many columns, which of them is the label, and the line in which the images begin: the first may name the columns."""
    try:
        line, begins, first = 1, file.tell(), file.readline(_MOST_LINE)
        while first and not first.strip():
            line, begins, first = line + 1, file.tell(), file.readline(_MOST_LINE)
        names = [name.strip().lower() for name in next(csv.reader([first]), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataDamaged(f"This is no table: {error}.", where=where) from error
    has_names = not all(name.lstrip("-").isdecimal() for name in names[1:])
    label = next((place for place, name in enumerate(names) if name in _LABELS), None) if has_names else 0
    if not has_names:
        file.seek(begins)
    pixels = len(names) - 1
    if label is None or pixels < 1 or math.isqrt(pixels) ** 2 != pixels:
        problem = "No column is called 'label'" if label is None and len(names) > 1 else f"{pixels} pixels a line are no square image"
        others = [name for place, name in enumerate(names) if place != label and has_names and not name[-1:].isdecimal()][:3]
        hint = "Each line needs a label and the pixels of one image: label,pixel0,pixel1,..."
        if others:
            hint = f"Take the columns out that are no pixels: {', '.join(map(files.printable, others))}. {hint}"
        raise DataError(f"{problem}.", where=f"{where}, line {line}", hint=hint)
    return len(names), label, line + has_names


class _Lines:
    """The lines of a table that are not blank, each with its number."""

    def __init__(self, file: TextIO, first: int, where: str) -> None:
        self.where = where
        self.lines = enumerate(iter(lambda: file.readline(_MOST_LINE), ""), first)

    def take(self) -> list[tuple[int, str]]:
        """The next ones, at most 4096; none at the end."""
        try:
            return list(itertools.islice(((number, text) for number, text in self.lines if text.strip()), _LINES))
        except UnicodeDecodeError as error:
            raise DataDamaged(f"This is no table: {error}.", where=self.where) from error


def _numbers(lines: list[tuple[int, str]], columns: int, readers: dict[int, Callable[[str], int]], where: str) -> NDArray[np.int16]:
    texts, readers_by = [text for _number, text in lines], dict[int | str, Callable[[str], Any]](readers.items())
    try:
        block: NDArray[np.int16] = np.loadtxt(texts, np.int16, comments=None, delimiter=",", quotechar='"', ndmin=2, converters=readers_by)
        if block.shape[1] == columns:
            return block
        raise ValueError("not as many columns as announced")
    except ValueError as error:
        if len(lines) == 1:
            raise DataError(_what_is_wrong(texts[0], columns, readers), where=f"{where}, line {lines[0][0]}") from error
        half = len(lines) // 2  # the line that is wrong is in one of the halves
        return np.concatenate([_numbers(some, columns, readers, where) for some in (lines[:half], lines[half:])])


def _what_is_wrong(line: str, columns: int, readers: Collection[int]) -> str:
    try:
        values = [value.strip() for value in next(csv.reader([line]), [])]
    except csv.Error as error:
        return f"This line cannot be read: {error}."
    if len(values) != columns:
        return f"This line has {counted(len(values), 'column')} where {counted(columns, 'is', 'are')} announced."
    for place, value in enumerate(values):
        if place not in readers and not re.fullmatch(r"[+-]?\d{1,4}", value, re.ASCII):
            return f"A pixel is {files.printable(value, 30) or 'empty'}; each must be a whole number, 0 to 255."
    return f"A label must be there, of at most {_MOST_NAME} letters, and one of at most {_MOST_CLASSES:,}."


def _check_pixels(pixels: NDArray[np.int16], lines: list[tuple[int, str]], where: str) -> None:
    wrong = np.flatnonzero(((pixels < 0) | (pixels > 255)).any(axis=1))
    if len(wrong):
        row = pixels[wrong[0]]
        value = int(row[(row < 0) | (row > 255)][0])
        raise DataError(f"A pixel is {value}; each must be 0 to 255.", where=f"{where}, line {lines[wrong[0]][0]}")
