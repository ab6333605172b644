"""What can be measured of bright strokes on black: how thick, how slanted, how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from handlens.errors import DataError
from handlens.metrics.scores import Array, Floats


@dataclass(frozen=True)
class Strokes:
    """Measures of N images; NaN where there is no ink.

    Attributes:
        thickness: N, the width of the strokes in pixels.
        slant: N, degrees by which what should be upright leans to the right.
        size: N, the typical distance of the ink from its centre (root mean square) in pixels.
    """

    thickness: Floats
    slant: Floats
    size: Floats

    @property
    def units(self) -> dict[str, str]:
        """The unit of each measure."""
        return {"thickness": "px", "slant": "°", "size": "px"}


def measure_strokes(images: Array) -> Strokes:
    """Thickness, slant and size of what is drawn on each image, from areas, edges and moments alone.

    Thickness is twice the area over the length of the edge, which is that of a long stroke; the length of the edge is the sum of all
    gradients (the coarea formula, Fleming and Rishel 1960). Slant is the shear that makes the mixed second moment vanish, as in the
    deskewing of LeCun et al. 1998. Castro et al. 2019, "Morpho-MNIST", measure the same with skeletons.

    Args:
        images: N,1,H,W, `uint8`, or floats from 0 to 1.

    Raises:
        DataError: they have another shape.
    """
    array: NDArray[Any] = np.asarray(images)
    if array.ndim != 4 or array.shape[1] != 1:
        raise DataError(f"Images of shape {array.shape} have no strokes to measure.", hint="They must be N,1,H,W: grey, bright on black.")
    ink = array[:, 0] / np.float32(255 if array.dtype == np.uint8 else 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Strokes(_thickness(ink), *_slant_and_size(ink))


def _thickness(ink: NDArray[Any]) -> Floats:
    down, across = np.gradient(np.pad(ink, ((0, 0), (1, 1), (1, 1))), axis=(1, 2))
    return np.asarray(2 * ink.sum(axis=(1, 2), dtype=np.float64) / np.hypot(down, across).sum(axis=(1, 2), dtype=np.float64))


def _slant_and_size(ink: NDArray[Any]) -> tuple[Floats, Floats]:
    height, width = ink.shape[1:]
    x, y = np.arange(width), np.arange(height)
    mass = ink.sum(axis=(1, 2), dtype=np.float64)
    by_column, by_row = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=2, dtype=np.float64)
    dx = x - (by_column @ x / mass)[:, None]
    dy = y - (by_row @ y / mass)[:, None]
    across = (by_column * dx**2).sum(axis=1) / mass
    down = (by_row * dy**2).sum(axis=1) / mass
    both = np.einsum("nyx,ny,nx->n", ink, dy, dx) / mass
    return np.rad2deg(np.arctan2(-both, down)), np.sqrt(across + down)
