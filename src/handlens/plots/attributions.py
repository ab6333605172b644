"""Figures of which pixels an answer hangs on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb

from handlens.errors import UsageError
from handlens.plots.maps import grey_or_rgb
from handlens.plots.sheet import MARGIN, Array, Place, Sheet, columns
from handlens.plots.style import LIGHT, RIGHT_MARK, SIGNED, WIDTH, WRONG_MARK, Picture, Theme, plain, text_width
from handlens.plots.tiles import LINE

METHODS = {
    "saliency": ("Saliency", "right of each image: how fast the score changes with each pixel; bright is fast, whatever the direction"),
    "integrated-gradients": ("Integrated gradients", "right of each image: orange pixels raise the score of the class; blue ones lower it"),
    "gradcam": ("Grad-CAM", "right of each image: bright where the maps of the convolution speak for the class"),
    "occlusion": ("Occlusion", "right of each image: orange where the score falls when a square there is black; blue where it rises"),
}
"""By the method its title, and what the colours say."""

_ENDS = "each map on a scale of its own"
_SIGNED = ("integrated-gradients", "occlusion")


def plot_attributions(
    images: Array,
    maps: Array,
    lines: Sequence[Sequence[str]],
    right: Sequence[bool] | None = None,
    method: str = "saliency",
    theme: Theme = LIGHT,
) -> Picture:
    """Each image with its map at its right, where the outlines of a grey image are drawn over the map.

    Args:
        images: N,C,H,W in [0, 1].
        maps: N,H,W.
        lines: for each image the lines below it; the first one is the answer.
        right: whether each answer is right, None if that is not known.
        method: a key of `METHODS`: says what the colours mean.
        theme: the colours.

    Raises:
        UsageError: another method, or maps of another size than the images.
    """
    if method not in METHODS or np.shape(maps) != (len(images), *np.shape(images)[2:]) or not len(images):
        raise UsageError(f"Maps of shape {np.shape(maps)} for images of shape {np.shape(images)} cannot be shown as {method}.")
    title, words = METHODS[method]
    texts = [[plain(line, 32) for line in some] for some in lines]
    side, across, pitch = _grid(texts)
    rise = side + max(map(len, texts)) * LINE + 0.24
    size = (across * pitch + MARGIN, math.ceil(len(texts) / across) * rise - 0.1)
    sheet = Sheet(title, f"{words}; {_ENDS}", size, theme)
    for number, (image, values) in enumerate(zip(images, maps, strict=True)):
        row, column = divmod(number, across)
        place = (MARGIN + column * pitch, sheet.top + row * rise, side, side)
        _pair(sheet, grey_or_rgb(image), heat(values, method), place)
        _write(sheet, texts[number], None if right is None else right[number], place)
    return sheet.finish()


def _grid(texts: Sequence[Sequence[str]]) -> tuple[float, int, float]:
    """Side of a picture, pairs in a row, and from one pair to the next, in inches."""
    side = 1.6 if len(texts) == 1 else 1.1 if len(texts) <= 4 else 0.88
    words = max((text_width(f"{WRONG_MARK} {line}", bold=True) for some in texts for line in some), default=0.0)
    wide = max(2 * side + 0.05, words)
    return side, columns(len(texts), wide, 0.2, WIDTH - 2 * MARGIN), wide + 0.2


def heat(values: Array, method: str) -> Array:
    """A map H,W as colours H,W,3: white at zero where it is signed, else from dark to bright; the ends are beyond 99.5 % of it."""
    from matplotlib import colormaps

    array = np.nan_to_num(np.asarray(values, dtype=np.float64))
    limit = float(np.quantile(np.abs(array), 0.995)) or float(np.abs(array).max()) or 1.0
    if method in _SIGNED:
        return np.asarray(SIGNED((array / limit / 2 + 0.5).clip(0, 1)))[..., :3]
    return np.asarray(colormaps["cividis"]((array / limit).clip(0, 1)))[..., :3]


def _pair(sheet: Sheet, image: Array, colours: Array, place: Place) -> None:
    left, top, side, _ = place
    sheet.picture(image, place)
    beside = (left + side + 0.05, top, side, side)
    sheet.picture(colours, beside)
    if image.ndim == 2 and image.min() < 0.5 < image.max():
        pixels = np.arange(0.5, image.shape[0]) / image.shape[0] * side
        across = np.arange(0.5, image.shape[1]) / image.shape[1] * side
        line = "#586069" if colours.mean() > 0.6 else "#FFFFFF"
        sheet.axes.contour(beside[0] + across, top + pixels, image, [0.5], colors=[to_rgb(line)], linewidths=0.7)


def _write(sheet: Sheet, lines: Sequence[str], right: bool | None, place: Place) -> None:
    left, top, side, _ = place
    mark = {None: "", True: RIGHT_MARK + " ", False: WRONG_MARK + " "}[right]
    colour = {None: sheet.theme.text, True: sheet.theme.right, False: sheet.theme.wrong}[right]
    if right is not None:
        sheet.frame(place, colour, 1.5 if right else 3.0)
    for number, line in enumerate(lines):
        style = {"color": colour, "fontweight": "bold"} if number == 0 else {"color": sheet.theme.muted}
        sheet.text(f"{mark if number == 0 else ''}{line}", left, top + side + 0.06 + number * LINE, **style)
