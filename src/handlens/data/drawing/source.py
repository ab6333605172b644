"""Whatever somebody has of a picture, as grey or coloured bytes of a size that is quick to work with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from handlens import files
from handlens.data import pictures
from handlens.errors import DataDamaged, DataMissing, UsageError

Pixels = NDArray[np.uint8]

WORKING = 128
"""Pictures are reduced until their longer side is below twice this many pixels: quick, and still six times what MNIST has."""

MOST_BYTES = 20 << 20
_DRAWN = 84
_PEN = 1 / 8  # of the longer side of what is drawn, as in MNIST
_MOST_POINTS = 1 << 16
_FINER = 8  # pixels for one, while the whole paper is made small


class Box(NamedTuple):
    """Where something is in the picture as it came in (turned as its camera says): pixels; `right` and `bottom` are outside."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def longer(self) -> float:
        """The longer side in pixels."""
        return max(self.right - self.left, self.bottom - self.top)


@dataclass(frozen=True)
class Source:
    """A picture that came in.

    Attributes:
        pixels: `uint8` H,W or H,W,3 (red, green, blue).
        scale: pixels of the original for one of these, along each side.
        is_ink: it is known to be white ink on black.
        origin: where these begin in the original: x and y in its pixels.
    """

    pixels: Pixels
    scale: float = 1.0
    is_ink: bool = False
    origin: tuple[float, float] = (0.0, 0.0)

    def cut(self, box: Box) -> Source:
        """Only what is in a box and around it, as far again as it is large."""
        margin = box.longer
        left, top = (max(0, int((edge - margin) / self.scale)) for edge in box[:2])
        right, bottom = (int((edge + margin) / self.scale) + 1 for edge in box[2:])
        pixels = np.ascontiguousarray(self.pixels[top:bottom, left:right])
        return Source(pixels, self.scale, self.is_ink, (left * self.scale, top * self.scale))


def read(picture: object, longest: int = WORKING) -> Source:
    """Read a picture: strokes, a path, bytes of a file, a Pillow image, or an array.

    Args:
        picture: see `drawing.normalize`.
        longest: reduce it by a whole number until its longer side is below twice this.

    Raises:
        DataMissing: there is no such file.
        DataDamaged: the file is no picture that can be read.
        UsageError: an object or an array that is no picture.
    """
    if isinstance(picture, str | Path):
        path = Path(picture)
        where = files.printable(str(path))
        if not files.is_folder(path) and not path.exists():
            raise DataMissing(f"There is no picture '{files.printable(path.name)}'.", where=where, hint="Look at the spelling of its name.")
        return _decoded(files.read_bytes(path, MOST_BYTES), longest, where)
    if isinstance(picture, bytes | bytearray | memoryview):
        return _decoded(bytes(picture), longest, "")
    if is_strokes(picture):
        return _drawn(picture)
    return _of_array(picture, longest)


def shrunk(strokes: Any, paper: float, pen: float, size: int = 28) -> Pixels:
    """The whole paper made small: what a network gets if nobody finds the digit, centres it, and gives it MNIST's size and stroke.

    Args:
        strokes: lists of points (x, y) with y downward.
        paper: its side, in the unit of the points.
        pen: how wide the strokes are, in that unit.
        size: the side of what comes out, in pixels.

    Returns:
        `uint8` size,size: white on black.

    Raises:
        UsageError: they are no strokes, or too many points.
    """
    scale = _FINER * size / paper
    image = Image.new("L", (_FINER * size, _FINER * size))
    draw = ImageDraw.Draw(image)
    for line in _lines(strokes):
        _draw(draw, line.clip(-paper, 2 * paper) * scale, pen * scale)
    return np.asarray(image.reduce(_FINER))


def _decoded(content: bytes, longest: int, where: str) -> Source:
    if len(content) > MOST_BYTES:
        raise DataDamaged(f"The picture has {len(content):,} bytes; at most {MOST_BYTES:,} are read.", where=where, hint="Save it smaller.")
    try:
        pixels, scale = pictures.reduced(content, longest)
    except pictures.Unreadable as error:
        hint = "Save it again as PNG or JPEG, and look whether another program shows it."
        raise DataDamaged(f"This is no picture that can be read: {files.printable(str(error))}.", where=where, hint=hint) from error
    return Source(pixels, scale)


