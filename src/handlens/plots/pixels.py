"""Small pictures pixel for pixel, for pages that lay them out themselves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from handlens.plots.style import SIGNED

_LEVELS = 255


def image_png(image: NDArray[Any]) -> bytes:
    """One image as a PNG file of its own size.

    Args:
        image: `uint8` H,W (grey) or H,W,3.
    """
    return _png(Image.fromarray(image))


def weights_png(weights: NDArray[Any], limit: float) -> bytes:
    """The weights of one unit as a PNG file, in the colours of `plot_weights`.

    Args:
        weights: C,H,W; channels stand side by side.
        limit: the weight that has the full colour, for all units that are compared.
    """
    middle = _LEVELS // 2
    steps = np.rint(np.hstack(list(np.nan_to_num(weights))) / limit * middle).clip(-middle, middle) + middle
    picture = Image.frombytes("P", steps.shape[::-1], steps.astype(np.uint8).tobytes())
    picture.putpalette(SIGNED(np.linspace(0, 1, 2 * middle + 1), bytes=True)[:, :3].tobytes())
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
