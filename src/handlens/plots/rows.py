"""Images in rows, each row with what it has in common: pairs of classes, clusters, what several runs say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from handlens.errors import UsageError
from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, finish, plain, text_width
from handlens.plots.tiles import GAP, canvas, draw_picture, head_height, pictures, title_width, write_title

_SIDE = 0.76
_ABOVE, _BELOW = 0.24, 0.34
_LETTERS = 60
_LETTER = 0.09
"""Inches, more than an average letter of `SMALL` is wide."""
_ROOM = 1.05
"""Drawn letters stand on whole pixels, so that a long line is a little wider than they are together."""


@dataclass(frozen=True, eq=False)
class ImageRow:
    """A row of images.

    Attributes:
        heading: what they have in common.
        detail: more about it, in a quieter colour.
        images: M,C,H,W as for `plot_samples`.
        captions: M, one below each image.
    """

    heading: str
    detail: str
    images: NDArray[Any]
    captions: Sequence[str]


def plot_rows(rows: Sequence[ImageRow], title: str, subtitle: str = "", *, theme: Theme = LIGHT) -> Picture:
    """Rows of images; of each row as many as the page has room for.

    Args:
        rows: the rows.
        title: what they are.
        subtitle: how to read them.
        theme: the colours.

    Raises:
        UsageError: there are no rows, or images have another shape.
    """
    if not rows:
        raise UsageError("There is nothing to show: no such image.")
    captions = [[plain(caption, 32) for caption in row.captions] for row in rows]
    widest = max((text_width(caption) for line in captions for caption in line), default=0.0)
    pitch = max(_SIDE, widest) + GAP
    fitting = max(1, int((WIDTH - GAP) / pitch))
    head, rise = head_height(subtitle), _ABOVE + _SIDE + _BELOW
    width = _width(rows, min(fitting, max(map(len, captions))) * pitch, title_width(title, subtitle))
    figure, axes = canvas(width, head + len(rows) * rise, theme)
    write_title(axes, title, subtitle, theme)
    for number, (row, below) in enumerate(zip(rows, captions, strict=True)):
        top = head + number * rise
        _write_heading(axes, row, top, theme)
        for place, image in enumerate(pictures(row.images)[:fitting]):
            left = GAP + place * pitch
            draw_picture(axes, image, (left, top + _ABOVE, _SIDE, _SIDE), "gray", Normalize(0, 1))
            axes.text(left, top + _ABOVE + _SIDE + 0.04, below[place], va="top", fontsize=SMALL, color=theme.text)
    return finish(figure)


def _width(rows: Sequence[ImageRow], images: float, title: float) -> float:
    headings = max(_detail_left(row) + text_width(_detail(row)) * _ROOM for row in rows)
    return max(images + GAP, title, headings + GAP)


def _detail_left(row: ImageRow) -> float:
    return GAP + text_width(plain(row.heading, _LETTERS), NORMAL, bold=True) * _ROOM + 0.12


def _detail(row: ImageRow) -> str:
    """The detail as far as there is room for it beside the heading."""
    return plain(row.detail, max(1, int((WIDTH - _detail_left(row) - GAP) / _LETTER)))


def _write_heading(axes: Axes, row: ImageRow, top: float, theme: Theme) -> None:
    axes.text(GAP, top + 0.16, plain(row.heading, _LETTERS), va="baseline", fontsize=NORMAL, fontweight="bold", color=theme.text)
    axes.text(_detail_left(row), top + 0.16, _detail(row), va="baseline", fontsize=SMALL, color=theme.muted)