def is_strokes(picture: object) -> bool:
    """Whether it is a drawing: lists of lists of pairs. An array is a picture, even if it is a list."""
    return isinstance(picture, list | tuple) and all(isinstance(stroke, list | tuple) for stroke in picture) and not _is_grid(picture)


def _is_grid(picture: Any) -> bool:
    return len(picture) > 0 and all(len(row) > 0 and not isinstance(row[0], list | tuple | np.ndarray) for row in picture)


def _drawn(strokes: Any) -> Source:
    """The strokes with a round pen, white on black, as large as they need: only their shape counts, not their place on the canvas."""
    lines = _lines(strokes)
    points = np.concatenate([*lines, np.zeros((0, 2))])
    if len(points) == 0:
        return Source(np.zeros((_DRAWN, _DRAWN), np.uint8), is_ink=True)
    low, size = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-9)
    pen = _DRAWN * _PEN
    image = Image.new("L", tuple(np.ceil(np.ptp(points, axis=0) * _DRAWN / size + 3 * pen).astype(int).tolist()))
    draw = ImageDraw.Draw(image)
    for line in lines:
        _draw(draw, (line - low) * (_DRAWN / size) + 1.5 * pen, pen)
    return Source(np.asarray(image), size / _DRAWN, is_ink=True)


def _lines(strokes: Any) -> list[NDArray[np.float64]]:
    """Each stroke as an array of points N,2."""
    try:
        lines = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
    except (TypeError, ValueError) as error:
        raise UsageError("Strokes must be lists of points, and a point a pair of numbers: [[(x, y), ...], ...].") from error
    points = np.concatenate([*lines, np.zeros((0, 2))])
    if len(points) > _MOST_POINTS or not np.isfinite(points).all() or (len(points) and np.abs(points).max() > 1e9):
        raise UsageError(f"Strokes need finite coordinates, and at most {_MOST_POINTS:,} points in all.")
    return lines


def _draw(draw: ImageDraw.ImageDraw, line: NDArray[np.float64], pen: float) -> None:
    path = [tuple(point) for point in line.tolist()]
    draw.line(path, fill=255, width=round(pen))
    for x, y in path:
        draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)


def _of_array(picture: object, longest: int) -> Source:
    if isinstance(picture, Image.Image):
        try:
            return Source(*pictures.reduced_image(picture, longest))
        except pictures.Unreadable as error:
            raise UsageError(f"This picture cannot be read: {error}.") from error
    array = _as_bytes(np.asarray(picture))
    height, width = array.shape[:2]
    if height * width > pictures.MOST_PIXELS:
        raise UsageError(f"The picture has {width:,} x {height:,} pixels; at most {pictures.MOST_PIXELS:,} are read.")
    mode = {2: "L", 3: {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}.get(array.shape[-1], "")}[array.ndim]
    if not mode:
        raise UsageError(f"An array of shape {array.shape} is no picture.", hint="It must be H,W or H,W,C with 1 to 4 channels.")
    if mode == "L":
        array = array.reshape(height, width)
        if max(height, width) < 2 * longest:
            return Source(array)
    return Source(*pictures.reduced_image(Image.fromarray(np.ascontiguousarray(array)), longest))


def _as_bytes(array: NDArray[Any]) -> Pixels:
    """The array with 256 levels: `uint8` as it is, floats from 0 to 1 times 255, anything else from its lowest to its highest value."""
    if array.ndim == 3 and array.shape[0] == 1 and array.shape[2] > 4:
        array = array[0]
    if array.ndim not in (2, 3) or array.size == 0 or array.dtype.kind not in "biuf":
        raise UsageError(
            f"An array of {array.dtype} of shape {array.shape} is no picture.", hint="It must be H,W or H,W,C, of whole numbers or floats."
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError("The picture has values that are not finite (NaN or infinite).")
    return pictures.levels(array)
