"""Figures made of many small pictures: samples, predictions, mistakes, weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from handlens.errors import UsageError
from handlens.plots.style import (
    LIGHT,
    NORMAL,
    RIGHT_MARK,
    SIGNED,
    SMALL,
    TITLE,
    WIDTH,
    WRONG_MARK,
    Picture,
    Theme,
    finish,
    new_figure,
    percent,
    plain,
    text_width,
)
from handlens.words import counted

Array = NDArray[Any]

LINE = 0.165
GAP = 0.14
_HOW_TO_READ = "first line: what the network says, and how sure it is; below: what it is"


@dataclass(frozen=True)
class Tile:
    """One picture and the lines below it; `right` colours the frame and the first line, None leaves them plain."""

    pixels: Array
    lines: tuple[str, ...] = ()
    right: bool | None = None


def plot_samples(images: Array, titles: Sequence[str], *, theme: Theme = LIGHT) -> Picture:
    """Images with their names below.

    Args:
        images: N,C,H,W with 1 or 3 channels; `uint8` 0 to 255 or floats 0 to 1.
        titles: one an image.
        theme: the colours.

    Raises:
        UsageError: the images have another shape.
    """
    tiles = [Tile(pixels, (plain(title),)) for pixels, title in zip(pictures(images), titles, strict=True)]
    return mosaic(tiles, f"{counted(len(tiles), 'image with its label', 'images with their labels')}", theme)


def plot_predictions(
    images: Array, true: Sequence[str], predicted: Sequence[str], probabilities: Sequence[float], *, theme: Theme = LIGHT
) -> Picture:
    """What a model says to each image, how sure it is, and whether that is right.

    Args:
        images: N,C,H,W as for `plot_samples`.
        true: N, the class of each image.
        predicted: N, the class that the model gave it.
        probabilities: N, the probability of the predicted class, 0 to 1.
        theme: the colours.

    Raises:
        UsageError: the images have another shape.
    """
    tiles = _judged(images, true, predicted, probabilities, [()] * len(true))
    right = sum(bool(tile.right) for tile in tiles)
    return mosaic(tiles, f"{right} of {counted(len(tiles), 'prediction')} right", theme, _HOW_TO_READ)


def plot_mistakes(
    images: Array,
    true: Sequence[str],
    predicted: Sequence[str],
    probabilities: Sequence[float],
    losses: Sequence[float] | None = None,
    theme: Theme = LIGHT,
) -> Picture:
    """Wrong predictions, most wrong first: by loss if `losses` (N) are given, else by the probability of the wrong answer.

    The other arguments and the error are those of `plot_predictions`.
    """
    order = np.argsort(-np.asarray(probabilities if losses is None else losses, dtype=float), kind="stable").tolist()
    below = [()] * len(true) if losses is None else [(f"loss {_short(loss)}",) for loss in losses]
    tiles = _judged(images, true, predicted, probabilities, below)
    if not tiles:
        return mosaic([], "No mistakes to show", theme)
    return mosaic([tiles[index] for index in order], "Most wrong first", theme, _HOW_TO_READ)


def _short(loss: float) -> str:
    return f"{loss:.2f}" if loss < 100 else f"{loss:.3g}"


def _judged(
    images: Array, true: Sequence[str], predicted: Sequence[str], probabilities: Sequence[float], below: Sequence[tuple[str, ...]]
) -> list[Tile]:
    tiles = []
    for pixels, truth, guess, share, more in zip(pictures(images), true, predicted, probabilities, below, strict=True):
        right = truth == guess
        first = f"{RIGHT_MARK if right else WRONG_MARK} {plain(guess)} ({percent(share)})"
        tiles.append(Tile(pixels, (first, f"true: {plain(truth)}", *more), right))
    return tiles


def pictures(images: Array) -> list[Array]:
    """Each image as H,W or H,W,3 with values from 0 to 1.

    Raises:
        UsageError: the images have another shape.
    """
    array = np.asarray(images)
    if array.ndim != 4 or (len(array) and array.shape[1] not in (1, 3)):
        raise UsageError(f"Images of shape {array.shape} cannot be shown.", hint="They must be N,C,H,W with 1 channel (grey) or 3 (RGB).")
    values = array / 255 if array.dtype == np.uint8 else np.nan_to_num(array.astype(np.float64))
    return [image[0] if len(image) == 1 else image.transpose(1, 2, 0) for image in values.clip(0, 1)]


def mosaic(tiles: Sequence[Tile], title: str, theme: Theme, subtitle: str = "") -> Picture:
    """Tiles in rows on one pair of axes that counts in inches, downwards from the top left corner."""
    words = max((text_width(line, bold=tile.right is not None) for tile in tiles for line in tile.lines), default=0.0)
    columns, side = _fit(len(tiles), max(words, 0.6))
    pitch = max(side, words) + GAP
    rise = side + max((len(tile.lines) for tile in tiles), default=0) * LINE + 0.2
    head = head_height(subtitle)
    figure, axes = canvas(
        max(columns * pitch + GAP, title_width(title, subtitle)), max(math.ceil(len(tiles) / columns) * rise, 0.1) + head, theme
    )
    write_title(axes, title, subtitle, theme)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        _draw(axes, tile, (GAP + column * pitch, head + row * rise, side), theme)
    return finish(figure)


def head_height(subtitle: str) -> float:
    """Inches for a title, and for a subtitle if there is one."""
    return 0.6 if subtitle else 0.4


def title_width(title: str, subtitle: str) -> float:
    """Inches that they need."""
    return max(text_width(title, TITLE, bold=True), text_width(subtitle, SMALL)) + 2 * GAP


def write_title(axes: Axes, title: str, subtitle: str, theme: Theme) -> None:
    """A title and a quieter line below, at the top left."""
    axes.text(GAP, 0.1, title, va="top", color=theme.text, fontsize=TITLE, fontweight="bold")
    axes.text(GAP, 0.34, subtitle, va="top", color=theme.muted, fontsize=SMALL)


def _fit(count: int, narrowest: float) -> tuple[int, float]:
    """How many columns, and how wide a picture is, for `count` tiles that must be at least so wide: no lonely last tile."""
    fitting = int((WIDTH - GAP) / (narrowest + GAP))
    most = max(1, min(fitting, 10 if count > 32 else 8, count))
    columns = _fullest(count, most)
    return columns, min(1.3, (WIDTH - GAP) / columns - GAP)


def _fullest(count: int, most: int) -> int:
    """The number of columns, from half of `most` to `most`, that leaves the fewest gaps in the last row."""
    return min(range(most, most // 2, -1), key=lambda columns: -count % columns)


def canvas(width: float, height: float, theme: Theme) -> tuple[Picture, Axes]:
    """A figure with one pair of axes that counts in inches, downwards from the top left corner."""
    figure = new_figure(width, height, theme, constrained=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    return figure, axes


def _draw(axes: Axes, tile: Tile, place: tuple[float, float, float], theme: Theme) -> None:
    left, top, side = place
    draw_picture(axes, tile.pixels, (left, top, side, side), "gray", Normalize(0, 1))
    colour = theme.muted if tile.right is None else theme.right if tile.right else theme.wrong
    line = {None: 0.6, True: 1.5, False: 3.0}[tile.right]  # wrong is thick, so that it stands out where there is no colour
    draw_frame(axes, (left, top, side, side), colour, line)
    for number, words in enumerate(tile.lines):
        first = number == 0 and tile.right is not None
        axes.text(
            left,
            top + side + 0.06 + number * LINE,
            words,
            va="top",
            fontsize=SMALL,
            fontweight="bold" if first else "normal",
            color=colour if first else theme.text if number == 0 else theme.muted,
        )


def draw_picture(axes: Axes, pixels: Array, box: tuple[float, float, float, float], colours: str | Colormap, norm: Normalize) -> AxesImage:
    """One picture into a box: left, top, width and height."""
    left, top, width, height = box
    smooth = "nearest" if max(pixels.shape[:2]) <= 96 else "auto"
    extent = (left, left + width, top + height, top)
    return axes.imshow(pixels, cmap=colours, norm=norm, extent=extent, aspect="auto", interpolation=smooth)


def draw_frame(axes: Axes, box: tuple[float, float, float, float], colour: str, line: float) -> None:
    """A frame around a box, of a line so many points thick."""
    left, top, width, height = box
    out = line / 144 - 0.007  # a little over the picture, or a bright seam shows between them
    style: dict[str, Any] = {"fill": False, "edgecolor": colour, "linewidth": line}
    axes.add_patch(Rectangle((left - out, top - out), width + 2 * out, height + 2 * out, **style))


def as_pictures(weights: Array) -> NDArray[np.float64]:
    """Weights that can be drawn: N,C,H,W.

    Raises:
        UsageError: they have another shape.
    """
    array = np.asarray(weights, dtype=np.float64)
    if array.ndim != 4 or array.size == 0:
        raise UsageError(f"Weights of shape {array.shape} cannot be shown as pictures.", hint="They must be N,C,H,W.")
    return array


def plot_weights(weights: Array, titles: Sequence[str] | None = None, *, theme: Theme = LIGHT) -> Picture:
    """The weights that lead from the pixels to each unit, as pictures on one common scale: white is zero.

    Args:
        weights: N,C,H,W: N units or filters; the C channels of one stand side by side.
        titles: N names to stand below; none if None.
        theme: the colours around the pictures.

    Raises:
        UsageError: the weights have another shape.
    """
    array = as_pictures(weights)
    count, channels, height, width = array.shape
    columns, side = _weight_grid(count, channels)
    tall, gap, below = side * height / (width * channels), 0.1 if titles else 0.06, 0.2 if titles else 0.0
    title, subtitle = f"Weights of {counted(count, 'unit')}", "orange: a bright pixel here raises the unit's value; blue: lowers it"
    subtitle += f"; {channels} channels side by side" if channels > 1 else ""
    head, right = head_height(subtitle), GAP + columns * (side + gap)
    rows = math.ceil(count / columns)
    figure, axes = canvas(max(right + 0.9, title_width(title, subtitle)), max(rows * (tall + below + gap), 1.1) + head + 0.1, theme)
    write_title(axes, title, subtitle, theme)
    limit = signed_limit(array)
    for place in range(count):
        row, column = divmod(place, columns)
        box = (GAP + column * (side + gap), head + row * (tall + below + gap), side, tall)
        draw_picture(axes, np.hstack(list(array[place])), box, SIGNED, Normalize(-limit, limit))
        axes.vlines(box[0] + np.arange(channels + 1) * side / channels, box[1], box[1] + tall, color=theme.muted, linewidth=0.6)
        axes.hlines((box[1], box[1] + tall), box[0], box[0] + side, color=theme.muted, linewidth=0.6)
        if titles:
            words, centre = plain(titles[place], 12), box[0] + side / 2
            axes.text(centre, box[1] + tall + 0.05, words, va="top", ha="center", fontsize=SMALL, color=theme.text)
    _colour_bar(figure, axes, right, limit, theme)
    return finish(figure)


def _weight_grid(count: int, channels: int) -> tuple[int, float]:
    most = max(1, min((32 if count > 256 else 16 if count >= 32 else 8) // channels, count))
    columns = _fullest(count, most)
    return columns, min(1.1 if channels == 1 else 0.6 * channels, (WIDTH - 1.1) / columns - 0.1)


def signed_limit(weights: Array) -> float:
    """Where the colours end: beyond 99.8 % of the weights, so that one odd weight cannot bleach all others."""
    return float(np.quantile(np.abs(np.nan_to_num(weights)), 0.998)) or 1.0


def _colour_bar(figure: Picture, axes: Axes, left: float, limit: float, theme: Theme) -> None:
    width, height = figure.get_size_inches()
    head = head_height("with a subtitle")
    tall = min(height - head - 0.1, 3.0)
    place = figure.add_axes(((left + 0.05) / width, (height - head - tall) / height, 0.14 / width, tall / height))
    bar = figure.colorbar(axes.images[0], cax=place, extend="both", extendfrac=0.04)
    bar.outline.set_edgecolor(theme.muted)
    bar.set_ticks([-limit, 0, limit], labels=[f"−{limit:.2g}", "0", f"+{limit:.2g}"])
    place.tick_params(colors=theme.muted, labelcolor=theme.text, labelsize=NORMAL)
