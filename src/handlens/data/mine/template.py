"""The sheet to write on, ten rows of ten cells: where everything is on it, in millimetres, and a file of it to be printed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from handlens import files
from handlens.errors import UsageError

PAGE = (210.0, 297.0)
"""Width and height of A4."""

ROWS, COLUMNS = 10, 10
MARKS = ((17.0, 46.0), (193.0, 46.0), (193.0, 278.0), (17.0, 278.0))
"""The centres of the corner marks, from the top left one on, as the hand of a clock goes round."""

MODULE = 12 / 7
"""The marks are squares of 7 by 7 such steps: black, white, and in the middle 3 by 3 that are black. Only the first has a white centre."""

_LEFT, _TOP = 31.0, 55.0
_PITCH = (16.2, 21.6)
_CELL = (14.8, 19.4)
_DPI = 300


class Cell(NamedTuple):
    """A cell of the sheet: its row, which is its digit, its column, and in millimetres where it is."""

    row: int
    column: int
    left: float
    top: float
    width: float
    height: float


def cells() -> list[Cell]:
    """All cells, row by row."""
    places = ((row, column) for row in range(ROWS) for column in range(COLUMNS))
    return [Cell(row, column, _LEFT + column * _PITCH[0], _TOP + row * _PITCH[1], *_CELL) for row, column in places]


def save_template(path: str | Path) -> Path:
    """Write the sheet to be printed.

    Args:
        path: a PDF file, or a PNG file of 300 dots an inch.

    Raises:
        UsageError: it is to be another kind of file.
        FileError: the disk refuses.
    """
    target = Path(path)
    kind = target.suffix.lower()
    if kind not in (".pdf", ".png"):
        raise UsageError(
            f"The template cannot be written as '{files.printable(target.name)}'.", hint="Name a PDF or PNG file: sheet.pdf, sheet.png"
        )
    return files.write_atomic(target, template_file(kind))


def template_file(kind: str = ".pdf") -> bytes:
    """The bytes of the sheet as a PDF file, or of a PNG file (`.png`)."""
    from handlens import plots

    page = plots.plot_form(PAGE, MARKS, MODULE, [tuple(cell) for cell in cells()])
    return plots.pdf(page) if kind == ".pdf" else plots.png(page, dpi=_DPI)
