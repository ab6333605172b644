"""Which pixels are ink, and how much of it: polarity, uneven light, and the lines that were printed on the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from handlens.data.drawing.source import Pixels, Source

PAPER = 32
"""The strength that paper without ink has, so that noise on both sides of it can be measured in bytes."""

_GRID = 40  # cells along the longer side, for the background
_WIDEST = 11  # cells that a dark place may be wide and still be ink
_COARSE = 64
_FLAT = 0.6
_FAINTEST = 0.07
_STRAIGHT = 6  # a line is straight within a sixth of the side
_THIN = 25  # and its width at most a twenty-fifth


@dataclass(frozen=True)
class Ink:
    """What was found about ink and paper; arrays H,W of the working size.

    Attributes:
        grey: the picture without colours: of red, green and blue the one in which the ink shows most.
        dark: the ink is darker than the paper.
        background: the paper alone, with its light and shadows.
        strength: `PAPER` for paper, 255 for what differs from it as much as anything can.
        noise: the standard deviation of the strength of mere paper.
        low: from this strength on a pixel is ink if one that it touches is,
        high: and from this one on by itself.
        full: the strength of a typical pixel within a stroke.
    """

    grey: Pixels
    dark: bool
    background: Pixels
    strength: Pixels
    noise: float
    low: int
    high: int
    full: int

    @property
    def faint(self) -> bool:
        """There is nothing that stands out from the paper."""
        return self.full - PAPER < _FAINTEST * (255 - PAPER) or self.full - PAPER < 5 * self.noise


def find_ink(source: Source) -> Ink:
    """Tell ink from paper."""
    grey = _luminance(source.pixels)
    dark = not source.is_ink and is_dark_on_light(grey)
    if source.pixels.ndim == 3:
        grey = _strongest_channel(source.pixels, dark)
    background = _background(grey if dark else 255 - grey)
    strength = _strength(grey if dark else 255 - grey, background)
    return _measured(grey, dark, background if dark else 255 - background, strength)


def without_lines(ink: Ink) -> Ink:
    """The same ink without printed lines, level or upright (within four degrees), that go through most of the picture."""
    strength = _erased(_erased(ink.strength, ink.low).T, ink.low).T
    return ink if strength is ink.strength else _measured(ink.grey, ink.dark, ink.background, np.ascontiguousarray(strength))


def _luminance(pixels: Pixels) -> Pixels:
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[:, :, channel].astype(np.uint16) for channel in range(3))
    return ((red + 2 * green + blue) >> 2).astype(np.uint8)


def _strongest_channel(pixels: Pixels, dark: bool) -> Pixels:
    """Yellow ink on white is seen in blue only, red ink in green and blue."""
    choose = np.minimum if dark else np.maximum
    return np.asarray(choose(choose(pixels[:, :, 0], pixels[:, :, 1]), pixels[:, :, 2]))


def is_dark_on_light(grey: Pixels) -> bool:
    """Whether the few pixels that differ much from what is around them are the darker ones: ink is rarer than paper."""
    factor = max(1, max(grey.shape) // _COARSE)
    small = np.asarray(Image.fromarray(grey).reduce(factor), np.float32)
    around = ndimage.median_filter(small[::3, ::3], max(small.shape) // 6 | 1, mode="nearest").repeat(3, 0).repeat(3, 1)
    difference = small - around[: small.shape[0], : small.shape[1]]
    return float((difference**3).sum()) < 0


def _background(light: Pixels) -> Pixels:
    """The light paper below dark ink: the commonest value if it is that common, else a closing over a coarse grid (Serra 1982)."""
    counts = np.bincount(light.ravel(), minlength=256)
    commonest = int(counts.argmax())
    if counts[max(0, commonest - 2) : commonest + 3].sum() > _FLAT * light.size or max(light.shape) < _GRID:
        return np.full_like(light, commonest if max(light.shape) >= _GRID else _upper(counts))
    height, width = light.shape
    factor = max(height, width) // _GRID
    cells = np.asarray(Image.fromarray(light).reduce(factor), np.float32)
    cells = ndimage.grey_closing(cells, (_WIDEST, _WIDEST), mode="nearest")
    cells = ndimage.uniform_filter(cells, 3, mode="nearest")
    size = (cells.shape[1] * factor, cells.shape[0] * factor)
    return np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR).convert("L"))[:height, :width]


def _upper(counts: NDArray[np.int64]) -> int:
    """Of a tiny picture: the value that a quarter of the pixels exceed."""
    return int(np.searchsorted(counts.cumsum(), 0.75 * counts.sum()))


def _strength(light: Pixels, background: Pixels) -> Pixels:
    """How much of the light is missing, whatever the light was."""
    behind = background.astype(np.float32)
    missing = (behind - light) * ((255 - PAPER) / np.maximum(behind, 40))
    return np.clip(missing + PAPER, 0, 255).astype(np.uint8)


def _measured(grey: Pixels, dark: bool, background: Pixels, strength: Pixels) -> Ink:
    counts = np.bincount(strength.ravel(), minlength=256).astype(np.float64)
    below = counts.cumsum()
    middle, lower = np.searchsorted(below, np.array([0.5, 0.16]) * strength.size)
    noise = max(1.0, float(middle - lower))
    least = int(min(250, max(middle + 4 * noise, PAPER + _FAINTEST * (255 - PAPER))))
    counts[:least] = 0
    if counts.sum() == 0:
        return Ink(grey, dark, background, strength, noise, least, 255, least)
    full = _upper_class_mean(counts)
    low = max(least, round(PAPER + 0.35 * (full - PAPER)))
    return Ink(grey, dark, background, strength, noise, low, max(low, round(PAPER + 0.6 * (full - PAPER))), round(full))


def _upper_class_mean(counts: NDArray[Any]) -> float:
    """The mean of the values above Otsu's threshold (1979)."""
    values = np.arange(256)
    weight, total = counts.cumsum(), (counts * values).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.nan_to_num((total[-1] * weight / weight[-1] - total) ** 2 / (weight * (weight[-1] - weight)), posinf=0)
    place = int(between.argmax())
    above = counts[place + 1 :]
    return float((above * values[place + 1 :]).sum() / above.sum()) if above.sum() else float(total[-1] / weight[-1])


def _erased(strength: Pixels, low: int) -> Pixels:
    """Without thin level lines; where a stroke crosses one, what is above and below is joined."""
    height, width = strength.shape
    long, thin = max(9, width // _STRAIGHT), max(3, height // _THIN)
    tolerant = ndimage.maximum_filter1d(strength, 3, axis=0)
    straight = ndimage.minimum_filter1d(tolerant, long, axis=1)
    straight = ndimage.maximum_filter1d(straight, long, axis=1) > low
    if not straight.any():
        return strength
    thick = ndimage.maximum_filter1d(ndimage.minimum_filter1d(strength, thin, axis=0), thin, axis=0) > low
    labels, _ = ndimage.label(straight & ~thick, np.ones((3, 3)))
    line = np.zeros(strength.shape, bool)
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        if place[1].stop - place[1].start > 0.7 * width:
            line[place] |= labels[place] == number
    if not line.any():
        return strength
    rest = np.where(line, PAPER, strength).astype(np.uint8)
    joined = ndimage.grey_closing(rest, (thin + 2, 1))
    return np.where(line, np.minimum(joined, strength), strength).astype(np.uint8)
