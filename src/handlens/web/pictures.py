"""Images as pages show them: PNG files inside the JSON, and grey levels that a page colours by itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def as_png(image: NDArray[Any]) -> str:
    """An image C,H,W, or H,W, of bytes or of floats in [0, 1], as the address of a PNG file that is in the address itself."""
    pixels = image if image.dtype == np.uint8 else np.round(image * 255).astype(np.uint8)
    if pixels.ndim == 3:
        pixels = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    return as_address(np.ascontiguousarray(pixels))


def as_address(pixels: NDArray[np.uint8]) -> str:
    """A picture H,W or H,W,3 as the address of a PNG file that is in the address itself."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def as_pixels(image: NDArray[np.uint8]) -> dict[str, Any]:
    """A grey picture H,W for a page that colours it by itself."""
    height, width = image.shape
    return {"width": width, "height": height, "bytes": base64.b64encode(image.tobytes()).decode()}


def as_levels(values: NDArray[Any], *, signed: bool = False) -> dict[str, Any]:
    """A map H,W as bytes from its lowest value (0) to its highest (255); signed: zero is in the middle, both ends as far away."""
    reach = float(np.abs(values).max())
    low, high = (-reach, reach) if signed else (float(values.min()), float(values.max()))
    levels = np.round((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return {**as_pixels(levels), "low": low, "high": high}
