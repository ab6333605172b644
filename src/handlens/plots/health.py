"""The health of a network: dead units, weights and gradients layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain

_LETTERS = 18
_MOST = 24
"""Layers that a figure can show so that their names can be read."""


Item = TypeVar("Item")


class LayerLike(Protocol):
    """What `explain.health` finds of a layer: counts in equal bins from -limit to limit."""

    @property
    def layer(self) -> str:
        """Its name."""

    @property
    def weights(self) -> NDArray[np.int64]:
        """Counts of its weights."""

    @property
    def gradients(self) -> NDArray[np.int64]:
        """Counts of its gradients."""

    @property
    def weight_limit(self) -> float:
        """The largest absolute weight."""

    @property
    def gradient_limit(self) -> float:
        """The largest absolute gradient."""


def plot_health(layers: Sequence[LayerLike], dead: Sequence[tuple[str, float, int]], images: int = 0, *, theme: Theme = LIGHT) -> Picture:
    """For each layer the histograms of its weights and of its gradients; for each ReLU the share of units that are dead.

    Args:
        layers: from the first to the last; of very many some in equal distances are shown.
        dead: for each ReLU its name, the share of its units that are dead, 0 to 1, and how many it has.
        images: on so many images they were.
        theme: the colours.
    """
    some, relus = _some(layers), _some(dead)
    count = max(len(some), len(relus), 3)
    figure = new_figure(WIDTH, 1.35 + 0.42 * count, theme)
    left, middle, right = figure.subplots(1, 3, width_ratios=(3, 3, 2.2))
    _histograms(left, [(one.layer, one.weights, one.weight_limit) for one in some], ("Weights", "from the lowest to the highest"), theme)
    _histograms(middle, [("", one.gradients, one.gradient_limit) for one in some], ("Gradients of the loss", "the same layers"), theme)
    _dead(right, relus, images, theme)
    return finish(figure)


def _some(items: Sequence[Item]) -> list[Item]:
    """At most as many as can be read, in equal distances, with the first and the last."""
    if len(items) <= _MOST:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, _MOST).tolist()]


def _histograms(axes: Axes, rows: Sequence[tuple[str, NDArray[np.int64], float]], words: tuple[str, str], theme: Theme) -> None:
    """One above the other, the first layer on top; each with a width of its own, which is written beside it."""
    dress(axes, theme, xlabel=words[1])
    headline(axes, words[0], theme)
    axes.grid(visible=False)
    axes.axvline(0, color=theme.muted, linewidth=0.8, linestyle=(0, (2, 2)))
    for row, (_, counts, _) in enumerate(rows):
        edges, heights = np.linspace(-1, 1, len(counts) + 1), counts / max(int(counts.max()), 1) * 0.8
        base = row + 0.4
        axes.stairs(base - heights, edges, baseline=base, fill=True, color=theme.right, alpha=0.85)
        axes.axhline(base, color=theme.muted, linewidth=0.5)
    axes.set_yticks([row + 0.1 for row in range(len(rows))], [f"{_end(name)}  ±{limit:.2g}".strip() for name, _, limit in rows])
    axes.set_ylim(max(len(rows), 3) - 0.5, -0.6)
    axes.set_xticks([-1, 0, 1], ["−", "0", "+"])
    axes.tick_params(axis="y", length=0)


def _end(name: str) -> str:
    """The end of a layer's name, as much as there is room for: there layers of one block differ."""
    while len(name) > _LETTERS and "." in name:
        name = name.partition(".")[2]
    return plain(name, _LETTERS)


def _dead(axes: Axes, rows: Sequence[tuple[str, float, int]], images: int, theme: Theme) -> None:
    dress(axes, theme, xlabel=f"0 for all {images:,} images" if images else "always 0")
    headline(axes, "Dead units", theme)
    axes.grid(visible=False, axis="y")
    for row, (_, share, units) in enumerate(rows):
        axes.barh(row, share, height=0.55, color=theme.wrong if share >= 0.2 else theme.right)
        axes.text(share + 0.03, row, f"{round(share * units)} of {units}", va="center", fontsize=SMALL, color=theme.text)
    axes.set_yticks(range(len(rows)), [_end(name) for name, _, _ in rows])
    axes.set_ylim(max(len(rows), 3) - 0.5, -0.6)
    axes.set_xlim(0, 1.5)  # the words behind a full bar need room
    axes.set_xticks([0, 0.5, 1])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.0f} %"))
    axes.tick_params(axis="y", length=0)
    if not rows:
        axes.text(0.5, 0.5, "no ReLU in this network", ha="center", fontsize=NORMAL, color=theme.muted, transform=axes.transAxes)
