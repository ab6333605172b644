"""Connected pieces of ink: which are specks, frames and edges of the paper, and which belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from handlens.data.drawing.paper import Ink

_SPECK = 0.03  # of the largest piece's pixels
_NEAR = 0.3  # of its size: pieces closer than this belong to one digit
_SIMILAR = 0.3  # another digit has at least so much of the first one's ink


@dataclass(frozen=True)
class Piece:
    """Ink that hangs together.

    Attributes:
        number: in the array of labels.
        area: pixels.
        top, bottom, left, right: where it is; `bottom` and `right` are the first outside.
    """

    number: int
    area: int
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

    labels: NDArray[np.int32]
    found: tuple[Piece, ...]

    def mask(self, some: Sequence[Piece]) -> NDArray[np.bool_]:
        """The pixels of some pieces, H,W."""
        chosen = np.zeros(int(self.labels.max()) + 1, bool)
        chosen[[piece.number for piece in some]] = True
        return chosen[self.labels]


def find_pieces(ink: Ink) -> Pieces:
    """Pixels that are ink and touch, at least one of them strongly so (hysteresis, Canny 1986)."""
    labels, count = ndimage.label(ink.strength >= ink.low, np.ones((3, 3)))
    strong = np.bincount(labels[ink.strength >= ink.high], minlength=count + 1)
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    places = ndimage.find_objects(labels)
    return Pieces(
        labels,
        tuple(
            Piece(number, int(areas[number]), rows.start, rows.stop, columns.start, columns.stop)
            for number, (rows, columns) in enumerate(places, 1)
            if strong[number]
        ),
    )


def of_digits(pieces: Pieces) -> list[Piece]:
    """The pieces that may be part of a digit: no frames, no edges of the paper, no specks."""
    height, width = pieces.labels.shape
    some = [piece for piece in pieces.found if not _is_frame(pieces, piece)]
    if len(some) > 1 and min(height, width) >= 40:
        inner = [piece for piece in some if not _is_edge(piece, height, width)]
        some = inner or some
    largest = max((piece.area for piece in some), default=0)
    return [piece for piece in some if piece.area > _SPECK * largest]


def groups(some: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces that lie close together, the group with the most ink first."""
    rest = sorted(some, key=lambda piece: -piece.area)
    found = []
    while rest:
        group = [rest.pop(0)]
        near = _NEAR * group[0].size
        while more := [piece for piece in rest if any(piece.gap(member) <= near for member in group) and _joins(group, piece)]:
            group.append(more[0])
            rest.remove(more[0])
        found.append(group)
    return sorted(found, key=lambda group: -sum(piece.area for piece in group))


def _joins(group: Sequence[Piece], piece: Piece) -> bool:
    """Whether a piece beside others is a part of the same digit: two that are as tall and stand side by side are two digits."""
    top, bottom = min(one.top for one in group), max(one.bottom for one in group)
    left, right = min(one.left for one in group), max(one.right for one in group)
    beside = piece.left >= right or piece.right <= left
    overlap = min(bottom, piece.bottom) - max(top, piece.top)
    tall = piece.height > 0.6 * (bottom - top) and overlap > 0.5 * piece.height
    return not (beside and tall)


def is_rival(first: Sequence[Piece], second: Sequence[Piece]) -> bool:
    """Whether the second group has so much ink that it may be another digit."""
    return sum(piece.area for piece in second) > _SIMILAR * sum(piece.area for piece in first)


def _is_frame(pieces: Pieces, piece: Piece) -> bool:
    """A piece as large as the picture whose corners have ink and whose middle has none."""
    height, width = pieces.labels.shape
    if piece.height < 0.7 * height or piece.width < 0.7 * width or min(height, width) < 16:
        return False
    own = pieces.labels[piece.top : piece.bottom, piece.left : piece.right] == piece.number
    down, across = max(1, piece.height // 8), max(1, piece.width // 8)
    corners = (own[:down, :across], own[:down, -across:], own[-down:, :across], own[-down:, -across:])
    return sum(bool(corner.any()) for corner in corners) >= 3 and own[down:-down, across:-across].mean() < 0.01


def _is_edge(piece: Piece, height: int, width: int) -> bool:
    """A piece that lies along the picture's rim, or in its corner: a shadow, a table, the edge of the paper."""
    level = (piece.top == 0 or piece.bottom == height) and (piece.height < 0.12 * height or piece.width > 0.9 * width)
    upright = (piece.left == 0 or piece.right == width) and (piece.width < 0.12 * width or piece.height > 0.9 * height)
    corner = (piece.top == 0 or piece.bottom == height) and (piece.left == 0 or piece.right == width)
    return level or upright or corner
