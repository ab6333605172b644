"""A photograph of the template: found by its corner marks, laid flat, and cut into its cells."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree

from handlens import files
from handlens.data.drawing import read
from handlens.data.mine import template
from handlens.errors import DataError

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

SCALE = 8
"""Pixels a mm of the page that is laid flat: a cell then has 118 x 155."""

_LOOKED_AT = 1000  # the longer side of the photograph is from this to below twice this while marks are looked for
_INSET = 0.8  # mm at each side of a cell, where its printed line is
_DARK = 0.8  # of the light around: what is darker may be print
_LEAST_SIDE = 5  # pixels: the middle of a mark
_MOST_CANDIDATES = 12
_ALIKE = 0.55  # the least correlation of a mark that is laid flat with the printed one
_INK = 0.3  # of the darkness of the marks: the faintest pencil
_PAPER = 0.15  # of the same: what is paler is paper, with its texture
_BROADEST = 9  # mm: no pen, and no small hole between strokes, is broader
_LEAST_INK = (3.0, 1.0)  # mm, mm²: the extent and the area of the smallest stroke that counts


@dataclass(frozen=True, eq=False)
class FilledCell:
    """A cell in which something was written.

    Attributes:
        label: its row's digit.
        column: from 0.
        pixels: H,W or H,W,3, within its printed lines.
        box: left, top, right, bottom on the flat page, in pixels.
    """

    label: int
    column: int
    pixels: Pixels
    box: tuple[int, int, int, int]

    def get(self) -> Pixels:
        """Its pixels."""
        return self.pixels


@dataclass(frozen=True, eq=False)
class FlatSheet:
    """The template out of a photograph.

    Attributes:
        pixels: the flat page, H,W or H,W,3, of `SCALE` pixels a mm, on white paper.
        cells: those that are filled, row by row.
    """

    pixels: Pixels
    cells: tuple[FilledCell, ...]


def read_sheet(photo: object) -> FlatSheet:
    """Find the template in a photograph, however it is turned and slanted, and cut its cells out.

    Args:
        photo: anything `handlens.data.drawing.normalize` takes.

    Raises:
        DataError: there is no such picture, it cannot be read, or its four corner marks are not all to be seen.
    """
    where = files.printable(str(photo)) if isinstance(photo, str | Path) else ""
    pixels = read(photo, _LOOKED_AT).pixels
    found = _candidates(_grey(pixels))
    if len(found) < 4:
        seen = "None" if not found else f"Only {len(found)}"
        raise _not_found(f"{seen} of the template's four corner marks can be seen in this picture.", where)
    pages = [(page, _Look.at(page)) for page in (_flat(pixels, corners) for corners in _corners(found))]
    page, look = max(pages, key=lambda pair: pair[1].likeness + pair[1].upright, default=(pixels, _Look(0, 0, 0)))
    if look.likeness < _ALIKE:
        raise _not_found("The corner marks in this picture are not where the template has them.", where)
    page = _evenly_lit(page, look.darkness)
    filled = (_filled(page, cell, look.darkness) for cell in template.cells())
    return FlatSheet(page, tuple(cell for cell in filled if cell))


def _not_found(what: str, where: str) -> DataError:
    return DataError(
        what,
        where=where,
        hint="Photograph the whole page from above, with all four black squares in the picture and nothing on them. "
        "The template: handlens mine template sheet.pdf. Pictures of single digits: handlens mine add",
    )


def _grey(pixels: Pixels) -> NDArray[np.float32]:
    return (pixels if pixels.ndim == 2 else pixels.mean(axis=2)).astype(np.float32)


def _candidates(grey: NDArray[np.float32]) -> list[Points]:
    """The centres x,y of what may be marks: a dark piece in the middle of another that is about 7/3 as large; the likeliest first."""
    dark = grey < _DARK * ndimage.uniform_filter(grey, max(grey.shape) // 10, mode="nearest")
    labels, count = ndimage.label(dark, np.ones((3, 3)))
    if count == 0:
        return []
    slices = ndimage.find_objects(labels)
    sides = np.array([[rows.stop - rows.start, columns.stop - columns.start] for rows, columns in slices], float)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    middles = np.array([[rows.start + rows.stop - 1, columns.start + columns.stop - 1] for rows, columns in slices]) / 2
    whole = np.flatnonzero((sides.min(axis=1) >= _LEAST_SIDE) & (sides.max(axis=1) < max(grey.shape) / 4))
    if len(whole) < 2:
        return []
    near = cKDTree(middles[whole]).query_pairs(max(grey.shape) / 60)
    pairs = [sorted((whole[one], whole[other]), key=lambda place: -areas[place]) for one, other in near]
    odd = {inner: oddness for ring, inner in pairs if (oddness := _oddness(sides, areas, middles, (ring, inner))) < 1}
    best = sorted(odd, key=odd.__getitem__)[:_MOST_CANDIDATES]
    return [np.array([x.mean(), y.mean()]) for y, x in (np.nonzero(labels == place + 1) for place in best)]


def _oddness(sides: Points, areas: NDArray[np.int64], middles: Points, pair: tuple[int, int]) -> float:
    """How unlike a ring and the middle of a mark two pieces are: below 1 they may be."""
    ring, inner = pair
    larger = sides[ring] / sides[inner]
    apart = np.abs(middles[ring] - middles[inner]).max() / sides[ring].max()
    return float(max(np.abs(np.log(larger / (7 / 3))).max() / 0.45, abs(np.log(areas[ring] / areas[inner] / (24 / 9))) / 0.7, apart / 0.12))


def _corners(found: Sequence[Points]) -> list[Points]:
    """Every four of the candidates that can be the corners of a page: 4,2, as the hand of a clock goes round, each of them first once."""
    ordered = []
    for four in itertools.combinations(found, 4):
        points = np.stack(four)
        around = points - points.mean(axis=0)
        points = points[np.argsort(np.arctan2(around[:, 1], around[:, 0]))]
        edges = np.roll(points, -1, axis=0) - points
        following = np.roll(edges, -1, axis=0)
        turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
        if (turns > 0.2 * np.abs(turns).max()).all():
            ordered += [np.roll(points, turn, axis=0) for turn in range(4)]
    return ordered


def _flat(pixels: Pixels, corners: Points) -> Pixels:
    """The page laid flat, if these are its marks."""
    width, height = (round(side * SCALE) for side in template.PAGE)
    coefficients = _perspective(np.array(template.MARKS) * SCALE, corners)
    page = Image.fromarray(pixels).transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(page)


def _perspective(flat: Points, seen: Points) -> list[float]:
    """The eight numbers of the perspective that leads from points of the flat page to those in the photograph, 4,2 each."""
    rows, values = [], []
    for (x, y), (u, v) in zip(flat, seen, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(number) for number in np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]]


def _printed(place: int) -> NDArray[np.float32]:
    """A mark as it is printed, 1 where it is white, with the white paper around it: 9,9 steps."""
    steps = np.maximum(*np.abs(np.mgrid[-4:5, -4:5]))
    return np.isin(steps, (4, 2, *((0,) if place == 0 else ()))).astype(np.float32)


def _mark(grey: NDArray[np.float32], place: int) -> NDArray[np.float32]:
    """A mark on the flat page, 9,9: the mean of each step."""
    x, y = (middle * SCALE for middle in template.MARKS[place])
    edges = np.round(np.arange(-4.5, 5) * template.MODULE * SCALE).astype(int)
    rows, columns = edges + round(y), edges + round(x)
    patch = grey[rows[0] : rows[-1], columns[0] : columns[-1]]
    sums = np.add.reduceat(np.add.reduceat(patch, rows[:-1] - rows[0], axis=0), columns[:-1] - columns[0], axis=1)
    return np.asarray(sums / np.outer(np.diff(rows), np.diff(columns)), np.float32)


@dataclass(frozen=True)
class _Look:
    """How the four marks of a flat page look.

    Attributes:
        likeness: the least correlation of one of them with the printed one.
        upright: how much lighter the centre of the first is than those of the others, in steps from black to white.
        darkness: how much of the light the black takes away, 0 to 1.
    """

    likeness: float
    upright: float
    darkness: float

    @classmethod
    def at(cls, page: Pixels) -> _Look:
        """The look of a page's marks."""
        grey = _grey(page)
        marks = [_mark(grey, place) for place in range(4)]
        printed = [_printed(place) for place in range(4)]
        likeness = min(_correlation(*pair) for pair in zip(marks, printed, strict=True))
        levels = [[float(np.median(mark[white == colour])) for colour in (0, 1)] for mark, white in zip(marks, printed, strict=True)]
        centres = [(mark[4, 4] - black) / max(white - black, 1) for mark, (black, white) in zip(marks, levels, strict=True)]
        darkness = float(np.median([1 - black / max(white, 1) for black, white in levels]))
        return cls(likeness, float(centres[0] - max(centres[1:])), darkness)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) if one.std() > 0 else 0.0


