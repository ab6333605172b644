"""Pictures in pairs, in groups below each other: what somebody drew, and what the network sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlens.plots.sheet import MARGIN, Sheet
from handlens.plots.style import LIGHT, NORMAL, WIDTH, Picture, Theme, plain
from handlens.plots.tiles import LINE

_SIDE = 0.52
_GAP = 0.1
_ABOVE = 0.24
_RISE = _SIDE + LINE + 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """A group of pairs.

    Attributes:
        heading: what they have in common.
        members: of each, what came in (`uint8` H,W or H,W,3), what the network sees (`uint8` H,W), and a name to stand below.
    """

    heading: str
    members: Sequence[tuple[NDArray[Any], NDArray[Any], str]]


def plot_pairs(groups: Sequence[Pairs], subtitle: str, *, theme: Theme = LIGHT) -> Picture:
    """Group by group, as many pairs in a row as the page has room for.

    Args:
        groups: at least one.
        subtitle: a quieter line below the title.
        theme: the colours.
    """
    pitch = 2 * _SIDE + _GAP
    columns = min(int((WIDTH - 2 * MARGIN + _GAP) / pitch), max(len(group.members) for group in groups))
    rows = [-(-len(group.members) // columns) for group in groups]
    size = (2 * MARGIN + max(columns * pitch, 3.6), sum(rows) * _RISE + len(groups) * _ABOVE)
    sheet = Sheet("What was drawn, and what the network sees", subtitle, size, theme)
    top = sheet.top
    for group, high in zip(groups, rows, strict=True):
        sheet.text(plain(group.heading), MARGIN, top, fontsize=NORMAL, fontweight="bold")
        for number, (came, seen, name) in enumerate(group.members):
            row, column = divmod(number, columns)
            left, upper = MARGIN + column * pitch, top + _ABOVE + row * _RISE
            _fitted(sheet, came, left, upper)
            sheet.picture(seen / 255, (left + _SIDE, upper, _SIDE, _SIDE))
            sheet.text(plain(name, 12), left, upper + _SIDE + 0.03, color=theme.muted)
        top += _ABOVE + high * _RISE
    return sheet.finish()


def _fitted(sheet: Sheet, pixels: NDArray[Any], left: float, top: float) -> None:
    """A picture as large as fits into its square, in the middle of it."""
    high, wide = (side / max(pixels.shape[:2]) * _SIDE for side in pixels.shape[:2])
    sheet.picture(np.asarray(pixels) / 255, (left + (_SIDE - wide) / 2, top + (_SIDE - high) / 2, wide, high))
