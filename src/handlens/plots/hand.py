"""Accuracy by class on several sets of images, of one or more networks: a panel for each set, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain

_HEIGHT = 2.6
_MOST_NAMED = 26
_APART = 0.62  # of the room of a class


class Share(NamedTuple):
    """Which share of so many images is right, 0 to 1, and from where to where that goes with 95 % confidence."""

    accuracy: float
    low: float
    high: float
    n: int


def plot_hand(
    panels: Sequence[tuple[str, Sequence[Sequence[Share]]]], names: Sequence[str], classes: Sequence[str], *, theme: Theme = LIGHT
) -> Picture:
    """Accuracy on all images and on each class, with intervals, in a panel for each set of images.

    Args:
        panels: of each its title and, for each network, the share of all images that is right, then of each class.
        names: of the networks.
        classes: their names.
        theme: the colours.
    """
    figure = new_figure(WIDTH, _HEIGHT * len(panels) + 0.4, theme)
    rows = figure.subplots(len(panels), 1, sharey=True, squeeze=False)[:, 0]
    for axes, (title, networks) in zip(rows, panels, strict=True):
        dress(axes, theme, ylabel="accuracy")
        headline(axes, title, theme)
        for number, shares in enumerate(networks):
            aside = (number - (len(networks) - 1) / 2) / max(len(networks), 2) * _APART
            _draw(axes, shares, aside, theme.line(number), plain(names[number]))
        _name_classes(axes, [share.n for share in networks[0]], classes)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.4g} %"))
        axes.grid(visible=False, axis="x")
    rows[-1].set_ylim(top=1.03)
    handles, labels = rows[0].get_legend_handles_labels()
    style: dict[str, Any] = {"frameon": False, "fontsize": NORMAL, "labelcolor": theme.text}
    figure.legend(handles, labels, loc="outside lower left", ncols=len(names), **style)
    rows[-1].set_xlabel("class, and how many images of it; bars: 95 % intervals", color=theme.text, fontsize=NORMAL)
    return finish(figure)


def _draw(axes: Axes, shares: Sequence[Share], aside: float, style: dict[str, Any], name: str) -> None:
    """A mark for each class that has images, and its interval."""
    there = [place for place, share in enumerate(shares) if share.n]
    some = [shares[place] for place in there]
    places = [place + aside for place in there]
    lows, highs = [share.low for share in some], [share.high for share in some]
    axes.vlines(places, lows, highs, color=style["color"], linewidth=2.2, alpha=0.55)
    look = {"marker": style["marker"], "color": style["color"]}
    axes.plot(places, [share.accuracy for share in some], linestyle="", markersize=6, label=name, **look)


def _name_classes(axes: Axes, counts: Sequence[int], classes: Sequence[str]) -> None:
    """Below each place its class, and how many images of it there are."""
    names = [f"{plain(name, 6)}\n{count:,}" for name, count in zip(["all", *classes], counts, strict=True)]
    every = -(-len(names) // _MOST_NAMED)
    axes.set_xticks(range(0, len(names), every), names[::every], fontsize=SMALL)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.axvline(0.5, color=axes.spines["left"].get_edgecolor(), linewidth=0.8)
