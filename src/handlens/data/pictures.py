"""One picture: from the bytes of a file to pixels of the size that is wanted.

Pillow reads it, but only kinds whose reader is plain arithmetic: for some others (EPS) Pillow would start another program.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_KINDS = "PNG JPEG MPO GIF BMP DIB TIFF WEBP AVIF PPM TGA PCX JPEG2000 ICO SGI".split()
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F")
_MOST_PIXELS = 1 << 26


class Unreadable(Exception):
    """Why a file is no picture that can be used, in words."""


@dataclass(frozen=True)
class Look:
    """What the header of a picture says: the shorter side in pixels, and whether it is grey."""

    shorter: int
    grey: bool


def look(content: bytes) -> Look:
    """Read the header only.

    Raises:
        Unreadable: it is no picture, or larger than 67 million pixels.
    """
    try:
        with opened(content) as image:
            return Look(min(image.size), image.mode in _GREY)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over
        raise Unreadable(_in_words(error)) from error


def decode(content: bytes, size: int, *, grey: bool) -> NDArray[np.uint8]:
    """The pixels of a picture: turned as its camera says, the shorter side scaled to `size`, the middle cut out.

    What is transparent becomes white.

    Returns:
        C,size,size with C = 1 for grey and 3 for colour (red, green, blue).

    Raises:
        Unreadable: as in `look`, or it is truncated or damaged.
    """
    try:
        with opened(content) as image:
            image.draft("L" if grey else "RGB", (2 * size, 2 * size))  # a JPEG is read at half, a quarter ... of its size, if that suffices
            upright = ImageOps.exif_transpose(image)
            pixels = np.asarray(ImageOps.fit(plain(upright, "L" if grey else "RGB"), (size, size), Image.Resampling.BILINEAR))
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(_in_words(error)) from error
    return pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def opened(content: bytes) -> Image.Image:
    """A picture of which the header is read: only of kinds that Pillow reads by itself, without another program.

    Raises:
        Unreadable: it is larger than 67 million pixels.
        Exception: whatever Pillow's readers stumble over.
    """
    Image.init()
    image = Image.open(io.BytesIO(content), formats=[kind for kind in _KINDS if kind in Image.OPEN])
    if image.width * image.height > _MOST_PIXELS:
        raise Unreadable(f"it has {image.width:,} x {image.height:,} pixels; at most {_MOST_PIXELS:,} are read")
    return image


def plain(image: Any, mode: str) -> Image.Image:
    """The picture as bytes of grey or colour on white, whatever it was kept as."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured)
    return image.convert(mode)  # type: ignore[no-any-return]


def _in_words(error: Exception) -> str:
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is no picture of a kind that is read here"
    return str(error) or type(error).__name__
