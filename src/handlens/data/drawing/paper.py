"""Which pixels are ink, and how much of it: polarity, uneven light, and the lines that were printed on the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image

from handlens.data.drawing.source import Pixels, Source

PAPER = 32
"""The strength that paper without ink has, so that noise on both sides of it can be measured in bytes."""

_TINY = 40
_GRID = 32  # cells along the longer side, for the background
_WIDEST = 13  # cells
_COARSE = 96
_RARELY = 0.1  # light ink on dark paper is rare in photos: so much clearer must it be
_FLAT = 0.45
_SIDES = 0.2
_FAINTEST = 0.07
_LOW, _HIGH = 0.35, 0.6  # of full ink
_WHITE = 255
_CLEARLY = 1.25
_CLEAR = 0.25
_SLOPES = np.tan(np.deg2rad(np.arange(-12, 12.1, 0.75)))
_THIN = 5  # pixels of the working size
_MOST_LINES = 16


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

    @property
    def clear(self) -> bool:
        """What stands out does so clearly, as no remainder of uneven light does."""
        return self.full - PAPER > _CLEAR * (255 - PAPER)


def find_ink(source: Source) -> Ink:
    """Tell ink from paper."""
    if source.is_ink:
        return _of_strokes(source.pixels)
    grey = source.pixels if source.pixels.ndim == 2 else _clearest(source.pixels)
    dark = is_dark_on_light(grey)
    light = grey if dark else 255 - grey
    background = _background(light)
    return _measured(grey, dark, background if dark else 255 - background, _strength(light, background))


def _of_strokes(pixels: Pixels) -> Ink:
    """Strokes are on no paper and all of one strength, so nothing needs to be measured."""
    # With more ink than paper the median of a photo is ink, so all of it counts as noise and is doubted: so is such a drawing.
    mostly_ink = max(pixels.shape) >= _TINY and 2 * np.count_nonzero(pixels) > pixels.size
    strength = np.where(pixels, np.uint8(_WHITE), np.uint8(PAPER))
    low, high = (round(PAPER + part * (_WHITE - PAPER)) for part in (_LOW, _HIGH))
    return Ink(pixels, False, np.zeros_like(pixels), strength, float(_WHITE - PAPER) if mostly_ink else 1.0, low, high, _WHITE)


def without(ink: Ink, mask: NDArray[np.bool_]) -> Ink:
    """The same with paper where the mask (H,W) is, measured anew."""
    return _measured(ink.grey, ink.dark, ink.background, np.where(mask, PAPER, ink.strength).astype(np.uint8))


def without_lines(ink: Ink) -> Ink:
    """The same ink without thin lines, level or upright (within twelve degrees), that go through most of the picture."""
    strength = _erased(_erased(ink.strength, ink.low).T, ink.low).T
    return ink if strength is ink.strength else _measured(ink.grey, ink.dark, ink.background, np.ascontiguousarray(strength))


def _clearest(pixels: Pixels) -> Pixels:
    """The luminance, or the one of red, green and blue that differs clearly more: yellow ink on white is seen in blue only."""
    red, green, blue = (pixels[:, :, channel] for channel in range(3))
    luminance = ((red.astype(np.uint16) + 2 * green.astype(np.uint16) + blue) >> 2).astype(np.uint8)
    channels = [np.ascontiguousarray(channel) for channel in (luminance, red, green, blue)]
    spreads = [float(channel[::2, ::2].std()) for channel in channels]
    best = int(np.argmax(spreads))
    return channels[best if spreads[best] > _CLEARLY * spreads[0] else 0]


def is_dark_on_light(grey: Pixels) -> bool:
    """Whether ink is darker than paper: of which there is most, or what lies along the rim of a tiny picture."""
    if max(grey.shape) < _TINY:
        return _rim(grey) > (int(grey.min()) + int(grey.max())) / 2
    small = np.asarray(Image.fromarray(grey).reduce(-(-max(grey.shape) // _COARSE)), np.float32)
    differs = small - _around(small, _flat(grey))
    # Ink has sharp edges, highlights and shadows have not; on one side of an edge is the paper, which is like what is around.
    blurred = scipy.ndimage.uniform_filter(small, 9, mode="mirror")
    sharply = scipy.ndimage.gaussian_gradient_magnitude(small, 0.7) ** 2 * np.abs(small - blurred)
    return float((differs * sharply).sum()) < _RARELY * float(np.abs(differs * sharply).sum())


def _around(small: NDArray[np.float32], flat: int | None) -> NDArray[np.float32]:
    """The paper as far as it is known yet: its one value, else the middle one in a wide neighbourhood."""
    if flat is not None:
        return np.full_like(small, flat)
    wide = scipy.ndimage.median_filter(small[::4, ::4], 7, mode="mirror").repeat(4, 0).repeat(4, 1)
    return np.asarray(wide[: small.shape[0], : small.shape[1]])


def _rim(grey: Pixels) -> float:
    """The middle one of the values along the left and right sides, where digits have less ink than above and below."""
    return float(np.median(np.concatenate([grey[:, 0], grey[:, -1]])))


def _flat(grey: Pixels) -> int | None:
    """The value that the paper of a clean drawing has, give or take 2: that of both sides, or of much of the picture, if any."""
    sides = np.sort(np.concatenate([grey[:, 0], grey[:, -1]]))
    middle = (int(sides[len(sides) // 2 - 1]) + int(sides[len(sides) // 2])) // 2
    counts, left, right = (np.bincount(pixels, minlength=256) for pixels in (grey.ravel(), grey[:, 0], grey[:, -1]))
    commonest = int(counts.argmax())
    if _share(left + right, middle) > 0.5 and _share(counts, middle) > _SIDES:
        flat = middle
    elif _share(counts, commonest) > _FLAT:
        flat = commonest
    else:
        return None
    return flat if min(_share(left, flat), _share(right, flat)) > _SIDES else None  # one side alone may lie in an even shadow


def _share(counts: NDArray[np.int64], value: int) -> float:
    return float(counts[max(0, value - 2) : value + 3].sum() / counts.sum())


def _background(light: Pixels) -> Pixels:
    """The light paper below dark ink: one value if it is flat, else a median over a coarse grid, wider than two strokes."""
    flat = _rim(light) if max(light.shape) < _TINY else _flat(light)
    if flat is not None:
        return np.full_like(light, flat)
    height, width = light.shape
    factor = max(height, width) // _GRID
    cells = np.asarray(Image.fromarray(light).reduce(factor), np.float32)
    # The narrow median follows the light, the wide one bridges thick strokes.
    cells = np.maximum(*(scipy.ndimage.median_filter(cells, wide, mode="mirror") for wide in (_WIDEST // 2 + 1, _WIDEST)))
    cells = scipy.ndimage.uniform_filter(cells, 3, mode="mirror")
    size = (cells.shape[1] * factor, cells.shape[0] * factor)
    return np.asarray(Image.fromarray(cells).resize(size, Image.Resampling.BILINEAR).convert("L"))[:height, :width]


def _strength(light: Pixels, background: Pixels) -> Pixels:
    """How much of the light is missing, whatever the light was."""
    behind = background.astype(np.float32)
    missing = (behind - light) * ((255 - PAPER) / np.maximum(behind, 40))
    return np.clip(missing + PAPER, 0, 255).astype(np.uint8)


def _measured(grey: Pixels, dark: bool, background: Pixels, strength: Pixels) -> Ink:
    counts = np.bincount(strength.ravel(), minlength=256).astype(np.float64)
    below = counts.cumsum()
    middle, lower = np.searchsorted(below, np.array([0.5, 0.16]) * strength.size)
    noise = max(1.0, float(middle - lower)) if max(strength.shape) >= _TINY else 1.0
    least = int(min(250, max(middle + 4 * noise, PAPER + _FAINTEST * (255 - PAPER))))
    counts[:least] = 0
    if counts.sum() == 0:
        return Ink(grey, dark, background, strength, noise, least, 255, least)
    full = _upper_class_mean(counts)
    low = max(least, round(PAPER + _LOW * (full - PAPER)))
    return Ink(grey, dark, background, strength, noise, low, max(low, round(PAPER + _HIGH * (full - PAPER))), round(full))


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
    line = _level_lines(strength >= low)
    if not line.any():
        return strength
    rest = np.where(line, PAPER, strength).astype(np.uint8)
    joined = scipy.ndimage.grey_closing(rest, (_THIN + 4, 1))
    return np.where(line, np.minimum(joined, strength), strength).astype(np.uint8)


def _level_lines(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of thin lines from rim to rim (Hough 1962; Duda and Hart 1972), with gaps of up to a third of the width."""
    height, width = mask.shape
    y, x = np.nonzero(mask)
    offsets = np.round(_SLOPES[:, None] * (x - width / 2)).astype(np.int64)
    margin = int(np.abs(offsets).max(initial=0)) + 2
    place = y - offsets + margin  # where on the upright axis in the middle a line through the pixel would be, for each slope
    bins = height + 2 * margin
    line = np.zeros(mask.shape, bool)
    for _ in range(_MOST_LINES):
        votes = np.stack([np.bincount(row, minlength=bins) for row in place])
        slope, best = np.unravel_index(int(votes.argmax()), votes.shape)
        near = np.abs(place[slope] - best) <= 1
        columns = np.unique(x[near])
        if len(columns) < 0.66 * width or columns[0] > 0.1 * width or columns[-1] < 0.9 * width:
            break
        beside = np.abs(np.abs(place[slope] - best) - _THIN) <= 1
        if len(np.unique(x[beside])) < 0.5 * width:
            on_line = np.abs(place[slope] - best) <= _THIN // 2
            line[y[on_line], x[on_line]] = True
        else:
            near |= beside
        y, x, place = y[~near], x[~near], place[:, ~near]
    return line
