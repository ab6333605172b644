"""The calibration diagram."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, NORMAL, SMALL, Picture, Theme, dress, finish, headline, new_figure

ENOUGH = 30
"""Below so many images the share that was right is mostly luck: such points are hollow."""


class CalibrationLike(Protocol):
    """What `metrics.calibration` returns: B bins of confidence, NaN where a bin is empty."""

    @property
    def ece(self) -> float:
        """The calibration error, 0 to 1."""

    @property
    def confidence(self) -> NDArray[np.float64]:
        """The mean confidence of each bin."""

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """The share of each bin that was right."""

    @property
    def count(self) -> NDArray[np.int64]:
        """How many images each bin holds."""


def plot_calibration(calibration: CalibrationLike, *, theme: Theme = LIGHT) -> Picture:
    """How often a model is right when it is so sure, and below it how often it is so sure.

    Args:
        calibration: from `metrics.calibration`.
        theme: the colours.
    """
    figure = new_figure(6.2, 5.4, theme)
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    _reliability(above, calibration, theme)
    _crowd(below, calibration.count, theme)
    figure.legend(
        loc="outside lower center", ncols=4, frameon=False, fontsize=NORMAL, labelcolor=theme.text, handlelength=2, columnspacing=1.2
    )
    return finish(figure)


def _reliability(axes: Axes, calibration: CalibrationLike, theme: Theme) -> None:
    dress(axes, theme, ylabel="how often right (accuracy)")
    headline(axes, f"Calibration error (ECE) {calibration.ece * 100:.1f} %", theme)
    axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)), label="right as often as sure")
    many, few = calibration.count >= ENOUGH, (calibration.count > 0) & (calibration.count < ENOUGH)
    gaps = calibration.count > 0
    confidence, accuracy = calibration.confidence, calibration.accuracy
    axes.vlines(confidence[gaps], confidence[gaps], accuracy[gaps], color=theme.wrong, linewidth=1.6, linestyle=(0, (1, 1)), label="gap")
    axes.plot(confidence[many], accuracy[many], color=theme.right, linewidth=1.4, marker="o", markersize=5.5, label="this network")
    if few.any():
        words, hollow = f"fewer than {ENOUGH} images", theme.background
        axes.plot(confidence[few], accuracy[few], "o", color=theme.right, markersize=5.5, markerfacecolor=hollow, label=words)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))


def _crowd(axes: Axes, count: NDArray[Any], theme: Theme) -> None:
    dress(axes, theme, xlabel="how sure (probability of the predicted class)", ylabel="share of images")
    edges, total = np.linspace(0, 1, len(count) + 1), max(int(count.sum()), 1)
    axes.bar(edges[:-1], count / total, width=edges[1], align="edge", color=theme.right, edgecolor=theme.background)
    for left, number in zip(edges[:-1], count.tolist(), strict=True):
        if number:
            axes.text(left + edges[1] / 2, number / total + 0.03, f"{number}", ha="center", va="bottom", fontsize=SMALL, color=theme.text)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(0, 1.3)
    axes.set_yticks([0, 0.5, 1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_percent))


def _percent(share: float, _: object) -> str:
    return f"{share * 100:.0f} %"
