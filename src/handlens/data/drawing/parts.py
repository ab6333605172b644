"""Connected pieces of ink: which are specks, frames and edges of the paper, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from handlens.data.drawing.paper import PAPER, Ink

_SQUARE = np.ones((3, 3), bool)
_SPECK = 0.03  # of the first piece's pixels
_SOFT = 0.3  # of the first piece's sharpness
_MANY = 8
_TINY = 32
_EDGE = 0.35  # of the shorter side: what has so many pixels on the rim goes on outside of the picture
_AT_RIM = 0.3
_NEAR = 0.3  # of its size: pieces closer than this belong to one digit
_SIMILAR = 0.3  # another digit has at least so much of the first one's ink


@dataclass(frozen=True)
class Piece:
    """Ink that hangs together.

    Attributes:
        number: in the array of labels.
        area: pixels.
        sharpness: how steep its edges are, in strength a pixel, beyond mere noise; shadows have soft ones.
        weight: how likely it is a part of the digit: much ink, sharp edges, not cut off by the rim of the picture.
        top, bottom, left, right: where it is; `bottom` and `right` are the first outside.
    """

    number: int
    area: int
    sharpness: float
    weight: float
    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def size(self) -> int:
        """The longer side."""
        return max(self.height, self.width)

    def gap(self, other: Piece) -> int:
        """Pixels between the boxes of two pieces; 0 if they touch or overlap."""
        across = max(self.left, other.left) - min(self.right, other.right)
        down = max(self.top, other.top) - min(self.bottom, other.bottom)
        return max(0, across, down)


@dataclass(frozen=True)
class Pieces:
    """All pieces of ink of a picture, and the array H,W in which each has its number."""

    labels: NDArray[np.integer[Any]]
    found: tuple[Piece, ...]

    def mask(self, some: Sequence[Piece]) -> NDArray[np.bool_]:
        """The pixels of some pieces, H,W."""
        if len(some) == 1:
            return np.asarray(self.labels == some[0].number)
        chosen = np.zeros(int(self.labels.max()) + 1, bool)
        chosen[[piece.number for piece in some]] = True
        return np.asarray(chosen[self.labels])


def find_pieces(ink: Ink) -> Pieces:
    """Pixels that are ink and touch, at least one of them strongly so (hysteresis, Canny 1986)."""
    mask = ink.strength >= ink.low
    labels, count = scipy.ndimage.label(mask, _SQUARE)
    strong, areas = (np.bincount(labels[some], minlength=count + 1) for some in (ink.strength >= ink.high, mask))
    sharpness = _sharpness(ink, labels, mask, count) if count > 1 else np.ones(count + 1)  # one alone is compared with none
    weight = areas * sharpness * np.where(_on_rim(labels), _AT_RIM, 1)
    pieces = [
        Piece(number, int(areas[number]), float(sharpness[number]), float(weight[number]), *_edges(place))
        for number, place in enumerate(scipy.ndimage.find_objects(labels), 1)
        if strong[number]
    ]
    return Pieces(labels, tuple(pieces))


def _sharpness(ink: Ink, labels: NDArray[np.integer[Any]], mask: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    numbers, steps = labels[mask], _steps(ink.strength)[mask]
    edges, squared = (np.bincount(numbers, steps**power, minlength=count + 1) for power in (1, 2))
    return np.asarray(np.maximum(squared / np.maximum(edges, 1) - 2 * ink.noise, 1))


def _edges(place: tuple[slice, ...]) -> tuple[int, int, int, int]:
    rows, columns = place
    return rows.start, rows.stop, columns.start, columns.stop


def _steps(strength: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much each pixel differs from the one above it and the one on its left."""
    values = strength.astype(np.float32)
    steps = np.zeros_like(values)
    steps[1:] = np.abs(values[1:] - values[:-1])
    steps[:, 1:] += np.abs(values[:, 1:] - values[:, :-1])
    return steps


