"""Ink as MNIST has it: 20 pixels along its longer side, strokes of two to three pixels, the centre of mass in the middle of 28x28."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handlens.data.drawing.paper import PAPER, Ink
from handlens.data.drawing.source import Pixels

SIDE = 28
LONGER = 20
_FINE = 3  # strokes are made thicker or thinner on a grid that is so many times finer
THINNEST, THICKEST = 2.2, 3.4  # what strokes are made; nine of ten strokes in MNIST are from 2.0 to 3.9 pixels wide
_STEEPER = np.clip((np.arange(256, dtype=np.float32) - 0.2 * 255) / 0.6, 0, 255).astype(np.uint8)  # for each level, with a steeper edge


@dataclass(frozen=True)
class Shaped:
    """The last stages, each `uint8`, and how wide strokes were when the digit had MNIST's size.

    Attributes:
        cut: the ink in its box, all else black.
        scaled: its longer side 60 pixels.
        stroked: strokes made thicker or thinner.
        centred: 28,28.
        thickness: of the strokes in `scaled`, in pixels of 28x28.
    """

    cut: Pixels
    scaled: Pixels
    stroked: Pixels
    centred: Pixels
    thickness: float


def shape(ink: Ink, mask: NDArray[np.bool_]) -> Shaped:
    """Make of the ink within the mask (H,W, at least one pixel) a digit as MNIST has it."""
    cut = _cut(ink, mask)
    if max(cut.shape) >= LONGER * _FINE:
        cut = _steeper(cut)
        scaled = _fit(cut, LONGER * _FINE)
    else:
        scaled = _cropped(_steeper(_fit(cut, LONGER * _FINE)))
    width = stroke_width(scaled) / _FINE
    stroked = _restroked(_padded(scaled, 2 * _FINE), width)
    return Shaped(cut, scaled, stroked, centre(_fit(_cropped(stroked), LONGER)), width)


def _cut(ink: Ink, mask: NDArray[np.bool_]) -> Pixels:
    """From paper to black and from full ink to white."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    place = (slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2))
    near = _beside(mask[place], np.logical_or)
    return _cropped(np.where(near, _white(ink.full)[ink.strength[place]], np.uint8(0)))


@functools.cache
def _white(full: int) -> Pixels:
    """For each strength from 0 to 255 how white it is: 0 as paper, 255 as full ink."""
    return np.asarray(np.clip((np.arange(256, dtype=np.float32) - PAPER) * (255 / (full - PAPER)), 0, 255), np.uint8)


def _steeper(image: Pixels) -> Pixels:
    """With steeper edges: what is out of focus gets sharp."""
    return np.asarray(_STEEPER[image])


def _cropped(image: Pixels) -> Pixels:
    seen = image > 40
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def _fit(image: Pixels, longer: int) -> Pixels:
    """Scaled, with smooth edges, until the longer side is so many pixels."""
    height, width = image.shape
    scale = longer / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR if scale > 1 else Image.Resampling.BOX))


def _padded(image: Pixels, by: int) -> Pixels:
    """With so many black pixels around it; `np.pad` takes longer."""
    padded = np.zeros((image.shape[0] + 2 * by, image.shape[1] + 2 * by), np.uint8)
    padded[by:-by, by:-by] = image
    return padded


def stroke_width(image: Pixels) -> float:
    """Twice the area over the length of the edge, as in `metrics.measure_strokes`."""
    ink = _padded(image, 1).astype(np.float32)
    down, across = _slope(ink), _slope(ink.T).T
    return float(2 * ink.sum() / max(float(np.hypot(down, across).sum()), 1e-9))


def _slope(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """As the first of `np.gradient`, in a third of its time."""
    slope = np.empty_like(values)
    slope[1:-1] = (values[2:] - values[:-2]) / 2
    slope[0], slope[-1] = values[1] - values[0], values[-1] - values[-2]
    return slope


def _restroked(image: Pixels, width: float) -> Pixels:
    """Strokes that are too thin or too thick made as wide as MNIST's, by growing or shrinking in steps of a pixel of the fine grid."""
    change = (np.clip(width, THINNEST, THICKEST) - width) / 2 * _FINE
    chosen = np.maximum if change > 0 else np.minimum
    for step in range(int(np.ceil(abs(change)))):
        part = min(1.0, abs(change) - step)
        grown = _beside(image, chosen, corners=bool(step % 2))
        image = grown if part == 1 else np.round(image + part * (grown.astype(np.float32) - image)).astype(np.uint8)
    return image


def _beside(image: NDArray[Any], chosen: np.ufunc, *, corners: bool = True) -> NDArray[Any]:
    """Of each pixel and those beside it the one that is chosen: the largest is dilation, the smallest erosion (SciPy is slower)."""
    found = image.copy()
    chosen(found[1:], image[:-1], out=found[1:])
    chosen(found[:-1], image[1:], out=found[:-1])
    rows = found.copy() if corners else image
    chosen(found[:, 1:], rows[:, :-1], out=found[:, 1:])
    chosen(found[:, :-1], rows[:, 1:], out=found[:, :-1])
    return found


def centre(image: Pixels) -> Pixels:
    """Put a small picture on 28x28 so that its centre of mass is in the middle, as far as it stays inside.

    The middle is that of MNIST's own images: the pixel (14, 14) counted from 0, half a pixel beside the middle of the square.
    """
    height, width = image.shape
    y, x = _centre_of_mass(image)
    top = int(np.clip(round((SIDE + 1) / 2 - y), 0, SIDE - height))
    left = int(np.clip(round((SIDE + 1) / 2 - x), 0, SIDE - width))
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = image
    return canvas


def _centre_of_mass(image: NDArray[Any]) -> tuple[float, float]:
    mass = max(float(image.sum()), 1.0)
    rows, columns = image.sum(axis=1, dtype=np.float64), image.sum(axis=0, dtype=np.float64)
    return float(rows @ (np.arange(len(rows)) + 0.5)) / mass, float(columns @ (np.arange(len(columns)) + 0.5)) / mass
