"""Accuracy by class on several sets of images, of one or more networks: a panel for each set, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from handlens.metrics import accuracy_interval
from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain

_HEIGHT = 2.6
_MOST_NAMED = 26
_APART = 0.62  # of the room of a class


def plot_hand(
    panels: Sequence[tuple[str, Sequence[Sequence[tuple[int, int]]]]], names: Sequence[str], classes: Sequence[str], *, theme: Theme = LIGHT
) -> Picture:
    """How many of each class are right, with 95 % intervals (Wilson), in a panel for each set of images.

    Args:
        panels: of each its title and, for each network, how many were right of how many: of all images, then of each class.
        names: of the networks.
        classes: their names.
        theme: the colours.
    """
    figure = new_figure(WIDTH, _HEIGHT * len(panels) + 0.4, theme)
    rows = figure.subplots(len(panels), 1, sharey=True, squeeze=False)[:, 0]
    for axes, (title, networks) in zip(rows, panels, strict=True):
        dress(axes, theme, ylabel="accuracy")
        headline(axes, title, theme)
        for number, counts in enumerate(networks):
            aside = (number - (len(networks) - 1) / 2) / max(len(networks), 2) * _APART
            _draw(axes, counts, aside, theme.line(number), plain(names[number]))
        _name_classes(axes, [count for _right, count in networks[0]], classes)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.4g} %"))
        axes.grid(visible=False, axis="x")
    rows[-1].set_ylim(top=1.03)
    handles, labels = rows[0].get_legend_handles_labels()
    style: dict[str, Any] = {"frameon": False, "fontsize": NORMAL, "labelcolor": theme.text}
    figure.legend(handles, labels, loc="outside lower left", ncols=len(names), **style)
    rows[-1].set_xlabel("class, and how many images of it; bars: 95 % intervals", color=theme.text, fontsize=NORMAL)
    return finish(figure)


def _draw(axes: Axes, counts: Sequence[tuple[int, int]], aside: float, style: dict[str, object], name: str) -> None:
    """A mark for each class that has images, and its interval."""
    there = [(place + aside, right, count) for place, (right, count) in enumerate(counts) if count]
    places = [place for place, _right, _count in there]
    lows, highs = zip(*(accuracy_interval(right, count) for _place, right, count in there), strict=True)
    axes.vlines(places, lows, highs, color=style["color"], linewidth=2.2, alpha=0.55)
    shares = [right / count for _place, right, count in there]
    axes.plot(places, shares, linestyle="", marker=style["marker"], markersize=6, color=style["color"], label=name)


def _name_classes(axes: Axes, counts: Sequence[int], classes: Sequence[str]) -> None:
    """Below each place its class, and how many images of it there are."""
    names = [f"{plain(name, 8)}\n{count:,}" for name, count in zip(["all", *classes], counts, strict=True)]
    every = -(-len(names) // _MOST_NAMED)
    axes.set_xticks(range(0, len(names), every), names[::every], fontsize=SMALL)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.axvline(0.5, color=axes.spines["left"].get_edgecolor(), linewidth=0.8)