def around(pieces: Pieces) -> list[Piece]:
    """The pieces that are no ink at all: a frame, the edge of the paper, the table that it lies on."""
    height, width = pieces.labels.shape
    if min(height, width) < _TINY:
        return []
    on_rim = _on_rim(pieces.labels)
    return [piece for piece in pieces.found if _is_frame(pieces, piece) or on_rim[piece.number] > _EDGE * min(height, width)]


def of_digits(pieces: Pieces) -> list[Piece]:
    """The pieces that may be part of a digit: no specks, no shadows."""
    if not pieces.found:
        return []
    first = max(pieces.found, key=lambda piece: piece.weight)
    return [piece for piece in pieces.found if piece.area > _SPECK * first.area and piece.sharpness > _SOFT * first.sharpness]


def has_lines(pieces: Pieces) -> bool:
    """Whether a piece goes through most of the picture, or there are so many that they may be pieces of lines."""
    height, width = pieces.labels.shape
    long = any(piece.width > 0.66 * width or piece.height > 0.66 * height for piece in pieces.found)
    return max(height, width) >= 64 and (long or len(pieces.found) > _MANY)


def grown(mask: NDArray[np.bool_], ink: Ink) -> NDArray[np.bool_]:
    """The mask (H,W) and two pixels around it, and its soft edges as far as they differ from the paper."""
    near: NDArray[np.bool_] = scipy.ndimage.binary_dilation(mask, _SQUARE, iterations=2)
    soft = (ink.strength > PAPER + 3 * ink.noise) & (ink.strength < ink.low)
    edges: NDArray[np.bool_] = scipy.ndimage.binary_propagation(near & soft, _SQUARE, soft)
    return near | edges


def groups(some: Sequence[Piece], most: int) -> list[list[Piece]]:
    """Pieces that lie close together, the group with the most ink first; of a picture that is all specks, so many of the heaviest."""
    rest = sorted(some, key=lambda piece: -piece.weight)[:most]
    found = []
    while rest:
        group = [rest.pop(0)]
        near = _NEAR * group[0].size
        while (
            more := next((one for one in rest if any(one.gap(member) <= near for member in group) and _joins(group, one)), None)
        ) is not None:
            group.append(more)
            rest.remove(more)
        found.append(group)
    return sorted(found, key=_weight, reverse=True)


def _joins(group: Sequence[Piece], piece: Piece) -> bool:
    """Whether a piece beside others is a part of the same digit: two that are as tall and stand side by side are two digits."""
    top, bottom, left, right = bounds(group)
    beside = piece.left >= right or piece.right <= left
    overlap = min(bottom, piece.bottom) - max(top, piece.top)
    tall = piece.height > 0.6 * (bottom - top) and overlap > 0.5 * piece.height
    return not (beside and tall)


def bounds(group: Sequence[Piece]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of all of it."""
    return (
        min(piece.top for piece in group),
        max(piece.bottom for piece in group),
        min(piece.left for piece in group),
        max(piece.right for piece in group),
    )


def is_rival(first: Sequence[Piece], second: Sequence[Piece]) -> bool:
    """Whether the second group has so much ink that it may be another digit."""
    return _weight(second) > _SIMILAR * _weight(first)


def _weight(group: Sequence[Piece]) -> float:
    return sum(piece.weight for piece in group)


def _is_frame(pieces: Pieces, piece: Piece) -> bool:
    """A piece as large as the picture whose corners have ink and whose middle has none."""
    height, width = pieces.labels.shape
    if piece.height < 0.7 * height or piece.width < 0.7 * width:
        return False
    own = pieces.labels[piece.top : piece.bottom, piece.left : piece.right] == piece.number
    down, across = max(1, piece.height // 8), max(1, piece.width // 8)
    corners = (own[:down, :across], own[:down, -across:], own[-down:, :across], own[-down:, -across:])
    return sum(bool(corner.any()) for corner in corners) >= 3 and own[down:-down, across:-across].mean() < 0.01


def _on_rim(labels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How many pixels of the picture's rim each number has."""
    rim = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(rim, minlength=int(labels.max()) + 1)
