"""Calibration before and after temperature scaling, and accuracy against the share of images answered."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from handlens.plots.reliability import ENOUGH, CalibrationLike
from handlens.plots.style import LIGHT, NORMAL, WIDTH, Picture, Theme, dress, finish, headline, new_figure


def plot_temperature(
    before: CalibrationLike,
    after: CalibrationLike,
    temperature: float,
    coverage: tuple[NDArray[Any], NDArray[Any]],
    *,
    theme: Theme = LIGHT,
) -> Picture:
    """How often right when so sure, before and after; and how right the answers are if only the surest are given.

    Args:
        before: from `metrics.calibration`.
        after: the same with the temperature.
        temperature: what the logits were divided by.
        coverage: shares answered and the accuracy of the answers, after, 0 to 1.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 4.2, theme)
    left, right = figure.subplots(1, 2)
    _reliability(left, before, after, temperature, theme)
    _coverage(right, *coverage, theme)
    return finish(figure)


def _reliability(axes: Axes, before: CalibrationLike, after: CalibrationLike, temperature: float, theme: Theme) -> None:
    dress(axes, theme, xlabel="how sure (probability of the predicted class)", ylabel="how often right (accuracy)")
    headline(axes, f"Temperature {temperature:.2f}", theme)
    axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)), label="right as often as sure")
    for one, when, colour, mark, dash in ((before, "before", theme.wrong, "s", (0, (5, 2))), (after, "after", theme.right, "o", "-")):
        enough = one.count >= ENOUGH
        words = f"{when}: calibration error (ECE) {one.ece * 100:.2f} %"
        style: dict[str, Any] = {"marker": mark, "markersize": 5.5, "linewidth": 1.6, "linestyle": dash}
        axes.plot(one.confidence[enough], one.accuracy[enough], color=colour, label=words, **style)
    axes.plot([], [], " ", label=f"bins of fewer than {ENOUGH} images are left out")
    axes.legend(frameon=False, fontsize=NORMAL, labelcolor=theme.text, loc="upper left")
    axes.set_ylim(0, 1.35)
    axes.set_xlim(0, 1.02)
    axes.set_yticks(np.linspace(0, 1, 6))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_percent))


def _coverage(axes: Axes, share: NDArray[Any], accuracy: NDArray[Any], theme: Theme) -> None:
    dress(axes, theme, xlabel="share of images answered, the surest first", ylabel="accuracy of the answers")
    headline(axes, 'Answering "I don\'t know" when unsure', theme)
    shown = share >= min(0.02, float(share[-1]))  # of very few answers one mistake is a cliff
    axes.plot(share[shown], accuracy[shown], color=theme.right, linewidth=1.8)
    axes.plot(share[-1], accuracy[-1], "o", color=theme.right, markersize=6)
    words = f"all answered: {accuracy[-1]:.1%}".replace("%", " %")
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "top", "fontsize": NORMAL, "color": theme.text}
    axes.annotate(words, (share[-1], accuracy[-1]), (-8, -4), **style)
    low = float(accuracy[shown].min())
    axes.set_ylim(low - (1 - low) * 0.15 - 1e-3, 1 + (1 - low) * 0.05 + 1e-3)
    axes.set_xlim(0, 1.02)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_percent))


def _percent(share: float, _: object) -> str:
    return f"{share * 100:.4g} %" if share < 1 + 1e-9 else ""
