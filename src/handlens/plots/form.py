"""A page to be printed and written on: rows of cells, with marks in the corners by which a photograph of it is found."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from handlens.plots.style import LIGHT, Picture, finish, new_figure

_INCH = 25.4  # mm
_LINE = "#C3CAD2"  # paler than any pen, so that a printed line is never taken for a stroke
_LINES = (
    "Write each digit as you always do, one in a cell. Any dark pen will do. A cell may stay empty.",
    "Then photograph the whole page from above, in even light, with all four black squares in the picture.",
    "Turned sideways or a little slanted does no harm.",
)
_COMMAND = "handlens mine sheet photo.jpg"


def plot_form(
    page: tuple[float, float],
    marks: Sequence[tuple[float, float]],
    module: float,
    cells: Sequence[tuple[float, ...]],
) -> Picture:
    """The page; every length in mm, from its upper left corner.

    Args:
        page: width and height.
        marks: the centres of the corner marks; the first gets a white centre.
        module: a seventh of the side of a mark.
        cells: row, column, left, top, width, height of each. A row is called by its number.
    """
    width, height = page
    figure = new_figure(width / _INCH, height / _INCH, LIGHT, constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    for number, centre in enumerate(marks):
        _mark(axes, centre, module, hollow=number == 0)
    for row, column, left, top, wide, high in cells:
        axes.add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=_LINE, linewidth=0.8))
        if column == 0:
            axes.text(left - 9, top + high / 2, f"{row:.0f}", ha="center", va="center", fontsize=30, color=LIGHT.muted)
    _words(axes, marks, marks[0][0] - 3.5 * module)
    return finish(figure)


def _mark(axes: Axes, centre: tuple[float, float], module: float, *, hollow: bool) -> None:
    """Squares in squares: seven steps black, five white, three black, and one white if it is the hollow one."""
    sides = ((7, "black"), (5, "white"), (3, "black"), *(((1, "white"),) if hollow else ()))
    for steps, colour in sides:
        side = steps * module
        axes.add_patch(Rectangle((centre[0] - side / 2, centre[1] - side / 2), side, side, facecolor=colour, linewidth=0))


def _words(axes: Axes, marks: Sequence[tuple[float, float]], left: float) -> None:
    """What to do, above the marks; and the command, between the lower ones."""
    axes.text(left, 14, "Ten rows, one digit a row", va="top", fontsize=22, fontweight="bold", color=LIGHT.text)
    for number, line in enumerate(_LINES):
        axes.text(left, 24 + number * 4.6, line, va="top", fontsize=9.5, color=LIGHT.muted)
    middle, lowest = sum(across for across, _down in marks) / len(marks), max(down for _across, down in marks)
    axes.text(middle, lowest, _COMMAND, ha="center", va="center", fontsize=10, color=LIGHT.muted)
