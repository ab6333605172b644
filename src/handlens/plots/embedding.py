"""The embedding map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from handlens.errors import UsageError
from handlens.plots.style import LIGHT, NORMAL, Picture, Theme, dress, finish, headline, new_figure, plain

_MARKERS = "os^DvPX<>*"
_LIGHT = ("#0072B2", "#B84A00", "#007A5A", "#A3478A", "#1A1D21", "#7A6A00", "#3B8FD4", "#8A5A44", "#586069", "#6A4FC0")
_DARK = ("#56B4E9", "#FF8A4C", "#2FC79A", "#E29BC8", "#E8EAED", "#E5D04A", "#A8D8F5", "#D9A58C", "#A9B1BA", "#B9A6FF")
_MOST_NAMED = 40


def plot_embedding(
    points: NDArray[Any],
    labels: Sequence[int] | NDArray[np.int64],
    predictions: Sequence[int] | NDArray[np.int64],
    classes: Sequence[str],
    axes_names: tuple[str, str] = ("", ""),
    theme: Theme = LIGHT,
) -> Picture:
    """Images as points: each class has a marker and a colour, and what is predicted wrongly has a ring.

    Args:
        points: N,2.
        labels: N, what each image is.
        predictions: N, what the network says.
        classes: the name of each class.
        axes_names: what the two directions are.
        theme: the colours.

    Raises:
        UsageError: the points have another shape, or there are not as many labels and predictions.
    """
    array, true, said = np.asarray(points, dtype=float), np.asarray(labels), np.asarray(predictions)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array) == len(true) == len(said):
        raise UsageError(f"Points of shape {array.shape} with {len(true)} labels cannot be shown.", hint="They must be N,2 with N labels.")
    figure = new_figure(8.6, 6.2, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel=axes_names[0], ylabel=axes_names[1])
    wrong = true != said
    headline(axes, f"{len(array):,} images as the last layer sees them, {int(wrong.sum()):,} of them mistaken", theme)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(theme.faint)
    _classes(axes, array, true, [plain(name) for name in classes], theme)
    _mistakes(axes, array[wrong], theme)
    style: dict[str, Any] = {"frameon": False, "fontsize": NORMAL, "labelcolor": theme.text, "handletextpad": 0.4}
    figure.legend(loc="outside right upper", ncols=1 if len(classes) <= 20 else 2, **style)
    return finish(figure)


def _classes(axes: Axes, points: NDArray[Any], labels: NDArray[Any], names: Sequence[str], theme: Theme) -> None:
    colours = _LIGHT if theme is LIGHT else _DARK
    for number, name in enumerate(names):
        mine = points[labels == number]
        if len(mine):
            marker, colour = _MARKERS[(number + number // 10) % 10], colours[number % 10]
            label = f" {name}" if number < _MOST_NAMED else None  # a legend leaves out what begins with "_"
            axes.scatter(mine[:, 0], mine[:, 1], s=16, c=colour, marker=marker, alpha=0.75, linewidths=0, label=label)


def _mistakes(axes: Axes, points: NDArray[Any], theme: Theme) -> None:
    if len(points):
        style: dict[str, Any] = {"facecolors": "none", "edgecolors": theme.text, "linewidths": 1.3}
        axes.scatter(points[:, 0], points[:, 1], s=90, marker="o", label="predicted wrongly", **style)


def positions(figure: Figure, points: NDArray[Any]) -> NDArray[np.float64]:
    """Where points of the first axes lie in the figure: N,2 shares of its width and of its height from the top."""
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    placed = figure.axes[0].transData.transform(np.asarray(points, dtype=float))
    placed = figure.transFigure.inverted().transform(placed)
    return np.column_stack([placed[:, 0], 1 - placed[:, 1]])
