"""The template, filled with real digits and photographed: all by code, so that what was written is known."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from handlens import plots
from handlens.data.mine import template

Pixels = NDArray[np.uint8]
DPI = 200
MM = DPI / 25.4


@dataclass(frozen=True)
class Written:
    """A filled page, and which image stands in which cell: by row and column."""

    page: Pixels
    written: dict[tuple[int, int], int]

    @property
    def cells(self) -> set[tuple[int, int]]:
        """Row and column of each cell that is filled."""
        return set(self.written)


def printed() -> Pixels:
    """The template as a printer makes it."""
    cells = [tuple(cell) for cell in template.cells()]
    png = plots.png(plots.plot_form(template.PAGE, template.MARKS, template.MODULE, cells), dpi=DPI)
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def written(images: Pixels, labels: NDArray[np.int64], seed: int, share: float = 0.9) -> Written:
    """Digits of 28x28 in the cells of their row, some cells empty; pens fine and broad, pencil and ink, digits of many sizes."""
    random = np.random.default_rng(seed)
    page = printed().astype(np.float32)
    pen, ink = random.uniform(0.25, 0.75), random.uniform(20, 130)
    left = {label: list(random.permutation(np.flatnonzero(labels == label))) for label in range(10)}
    filled: dict[tuple[int, int], int] = {}
    for cell in template.cells():
        if random.random() < share:
            place = filled[cell.row, cell.column] = int(left[cell.row].pop())
            _write(page, images[place], cell, (pen, ink), random)
    return Written(page.astype(np.uint8), filled)


def _write(page: NDArray[np.float32], image: Pixels, cell: template.Cell, hand: tuple[float, float], random: np.random.Generator) -> None:
    """One digit, 8 to 16 mm high, somewhere in its cell."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    core = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = min(random.uniform(8, 16) / core.shape[0], (cell.width - 2.5) / core.shape[1]) * MM
    large = ndimage.zoom(core.astype(np.float32) / 255, scale, order=1)
    stroke = ndimage.gaussian_filter((large > hand[0]).astype(np.float32), 0.6)  # the higher the threshold, the finer the pen
    room = [max(0.0, side - 2.4 - size / MM) for side, size in zip((cell.height, cell.width), large.shape, strict=True)]
    top, aside = (round((start + 1.2 + random.uniform(0, free)) * MM) for start, free in zip((cell.top, cell.left), room, strict=True))
    place = page[top : top + large.shape[0], aside : aside + large.shape[1]]
    place[:] = place * (1 - stroke) + hand[1] * stroke


def photographed(page: Pixels, seed: int, *, size: int = 1600, quarter: int = 0, cut: float = 0.0) -> bytes:
    """A JPEG file of it: lying on a table, slanted, turned, unevenly lit, a little unsharp and noisy.

    Args:
        page: what is photographed.
        seed: decides all that is random.
        size: the longer side in pixels.
        quarter: turned by so many right angles.
        cut: how much of the page is outside of the picture, as a share of its width.
    """
    random = np.random.default_rng(seed)
    width, height = round(size * 3 / 4), size
    high, wide = page.shape
    corners = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], float)
    angle = np.deg2rad(random.uniform(-6, 6))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    seen = (corners - [wide / 2, high / 2]) @ turn.T * (0.84 * min(width / wide, height / high)) + [width / 2, height / 2]
    seen += random.uniform(-0.045, 0.045, (4, 2)) * width - [cut * width, 0]
    table = ndimage.gaussian_filter(random.normal(0, 40, (height, width)), 1.5) + random.uniform(60, 150)
    on_table = np.asarray(_warped(Image.fromarray(page), (width, height), seen, corners), np.float32)
    there = np.asarray(_warped(Image.new("L", (wide, high), 255), (width, height), seen, corners), np.float32) / 255
    light = _light((height, width), random)
    scene = (on_table * there + table * (1 - there))[:, :, None] * light * random.uniform(0.9, 1.0, 3)
    scene = ndimage.gaussian_filter(scene, (size / 3000, size / 3000, 0)) + random.normal(0, 4, scene.shape)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)).rotate(90 * quarter, expand=True)
    target = io.BytesIO()
    image.save(target, "JPEG", quality=80)
    return target.getvalue()


def _warped(image: Image.Image, size: tuple[int, int], seen: NDArray[np.float64], corners: NDArray[np.float64]) -> Image.Image:
    from handlens.data.mine.sheet import _perspective

    return image.transform(size, Image.Transform.PERSPECTIVE, _perspective(seen, corners), Image.Resampling.BILINEAR)


def _light(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.float64]:
    """From one side, down to 55 %, and the soft shadow of a hand."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / max(shape)
    across, down = random.uniform(-1, 1, 2)
    slope = across * x + down * y
    slope = (slope - slope.min()) / np.ptp(slope)
    centre = random.uniform(0.2, 0.6, 2)
    shadow = 1 - 0.35 / (1 + np.exp(((x - centre[0]) ** 2 + (y - centre[1]) ** 2 - 0.04) * 120))
    return np.asarray(((1 - 0.45 * slope) * shadow)[:, :, None])