def _evenly_lit(page: Pixels, darkness: float) -> Pixels:
    """The page without light and shadows: what is nearly as light as the paper around it is white.

    The paper is what is left of the page when all that is darker and narrower than a broad pen is closed (grey closing).
    """
    high, wide = (side // SCALE for side in page.shape[:2])
    layers = []
    for layer in np.moveaxis(np.atleast_3d(page), 2, 0):
        small = np.asarray(Image.fromarray(layer).resize((wide, high), Image.Resampling.BOX), np.float32)
        paper = ndimage.uniform_filter(ndimage.grey_closing(small, (_BROADEST, _BROADEST)), _BROADEST, mode="nearest")
        behind = np.asarray(Image.fromarray(paper).resize(page.shape[1::-1], Image.Resampling.BILINEAR))
        share = layer / np.maximum(behind, 1)
        layers.append(np.where(share > 1 - _PAPER * darkness, 255, 255 * share).astype(np.uint8))
    return np.stack(layers, axis=2) if page.ndim == 3 else layers[0]


def _filled(page: Pixels, cell: template.Cell, darkness: float) -> FilledCell | None:
    """A cell within its lines; None if nothing is written there."""
    edges = (cell.left + _INSET, cell.top + _INSET, cell.left + cell.width - _INSET, cell.top + cell.height - _INSET)
    left, top, right, bottom = (round(edge * SCALE) for edge in edges)
    pixels = page[top:bottom, left:right]
    ink = np.atleast_3d(pixels).min(axis=2) < 255 * (1 - _INK * darkness)  # pale ink is dark in one of the colours
    labels, _count = ndimage.label(ink, np.ones((3, 3)))
    length, area = _LEAST_INK[0] * SCALE, _LEAST_INK[1] * SCALE**2
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        long = max(rows.stop - rows.start, columns.stop - columns.start) >= length
        if long and np.count_nonzero(labels[rows, columns] == number) >= area:
            return FilledCell(cell.row, cell.column, np.ascontiguousarray(pixels), (left, top, right, bottom))
    return None
