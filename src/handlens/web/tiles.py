"""Many small pictures as one, and large ones made small."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def smaller(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture H,W or H,W,3 that fits a square of so many pixels, C,H,W."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side))
    pixels = np.asarray(picture)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def tiled(rows: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """Pictures R,N,C,H,W, of one channel or three, as one C,H,W: a row each, and so many grey pixels between them."""
    count, across, channels, height, width = rows.shape
    sheet = np.full((channels, count * (height + gap) - gap, across * (width + gap) - gap), 128, np.uint8)
    for row, column in np.ndindex(count, across):
        top, left = row * (height + gap), column * (width + gap)
        sheet[:, top : top + height, left : left + width] = rows[row, column]
    return sheet
