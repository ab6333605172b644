"""The way from a picture to 28x28 pixels, as one result that keeps every stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from handlens.data.drawing import parts, shape, source
from handlens.data.drawing.paper import PAPER, Ink, find_ink, without, without_lines
from handlens.data.drawing.parts import Piece, Pieces
from handlens.data.drawing.shape import Shaped
from handlens.data.drawing.source import Box, Pixels, Source

TOO_LITTLE = "too little ink to judge"
TOO_MANY = "more than one digit?"

_LEAST_PIXELS = 6
_SHEET = 1280  # pixels, and pieces at most
_PIECES = 64  # of one digit and what lies around it
_SMALL = 40  # pixels of the working size: a digit that is smaller is looked at again,
_CLOSER = 4  # so much closer


class Stage(NamedTuple):
    """One step on the way: its name, what it says about this picture, and the picture (`uint8` H,W or H,W,3)."""

    name: str
    said: str
    picture: Pixels


@dataclass(frozen=True, eq=False)
class Normalized:
    """A digit as MNIST has it, and how it was found.

    Attributes:
        image: `uint8` 28,28: white on black. All black if there is too little ink.
        doubt: why no answer should be trusted: `too little ink to judge` or `more than one digit?`; empty if there is no doubt.
        box: where the digit is in the picture; None if there is none.
        thickness: how wide the strokes were, in pixels of 28x28, before they were made as wide as MNIST's; 0 without ink.
        dark: it was dark ink on light paper.
    """

    image: Pixels
    doubt: str
    box: Box | None
    thickness: float
    dark: bool
    _source: Source = field(repr=False)
    _ink: Ink = field(repr=False)
    _mask: NDArray[np.bool_] = field(repr=False)
    _shaped: Shaped | None = field(repr=False)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every step, for display: from what came in to `image`; without ink only the first ones."""
        ink, shaped = self._ink, self._shaped
        polarity = "dark ink on light paper" if self.dark else "light ink on dark ground"
        seen = (
            Stage("came in", "x".join(map(str, self._source.pixels.shape[1::-1])) + " pixels to work with", self._source.pixels),
            Stage("polarity", polarity, ink.grey),
            Stage("background", "the paper with its light and shadows", ink.background),
            Stage("ink", "how much each pixel differs from the paper", np.maximum(ink.strength, PAPER) - PAPER),
            Stage("mask", self.doubt or "what belongs to the digit", self._mask.astype(np.uint8) * 255),
        )
        if shaped is None:
            return seen
        change = "thicker" if self.thickness < shape.THINNEST else "thinner" if self.thickness > shape.THICKEST else "as it was"
        return (
            *seen,
            Stage("box", "cut out", shaped.cut),
            Stage("scaled", "the longer side is 60 pixels", shaped.scaled),
            Stage("strokes", f"{self.thickness:.1f} pixels wide: {change}", shaped.stroked),
            Stage("centred", "28x28, the centre of mass in the middle", self.image),
        )


def normalize(picture: object) -> Normalized:
    """Make of any picture of a handwritten digit the 28x28 pixels that a network trained on MNIST can read.

    Args:
        picture: a path; the bytes of a file (PNG, JPEG, WebP, GIF, BMP, TIFF, ...); a Pillow image; an array or tensor H,W or H,W,C with 1
            to 4 channels (`uint8`, floats from 0 to 1, or any other numbers, which are scaled from their lowest to their highest); or
            strokes, lists of points (x, y) with y downward.

    Returns:
        The digit with all stages. A picture without ink, or with several digits, gets a `doubt`, no error.

    Raises:
        DataMissing: there is no such file.
        DataDamaged: the file is no picture that can be read, or above 20 MiB or 67 million pixels.
        UsageError: an object or array that is no picture.

    Source:
        LeCun, Cortes and Burges 1998 for size and place; the rest is this project's own, measured in `bench/handwriting.py`.
    """
    came = source.read(picture)
    found = _normalized(came)
    if came.scale > 1 and (found.box is None or found.box.longer < _SMALL * came.scale):
        closer = source.read(picture, _CLOSER * source.WORKING)
        return _normalized(closer if found.box is None else closer.cut(found.box))
    return found


def _normalized(came: Source) -> Normalized:
    ink, pieces = _look(came)
    found = parts.groups(parts.of_digits(pieces), _PIECES)
    if ink.faint or not found or sum(piece.area for piece in found[0]) < _LEAST_PIXELS:
        return _result(came, ink, pieces, (), TOO_LITTLE)
    rivals = any(parts.is_rival(found[0], other) for other in found[1:])
    return _result(came, ink, pieces, found[0], TOO_MANY if rivals else "")


def segment(picture: object) -> list[Normalized]:
    """Find the digits of a sheet, row by row, each from left to right, and normalise each of them.

    Args:
        picture: as in `normalize`.

    Raises:
        DataMissing, DataDamaged, UsageError: as in `normalize`.
    """
    came = source.read(picture, _SHEET)
    ink, pieces = _look(came)
    if ink.faint:
        return []
    found = parts.groups(parts.of_digits(pieces), _SHEET)
    usual = np.median([max(piece.height for piece in group) for group in found[:50]]) if found else 0
    digits = [group for group in found if max(piece.height for piece in group) > 0.4 * usual]
    return [_result(came, ink, pieces, group, "") for group in _in_reading_order(digits)]


def _look(came: Source) -> tuple[Ink, Pieces]:
    """Ink, and its pieces: without the lines on the paper, and without what lies around it."""
    ink = find_ink(came)
    pieces = parts.find_pieces(ink)
    if came.is_ink:  # strokes are on no paper
        return ink, pieces
    if parts.has_lines(pieces):
        ink = without_lines(ink)
        pieces = parts.find_pieces(ink)
    if outside := parts.around(pieces):
        inner = without(ink, parts.grown(pieces.mask(outside), ink))
        if not (inner.faint and ink.clear):  # else it is a digit that fills the picture
            ink, pieces = inner, parts.find_pieces(inner)
    return ink, pieces


def _result(came: Source, ink: Ink, pieces: Pieces, group: Sequence[Piece], doubt: str) -> Normalized:
    mask = pieces.mask(group)
    if not group:
        return Normalized(np.zeros((shape.SIDE, shape.SIDE), np.uint8), doubt, None, 0.0, ink.dark, came, ink, mask, None)
    shaped = shape.shape(ink, mask)
    return Normalized(shaped.centred, doubt, _box(group, came), shaped.thickness, ink.dark, came, ink, mask, shaped)


def _box(group: Sequence[Piece], came: Source) -> Box:
    top, bottom, left, right = parts.bounds(group)
    x, y = came.origin
    return Box(x + left * came.scale, y + top * came.scale, x + right * came.scale, y + bottom * came.scale)


def _in_reading_order(found: Sequence[list[Piece]]) -> list[list[Piece]]:
    """Rows from the top, each from the left; a digit is in a row if its middle is within the height of the row's first digit."""
    rest = sorted(found, key=lambda group: parts.bounds(group)[0])
    ordered = []
    while rest:
        top, bottom, _, _ = parts.bounds(rest[0])
        row = [group for group in rest if top <= sum(parts.bounds(group)[:2]) / 2 <= bottom]
        ordered += sorted(row, key=lambda group: parts.bounds(group)[2])
        rest = [group for group in rest if group not in row]
    return ordered
