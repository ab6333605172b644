"""The confusion matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain, text_width

_MOST_WITH_COUNTS = 30
_NAME_SPACING = 0.135
_CELL = 0.45
_SCALE_WIDTH = 1.7
_SMALL = 2.5
"""Inches: beside a smaller matrix a scale would be taller than it, and its few counts say as much."""


def plot_confusion_matrix(matrix: NDArray[np.integer[Any]], classes: Sequence[str], *, theme: Theme = LIGHT) -> Picture:
    """How often each class was taken for which: rows true, columns predicted.

    The colour of a mistake is its share of the row; the diagonal has none, for beside it every mistake would look like nothing.

    Args:
        matrix: K,K counts.
        classes: K names.
        theme: the colours.
    """
    counts = np.asarray(matrix)
    names = [plain(name) for name in classes]
    beside = max(text_width(name, NORMAL) for name in names)
    cell = _cell_size(counts, WIDTH - _SCALE_WIDTH - beside)
    size = cell * len(names)
    width = max(size + beside + (_SCALE_WIDTH if size > _SMALL else 0.7), 2.6)
    figure = new_figure(width, size + _names_below(names, cell) + 1.1, theme)
    axes = figure.subplots()
    image = _paint(axes, counts, theme)
    if len(names) <= _MOST_WITH_COUNTS:
        _write_counts(axes, counts, image, theme)
    _name_classes(axes, names, cell, theme)
    wrong = int(counts.sum() - np.trace(counts))
    headline(axes, f"{wrong:,} of {int(counts.sum()):,} wrong", theme)
    if wrong and size > _SMALL:
        _scale(figure, image, theme)
    return finish(figure)


def _cell_size(counts: NDArray[Any], room: float) -> float:
    """Inches: what the page has room for, but wide enough for the largest count if counts are written."""
    cell = min(_CELL, room / len(counts))
    if len(counts) > _MOST_WITH_COUNTS:
        return cell
    return max(cell, text_width(str(counts.max()), SMALL, bold=True) + 0.03)


def _names_below(names: Sequence[str], cell: float) -> float:
    widest = max(text_width(name, NORMAL) for name in names)
    return 0.2 if widest < cell - 0.06 else widest


def _paint(axes: Axes, counts: NDArray[Any], theme: Theme) -> AxesImage:
    """Colour the mistakes by their share of the row; leave empty what never happened."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mistakes = np.ma.masked_where((counts == 0) | np.eye(len(counts), dtype=bool), shares)
    top = float(mistakes.max()) if mistakes.count() else 1.0
    image = axes.imshow(mistakes, cmap=_magnitudes(theme), norm=Normalize(0, top))
    for number in range(len(counts)):
        axes.add_patch(Rectangle((number - 0.5, number - 0.5), 1, 1, facecolor=theme.faint, linewidth=0))
    return image


def _magnitudes(theme: Theme) -> Colormap:
    """Cividis, which begins in the background: a rare mistake is pale, a frequent one is full."""
    strength = np.linspace(0, 1, 64)[:, None]
    full = colormaps[theme.magnitudes](strength[:, 0])[:, :3]
    veil = 0.75 * (1 - strength) ** 1.5
    return ListedColormap(full * (1 - veil) + np.array(to_rgb(theme.background)) * veil)


def _write_counts(axes: Axes, counts: NDArray[Any], image: AxesImage, theme: Theme) -> None:
    for row, column in np.argwhere(counts > 0).tolist():
        right = row == column
        share = counts[row, column] / counts[row].sum()
        colour = theme.text if right else readable_on(np.asarray(image.cmap(image.norm(share)))[:3])
        weight = "bold" if right else "normal"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=SMALL, color=colour, fontweight=weight)


def readable_on(colour: NDArray[Any]) -> str:
    """Black or white, whichever has more contrast (WCAG 2.2 relative luminance)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return "#000000" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.179 else "#FFFFFF"


def _name_classes(axes: Axes, names: Sequence[str], cell: float, theme: Theme) -> None:
    every = math.ceil(_NAME_SPACING / cell)
    places = range(0, len(names), every)
    some = "" if every == 1 else f", every {every}{'nd' if every == 2 else 'rd' if every == 3 else 'th'} named"
    dress(axes, theme, xlabel=f"predicted class (columns{some})", ylabel=f"true class (rows{some})")
    axes.grid(visible=False)
    upright = _names_below(names, cell) == 0.2
    axes.set_xticks(places, [names[place] for place in places], rotation=0 if upright else 90)
    axes.set_yticks(places, [names[place] for place in places])
    axes.tick_params(length=0 if every == 1 else 3, labelsize=NORMAL if every == 1 else SMALL)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(theme.muted)
    if len(names) <= _MOST_WITH_COUNTS:
        axes.set_xticks(np.arange(0.5, len(names) - 1), minor=True)
        axes.set_yticks(np.arange(0.5, len(names) - 1), minor=True)
        axes.tick_params(which="minor", length=0)
        axes.grid(visible=True, which="minor", color=theme.faint, linewidth=0.6)


def _scale(figure: Picture, image: AxesImage, theme: Theme) -> None:
    bar = figure.colorbar(image, shrink=0.6, aspect=18, pad=0.03)
    bar.ax.yaxis.set_major_locator(MaxNLocator(nbins=4))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.3g} %"))
    bar.ax.tick_params(colors=theme.muted, labelcolor=theme.text, labelsize=NORMAL)
    bar.set_label("mistakes, share of the true class", color=theme.text, fontsize=NORMAL)
    bar.outline.set_visible(False)
