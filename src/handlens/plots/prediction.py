"""From a picture to an answer: each step as a tile, and the probabilities as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlens.plots.sheet import MARGIN, Place, Sheet, wrapped
from handlens.plots.style import LIGHT, Picture, Theme, plain
from handlens.plots.tiles import LINE, draw_frame
from handlens.words import counted

Step = tuple[str, str, NDArray[Any]]
"""Its name, what it says, and the picture, `uint8` H,W or H,W,3 or C,H,W."""

_SIDE = 1.45
_GAP = 0.18
_WORDS = 4 * LINE + 0.2
_COLUMNS = 5
_BAR = 0.2
_MOST_BARS = 10
_CLEAR = 0.8


def plot_prediction(steps: Sequence[Step], probabilities: Mapping[str, float], doubt: str = "", *, theme: Theme = LIGHT) -> Picture:
    """The steps in rows, in their order, and below them what the network answers.

    Args:
        steps: from what came in to what the network got.
        probabilities: of each class; the ten likeliest are shown.
        doubt: why the answer should not be trusted.
        theme: colours.
    """
    ordered = sorted(probabilities.items(), key=lambda pair: -pair[1])[:_MOST_BARS]
    likeliest = [(plain(label), probability) for label, probability in ordered]
    rows, columns = -(-len(steps) // _COLUMNS), min(len(steps), _COLUMNS)
    size = (2 * MARGIN + max(columns * (_SIDE + _GAP), 4.5), rows * (_SIDE + _WORDS) + len(likeliest) * _BAR + 0.25)
    sheet = Sheet(doubt.capitalize() if doubt else f"It says {_sure(likeliest[0])}", _second(likeliest, doubt), size, theme)
    for number, (name, said, picture) in enumerate(steps):
        row, column = divmod(number, _COLUMNS)
        left, top = MARGIN + column * (_SIDE + _GAP), sheet.top + row * (_SIDE + _WORDS)
        _tile(sheet, picture, (left, top))
        sheet.text(name, left, top + _SIDE + 0.05, fontweight="bold")
        for line, words in enumerate(wrapped(said, _SIDE + _GAP - 0.06)[:3]):
            sheet.text(words, left, top + _SIDE + 0.05 + (line + 1) * LINE, color=theme.muted)
    if likeliest:
        _bars(sheet, likeliest, sheet.top + rows * (_SIDE + _WORDS) + 0.1, size[0])
    return sheet.finish()


def _second(likeliest: Sequence[tuple[str, float]], doubt: str) -> str:
    if doubt:
        return f"The network would say {_sure(likeliest[0])}." if likeliest else "The network is not asked."
    return f"Second guess: {_sure(likeliest[1])}." if len(likeliest) > 1 else ""


def _sure(answer: tuple[str, float]) -> str:
    return f"{answer[0]}, with {answer[1]:.1%}"


def _tile(sheet: Sheet, picture: NDArray[Any], corner: tuple[float, float]) -> None:
    """A picture as large as fits into its square, in the middle of it."""
    pixels = picture.transpose(1, 2, 0) if picture.ndim == 3 and len(picture) in (1, 3) and picture.shape[2] > 4 else picture
    pixels = np.squeeze(pixels) / 255
    high, wide = (side / max(pixels.shape[:2]) * _SIDE for side in pixels.shape[:2])
    sheet.picture(pixels, (corner[0] + (_SIDE - wide) / 2, corner[1] + (_SIDE - high) / 2, wide, high))


def _bars(sheet: Sheet, likeliest: Sequence[tuple[str, float]], top: float, width: float) -> None:
    names = max(len(label) for label, _ in likeliest) * 0.075 + 0.15
    room = width - 2 * MARGIN - names - 0.6
    for number, (label, probability) in enumerate(likeliest):
        here = top + number * _BAR
        sheet.text(label, MARGIN + names - 0.08, here, ha="right")
        colour = sheet.theme.right if number == 0 else sheet.theme.muted
        sheet.axes.barh(here + _BAR * 0.4, room * probability, _BAR * 0.7, MARGIN + names, color=colour, linewidth=0)
        sheet.text(f"{probability:.1%}", MARGIN + names + room * probability + 0.06, here, color=sheet.theme.muted)
    draw_frame(sheet.axes, (MARGIN + names, top - 0.03, 0.0, len(likeliest) * _BAR), sheet.theme.muted, 0.6)


def plot_sheet(pixels: NDArray[Any], found: Sequence[tuple[Place, str, float]], *, theme: Theme = LIGHT) -> Picture:
    """A sheet of digits with a box around each that was found, and what the network says of it.

    Args:
        pixels: `uint8` H,W or H,W,3.
        found: left, top, right and bottom in pixels, the answer, and its probability; those of less than 80 % are marked.
        theme: colours.
    """
    high, wide = pixels.shape[:2]
    scale = min(8.0 / wide, 9.0 / high)
    said = f"{counted(len(found), 'digit')}, read row by row: {' '.join(plain(label) for _box, label, _sure in found[:80])}"
    sheet = Sheet("What is on the sheet", said, (wide * scale + 2 * MARGIN, high * scale + MARGIN), theme)
    sheet.picture(pixels / 255, (MARGIN, sheet.top, wide * scale, high * scale))
    for (left, top, right, bottom), label, sure in found:
        colour = theme.right if sure >= _CLEAR else theme.wrong
        place = (MARGIN + left * scale, sheet.top + top * scale, (right - left) * scale, (bottom - top) * scale)
        sheet.frame(place, colour, 1.2)
        sheet.text(plain(label), place[0], place[1] - 0.02, va="bottom", color=colour, fontweight="bold")
    return sheet.finish()
