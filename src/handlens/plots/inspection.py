"""What is in a data set: how many images each class has, what their mean looks like, and which are there twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import SubFigure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, SMALL, TITLE, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain, text_width
from handlens.words import counted

Array = NDArray[Any]

_MOST_CLASSES = 40
_MOST_TWINS = 12
_HATCHES = {"train": "", "val": "////", "test": "...."}


def plot_inspection(
    classes: Sequence[str],
    counts: Mapping[str, Sequence[int]],
    means: Array,
    twins: Array,
    titles: Sequence[Sequence[str]],
    theme: Theme = LIGHT,
) -> Picture:
    """Class balance, the mean image of each class, and pairs of images that are alike.

    Args:
        classes: K names; of more than 40 the first 40 are drawn.
        counts: for each split, K numbers of images.
        means: K,C,H,W `uint8`.
        twins: M,2,C,H,W `uint8`; the first twelve pairs are drawn.
        titles: M pairs of words, one for each image.
        theme: the colours.
    """
    shown = min(len(classes), _MOST_CLASSES)
    pairs = min(len(twins), _MOST_TWINS)
    heights = [0.8 + 0.2 * shown, 0.55 + 1.05 * -(-shown // 10), 0.55 + 1.55 * -(-pairs // 4) if pairs else 0.5]
    figure = new_figure(WIDTH, sum(heights), theme)
    parts: list[SubFigure] = list(np.ravel(np.array(figure.subfigures(3, 1, height_ratios=heights), dtype=object)))
    for part in parts:
        part.set_facecolor(theme.background)
    _balance(parts[0].subplots(), classes[:shown], {split: list(some)[:shown] for split, some in counts.items()}, theme)
    _mosaic(
        parts[1],
        "The mean of each class's training images",
        [(image, (name,)) for image, name in zip(means[:shown], classes, strict=False)],
        10,
        theme,
    )
    _twins(parts[2], twins[:pairs], titles, theme)
    return finish(figure)


def _balance(axes: Axes, classes: Sequence[str], counts: Mapping[str, Sequence[int]], theme: Theme) -> None:
    dress(axes, theme, xlabel="images")
    places, left = np.arange(len(classes)), np.zeros(len(classes))
    drawn = [(split, np.asarray(some)) for split, some in counts.items() if sum(some)]
    for (split, some), colour in zip(drawn, theme.series, strict=False):
        axes.barh(
            places, some, left=left, height=0.72, color=colour, hatch=_HATCHES.get(split, ""), edgecolor=theme.background, label=split
        )
        left += some
    for place, total in zip(places, left, strict=True):
        axes.text(total, float(place), f" {int(total):,}", va="center", color=theme.text, fontsize=SMALL)
    axes.set_yticks(places, [plain(name) for name in classes])
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, labelcolor=theme.text, fontsize=SMALL, borderaxespad=0.2)
    headline(axes, f"{counted(int(left.sum()), 'image')} of {counted(len(classes), 'class', 'classes')}", theme)


def _twins(part: SubFigure, twins: Array, titles: Sequence[Sequence[str]], theme: Theme) -> None:
    if len(twins) == 0:
        part.text(0.01, 0.5, "No two images are equal or nearly equal", color=theme.text, fontsize=TITLE, fontweight="bold", va="center")
        return
    colour = np.rint(255 * np.array(to_rgb(theme.background))[: twins.shape[2]]).astype(np.uint8)
    gap = np.broadcast_to(colour[:, None, None], (*twins.shape[2:4], max(1, twins.shape[4] // 14)))
    joined = [(np.concatenate([first, gap, second], axis=2), words) for (first, second), words in zip(twins, titles, strict=False)]
    _mosaic(part, "Images that are there twice, or nearly: most alike first", joined, 4, theme)


def _mosaic(part: SubFigure, title: str, tiles: Sequence[tuple[Array, Sequence[str]]], columns: int, theme: Theme) -> None:
    """Pictures C,H,W in rows, each with its lines below."""
    part.suptitle(title, x=0.01, ha="left", color=theme.text, fontsize=TITLE, fontweight="bold")
    rows = -(-len(tiles) // columns)
    grid = np.atleast_2d(part.subplots(rows, columns, squeeze=False))
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (pixels, lines) in zip(grid.flat, tiles, strict=False):
        _channels, high, wide = pixels.shape
        axes.add_patch(Rectangle((-0.5, -0.5), wide, high, fill=False, edgecolor=theme.muted, linewidth=0.6, clip_on=False))
        axes.imshow(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255)
        axes.set_title(
            "\n".join(_fitting(line, 0.92 * WIDTH / columns) for line in lines), y=-0.02, va="top", fontsize=SMALL, color=theme.text, pad=0
        )


def _fitting(line: str, width: float) -> str:
    """As much of a line as goes into so many inches."""
    shown = plain(line, 48)
    while text_width(shown) > width and len(shown) > 2:
        shown = shown[:-2] + "…"
    return shown
