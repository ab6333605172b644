"""One picture: from the bytes of a file to pixels of the size that is wanted.

Pillow reads it, but only kinds whose reader is plain arithmetic: for some others (EPS) Pillow would start another program.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

_KINDS = "PNG JPEG MPO GIF BMP DIB TIFF WEBP AVIF PPM TGA PCX JPEG2000 ICO SGI".split()
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_DEEP = ("I", "I;16", "I;16B", "I;16L", "F")
_GREY = ("1", "L", "LA", "La", *_DEEP)
_ORIENTATION = 0x0112
_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}
"""What EXIF's orientation asks for."""

MOST_PIXELS = 1 << 26
_MOST_HELD = 120 << 20  # bytes; Pillow takes about twice that while it decodes
_STRIP = 1 << 21  # pixels that are converted at a time


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
        raise Unreadable(in_words(error)) from error


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
        raise Unreadable(in_words(error)) from error
    return pixels[None] if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def reduced(content: bytes, longest: int) -> tuple[NDArray[np.uint8], float]:
    """The whole picture, turned as its camera says, and reduced by a whole number until its longer side is below twice `longest`.

    Averaged over areas, so that a thin stroke becomes pale and does not vanish. What is transparent becomes what the ink is not.

    Returns:
        H,W for grey and H,W,3 for colour; and how many pixels of the file one of these is, along a side.

    Raises:
        Unreadable: as in `decode`.
    """
    try:
        with opened(content) as image:
            _check_memory(image)
            return reduced_image(image, longest)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(in_words(error)) from error


def _check_memory(image: Image.Image) -> None:
    """A JPEG is read small, all others as they are: some readers (WebP, AVIF) hold them three times."""
    held = image.width * image.height * (1 if image.mode in ("1", "L", "P") else 4) * (3 if image.format in ("WEBP", "AVIF") else 1)
    if image.format not in ("JPEG", "MPO") and held > _MOST_HELD:
        raise Unreadable(f"it has {image.width:,} x {image.height:,} pixels, which is too large to be opened; save it as JPEG or smaller")


def reduced_image(image: Image.Image, longest: int) -> tuple[NDArray[np.uint8], float]:
    """`reduced` of a picture that Pillow holds; it is converted in strips, so that a large one is never there twice."""
    side = max(image.size)
    image.draft(None, (longest * image.width // side + 1, longest * image.height // side + 1))
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1), _TURNS[1])
    factor = max(1, max(image.size) // longest)
    rows = max(1, _STRIP // (image.width * factor)) * factor
    strips = [image.crop((0, top, image.width, min(top + rows, image.height))) for top in range(0, image.height, rows)]
    pixels = np.concatenate([np.asarray(_flat(strip).reduce(factor)) for strip in strips])
    return np.ascontiguousarray(turn(_without_alpha(pixels))), side / max(pixels.shape[:2])


def _flat(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be averaged: F if it is deeper than bytes, RGBA if it has transparency, L, or RGB."""
    if image.mode in _DEEP:
        return Image.fromarray(np.asarray(image).astype(np.float32))
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in _GREY else "RGB")


def _without_alpha(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Deep pixels as bytes; transparent ones on white, or on black if what can be seen is light; colours that are grey as grey."""
    if pixels.dtype != np.uint8:
        return levels(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:] / np.float32(255)
        seen = (pixels[:, :, :3].mean(axis=2, keepdims=True) * alpha).sum() / max(float(alpha.sum()), 1.0)
        # Where most can be seen, the paper is among it, and what is transparent is like it.
        behind = 255 if (seen > 128) == (alpha.mean() > 0.5) else 0
        pixels = np.round(pixels[:, :, :3] * alpha + behind * (1 - alpha)).astype(np.uint8)
    if pixels.ndim == 3 and (pixels == pixels[:, :, :1]).all():
        return pixels[:, :, 0]
    return pixels


def levels(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Finer or other values as bytes: floats within 0 to 1 times 255, anything else from its lowest (0) to its highest (255)."""
    if values.dtype.kind == "f" and values.min() >= 0 and 0.1 < values.max() <= 1:
        return np.round(values * 255).astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    return np.round((values.astype(np.float32) - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)


def opened(content: bytes) -> Image.Image:
    """A picture of which the header is read: only of kinds that Pillow reads by itself, without another program.

    Raises:
        Unreadable: it is larger than 67 million pixels, or of a kind that many have and Pillow does not read.
        Exception: whatever Pillow's readers stumble over.
    """
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise Unreadable("it is a HEIC photo, as iPhones take them; save it as JPEG, or set the phone to take those")
    Image.init()
    image = Image.open(io.BytesIO(content), formats=[kind for kind in _KINDS if kind in Image.OPEN])
    if image.width * image.height > MOST_PIXELS:
        raise Unreadable(f"it has {image.width:,} x {image.height:,} pixels; at most {MOST_PIXELS:,} are read")
    return image


def plain(image: Any, mode: str) -> Image.Image:
    """The picture as bytes of grey or colour on white, whatever it was kept as."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.has_transparency_data:
        coloured = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured)
    return image.convert(mode)  # type: ignore[no-any-return]


def in_words(error: Exception) -> str:
    """Why Pillow could not read a picture."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "it is no picture of a kind that is read here"
    return str(error) or type(error).__name__
