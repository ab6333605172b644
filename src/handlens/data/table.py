"""Images in a table: a CSV file with a label and the pixels of one image in each line, as Kaggle gives MNIST.

label,pixel0,pixel1,...,pixel783        a first line of names may be missing; then the label is the first column
1,0,0,...,0
"""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from handlens import files
from handlens.data.formats import shown
from handlens.errors import DataDamaged, DataError, DataMissing

_LABELS = ("label", "class", "target", "y")
_MOST_BYTES = 4 << 30
_MOST_LINE = 1 << 20
_LINES = 4096


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
        Images N,1,H,W with H = W, labels N from 0, and the name of each class: the number that stood in the file.

    Raises:
        DataError: no column of labels, a number of pixels that is no square, values that are not 0 to 255; says the line.
        DataDamaged: it is no table.
        FileError: it cannot be read.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            raise DataError("This is no file of at most 4.3 GB.", where=shown(path))
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows, label = _read(file, shown(path))
    except OSError as error:
        raise files.explain(error, path) from error
    numbers, labels = np.unique(rows[:, label], return_inverse=True)
    images = np.delete(rows, label, axis=1).astype(np.uint8)
    side = math.isqrt(images.shape[1])
    return images.reshape(-1, 1, side, side), labels.astype(np.int64), tuple(str(number) for number in numbers)


def _read(file: TextIO, where: str) -> tuple[NDArray[np.int16], int]:
    """All numbers, and which column is the label."""
    columns, label, begins = _columns(file, where)
    blocks = []
    lines = _Lines(file, begins, where)
    while some := lines.take():
        block = _numbers(some, columns, where)
        _check_pixels(np.delete(block, label, axis=1), some, where)
        blocks.append(block)
    if not blocks:
        raise DataError("There is no image in this table.", where=where)
    return np.concatenate(blocks), label


def _columns(file: TextIO, where: str) -> tuple[int, int, int]:
    """How many columns, which of them is the label, and the line in which the images begin: the first may name the columns."""
    try:
        line, begins, first = 1, file.tell(), file.readline(_MOST_LINE)
        while first and not first.strip():
            line, begins, first = line + 1, file.tell(), file.readline(_MOST_LINE)
        names = [name.strip().lower() for name in next(csv.reader([first]), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataDamaged(f"This is no table: {error}.", where=where) from error
    has_names = not all(name.lstrip("-").isdecimal() for name in names)
    label = next((place for place, name in enumerate(names) if name in _LABELS), None) if has_names else 0
    if not has_names:
        file.seek(begins)
    pixels = len(names) - 1
    if label is None or pixels < 1 or math.isqrt(pixels) ** 2 != pixels:
        problem = "No column is called 'label'" if label is None and len(names) > 1 else f"{pixels} pixels a line are no square image"
        hint = "Each line needs a label and the pixels of one image: label,pixel0,pixel1,..."
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


def _numbers(lines: list[tuple[int, str]], columns: int, where: str) -> NDArray[np.int16]:
    try:
        block = np.loadtxt([text for _number, text in lines], np.int16, delimiter=",", ndmin=2, comments=None)
        if block.shape[1] == columns:
            return block
        raise ValueError(f"there are {block.shape[1]} columns where {columns} are announced")
    except ValueError as error:
        if len(lines) == 1:
            what = f"Not all values are whole numbers, or there are not {columns} of them: {files.printable(str(error))}."
            raise DataError(what, where=f"{where}, line {lines[0][0]}") from error
        half = len(lines) // 2  # the line that is wrong is in one of the halves
        return np.concatenate([_numbers(some, columns, where) for some in (lines[:half], lines[half:])])


def _check_pixels(pixels: NDArray[np.int16], lines: list[tuple[int, str]], where: str) -> None:
    wrong = np.flatnonzero(((pixels < 0) | (pixels > 255)).any(axis=1))
    if len(wrong):
        row = pixels[wrong[0]]
        value = int(row[(row < 0) | (row > 255)][0])
        raise DataError(f"A pixel is {value}; each must be 0 to 255.", where=f"{where}, line {lines[wrong[0]][0]}")
