"""Accuracy in groups or under changes: a panel for each, with an image above each point."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, NORMAL, SMALL, TITLE, WIDTH, Picture, Theme, dress, finish, new_figure, plain, text_width
from handlens.plots.tiles import draw_picture, pictures

_HEIGHT = 2.3
_STRIP = 0.85
_LEFT, _RIGHT, _BOTTOM = 0.62, 0.1, 0.45
_SIDE = 0.52
_HEAD = 0.62


@dataclass(frozen=True, eq=False)
class Panel:
    """G groups of images, or G strengths of one change.

    Attributes:
        title: what differs between them.
        names: G.
        accuracies: G, 0 to 1.
        intervals: G pairs, where the accuracy lies with 95 % confidence.
        images: G,C,H,W: one for each.
    """

    title: str
    names: Sequence[str]
    accuracies: Sequence[float]
    intervals: Sequence[tuple[float, float]]
    images: NDArray[Any]


def plot_panels(panels: Sequence[Panel], title: str, note: str, *, level: float, theme: Theme = LIGHT) -> Picture:
    """Accuracy, group by group, on one scale for all panels.

    Args:
        panels: one for each property or change.
        title: what is shown.
        note: how to read it.
        level: the accuracy on all images, 0 to 1, drawn as a dashed line.
        theme: the colours.
    """
    columns = 1 if len(panels) <= 3 else 2
    beside = columns == 2 and len(panels) % 2 == 1  # the words take the place of a panel that is not there
    head, first = (0.0, 1) if beside else (_HEAD, 0)
    wide = WIDTH / 2 if columns == 2 else 6.4
    size = (wide * columns, head + math.ceil((len(panels) + first) / columns) * _HEIGHT)
    figure = new_figure(*size, theme, constrained=False)
    _write_words(figure, title, [*textwrap.wrap(note, 60 if beside else 110), *(_summary(panels) if beside else [])], theme)
    low = min([level, *(pair[0] for panel in panels for pair in panel.intervals)])
    for number, panel in enumerate(panels, start=first):
        row, column = divmod(number, columns)
        _panel(figure, panel, (column * wide, head + row * _HEIGHT, wide), (low, level), theme)
    return finish(figure)


def _summary(panels: Sequence[Panel]) -> list[str]:
    """A line for each panel: its middle."""
    middles = [(panel, len(panel.names) // 2) for panel in panels]
    names = [f"{plain(panel.title.split(' (')[0])} {panel.names[place]}" for panel, place in middles]
    lines = [f"{panel.accuracies[place] * 100:.1f} %   {name}" for (panel, place), name in zip(middles, names, strict=True)]
    return ["", "At the middle strength:", *lines]


def _write_words(figure: Picture, title: str, lines: Sequence[str], theme: Theme) -> None:
    height = figure.get_size_inches()[1]
    words = [(title, TITLE, "bold", theme.text), *((line, SMALL, "normal", theme.muted) for line in lines)]
    for number, (line, size, weight, colour) in enumerate(words):
        down = 0.1 + (number > 0) * 0.08 + number * 0.17
        left = 0.14 / figure.get_size_inches()[0]
        figure.text(left, 1 - down / height, line, va="top", fontsize=size, fontweight=weight, color=colour)


def _panel(figure: Picture, panel: Panel, place: tuple[float, float, float], levels: tuple[float, float], theme: Theme) -> None:
    left, top, wide = place
    inner = wide - _LEFT - _RIGHT
    strip = _axes(figure, (left + _LEFT, top, inner, _STRIP))
    strip.set_axis_off()
    strip.set_xlim(0, inner)
    strip.set_ylim(_STRIP, 0)
    slot = inner / len(panel.names)
    strip.text(0, 0.08, plain(panel.title, 60), va="top", fontsize=NORMAL, fontweight="bold", color=theme.text)
    for number, image in enumerate(pictures(panel.images)):
        draw_picture(strip, image, ((number + 0.5) * slot - _SIDE / 2, _STRIP - _SIDE - 0.06, _SIDE, _SIDE), "gray", Normalize(0, 1))
    axes = _axes(figure, (left + _LEFT, top + _STRIP, inner, _HEIGHT - _STRIP - _BOTTOM))
    dress(axes, theme)
    _draw(axes, panel, levels, theme)
    names = [name if text_width(name, SMALL) < slot - 0.08 else name.replace(" to ", " to\n") for name in panel.names]
    axes.set_xticks(range(len(names)), names, fontsize=SMALL)


def _axes(figure: Picture, box: tuple[float, float, float, float]) -> Axes:
    """Axes at inches from the top left corner."""
    width, height = figure.get_size_inches()
    left, top, wide, tall = box
    return figure.add_axes((left / width, 1 - (top + tall) / height, wide / width, tall / height))


def _draw(axes: Axes, panel: Panel, levels: tuple[float, float], theme: Theme) -> None:
    low, level = levels
    places = range(len(panel.names))
    axes.axhline(level, color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.vlines(places, *zip(*panel.intervals, strict=True), color=theme.right, linewidth=2.4)
    axes.plot(places, panel.accuracies, color=theme.right, linewidth=1.4, marker="o", markersize=5)
    axes.set_xlim(-0.5, len(panel.names) - 0.5)
    axes.set_ylim(low - (1 - low) * 0.05, 1 + (1 - low) * 0.05)
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.4g} %"))
    axes.tick_params(labelsize=SMALL)
