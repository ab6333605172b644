"""Pictures on their way to a page: as numbers that it colours by itself, or as PNG files within the answer."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers as bytes, from the lowest (0) to the highest (255)."""
    low, high = float(values.min()), float(values.max())
    return np.round((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def pixels(image: NDArray[np.uint8]) -> dict[str, Any]:
    """A grey picture H,W for a page that colours it by itself."""
    height, width = image.shape
    return {"width": width, "height": height, "bytes": base64.b64encode(image.tobytes()).decode()}


def png(image: NDArray[np.uint8]) -> str:
    """A picture H,W or H,W,3 as an address that holds it."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def smaller(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture that fits a square of so many pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((side, side))
    return np.asarray(picture)


def tiled(rows: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """Pictures R,N,C,H,W, of one channel or three, as one H,W or H,W,3: a row each, and so many grey pixels between them."""
    count, across, channels, height, width = rows.shape
    sheet = np.full((count * (height + gap) - gap, across * (width + gap) - gap, channels), 128, np.uint8)
    for row, column in np.ndindex(count, across):
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = rows[row, column].transpose(1, 2, 0)
    return sheet[:, :, 0] if channels == 1 else sheet
