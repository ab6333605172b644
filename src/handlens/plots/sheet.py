"""A figure that counts in inches, downwards from its top left corner, for pictures that stand in rows below a title."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from handlens.plots.style import NORMAL, SMALL, TITLE, WIDTH, Picture, Theme, finish, new_figure, text_width
from handlens.plots.tiles import LINE, draw_frame, draw_picture

Item = TypeVar("Item")
Array = NDArray[Any]
Place = tuple[float, float, float, float]
"""Left, top, width, height in inches."""

MARGIN = 0.14


class Sheet:
    """One such figure, as high as asked below its title.

    Attributes:
        top: where what comes below the title begins, in inches.
    """

    def __init__(self, title: str, subtitle: str, size: tuple[float, float], theme: Theme) -> None:
        words = max(_room(title, TITLE, bold=True), min(5.0, _room(subtitle)))
        width = min(WIDTH, max(size[0], words + 2 * MARGIN))
        lines = wrapped(subtitle, width - 2 * MARGIN)
        self.theme = theme
        self.top = 0.42 + LINE * len(lines)
        self.figure = new_figure(width, self.top + size[1] + 0.06, theme, constrained=False)
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(self.top + size[1] + 0.06, 0)
        self.axes.text(MARGIN, 0.1, title, va="top", color=theme.text, fontsize=TITLE, fontweight="bold")
        for number, line in enumerate(lines):
            self.text(line, MARGIN, 0.34 + number * LINE, color=theme.muted)

    def text(self, words: str, left: float, top: float, **style: Any) -> None:
        """A line of text whose upper left corner is there."""
        self.axes.text(left, top, words, **{"va": "top", "fontsize": SMALL, "color": self.theme.text, **style})

    def picture(self, pixels: Array, place: Place, colours: str | Colormap = "gray", limits: tuple[float, float] = (0, 1)) -> AxesImage:
        """A picture H,W (coloured by its values, which go from one limit to the other) or H,W,3, in a thin frame."""
        shown = draw_picture(self.axes, pixels, place, colours, Normalize(*limits))
        self.frame(place, self.theme.muted, 0.6)
        return shown

    def frame(self, place: Place, colour: str, line: float) -> None:
        """A frame around a place, of a line so many points thick."""
        draw_frame(self.axes, place, colour, line)

    def scale(self, shown: AxesImage, place: Place, ticks: Sequence[tuple[float, str]]) -> None:
        """What the colours of a picture mean: an upright bar with its ticks."""
        width, height = self.figure.get_size_inches()
        left, top, wide, high = place
        axes = self.figure.add_axes((left / width, (height - top - high) / height, wide / width, high / height))
        bar = self.figure.colorbar(shown, cax=axes)
        bar.outline.set_edgecolor(self.theme.muted)
        bar.set_ticks([value for value, _ in ticks], labels=[words for _, words in ticks])
        axes.tick_params(colors=self.theme.muted, labelcolor=self.theme.text, labelsize=NORMAL)

    def finish(self) -> Picture:
        """The figure, done."""
        self.axes.set_xlim(0, self.figure.get_size_inches()[0])
        self.axes.set_ylim(self.figure.get_size_inches()[1], 0)
        return finish(self.figure)


def _room(words: str, size: float = SMALL, *, bold: bool = False) -> float:
    """Inches that words may need: on a coarse screen letters are rounded to pixels, and lines are a little longer."""
    return text_width(words, size, bold=bold) * 1.05


def wrapped(words: str, width: float) -> list[str]:
    """Text in lines of at most so many inches."""
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        lines[-1:] = [longer] if not lines or _room(longer) <= width else [lines[-1], word]
    return lines


def columns(count: int, side: float, gap: float, room: float) -> int:
    """How many pictures of so many inches stand in a row: as many as fit, or a few less if that leaves fewer gaps in the last row."""
    most = max(1, min(int((room + gap) / (side + gap)), count))
    return min(range(most, most * 3 // 4, -1), key=lambda some: -count % some)


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """All items, or of more than can be shown some in equal distances, with the first and the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
