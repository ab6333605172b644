"""Pictures to learn from that are not MNIST's own: its training digits and fonts, drawn anew with other pens on other papers.

MNIST's writers are American: their 1 has neither flag nor foot, their 7 no bar; here half of them get these. A part is reduced to 8x8
pixels as tablets of the 1990s did (Alpaydin and Kaynak 1998). The writers, fonts and pictures of `strangers.py` are not looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from papers import FINE, Floats, Random, Shape, sample
from PIL import Image
from strangers import distances, fonts, glyph

import handlens as hl
from handlens.data.drawing import normalize

Image28 = NDArray[np.uint8]

SHARES = (0.5, 0.2, 0.2, 0.1)  # of natures; scans and photos take longest to make
_COUNTED = 0.12  # of the shapes are 8x8
_CHUNK = 250
_TRAIN = "shapes to learn from"


def taught(count: int, times: int, workers: int = 2) -> tuple[Image28, NDArray[np.int64]]:
    """Normalised pictures N,28,28 and their labels N; what `normalize` has doubts about is left out.

    Args:
        count: so many of MNIST's training digits.
        times: so often each digit of each font.
        workers: processes; they change nothing but the time.
    """
    tasks = [("mnist", start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    tasks += [("font", number, times) for number in range(len(fonts("train")))]
    with get_context("fork").Pool(workers) as pool:
        made = [pair for some in pool.imap(_made, tasks) for pair in some]
    return np.stack([image for image, _ in made]), np.array([label for _, label in made])


def _made(task: tuple[str, int, int]) -> list[tuple[Image28, int]]:
    kind, first, second = task
    shapes = _of_mnist(first, second) if kind == "mnist" else _of_font(first, second)
    random = np.random.default_rng([1, len(kind), first])
    pairs = []
    for shape in shapes:
        normal = normalize(sample(_varied(shape, random), random, SHARES).content)
        if not normal.doubt:
            pairs.append((normal.image, shape.label))
    return pairs


def _of_mnist(first: int, last: int) -> Iterator[Shape]:
    train = hl.load("mnist", val=0).train
    places = np.random.default_rng(3).permutation(len(train))[first:last]
    for place, distance in zip(places, distances(train.images[places, 0].numpy()), strict=True):
        yield Shape(int(train.labels[place]), _TRAIN, distance)


def _of_font(number: int, times: int) -> Iterator[Shape]:
    path = fonts("train")[number]
    drawn = np.stack([glyph(path, str(digit)) for digit in range(10)])
    lines = distances(drawn)
    for again in range(times):
        for digit in range(10):
            ink = (drawn[digit] / 255).astype(np.float32)
            yield Shape(digit, path.stem, None, ink) if again % 3 == 0 else Shape(digit, path.stem, lines[digit])


def _varied(shape: Shape, random: Random) -> Shape:
    if shape.distance is None:
        return shape
    if shape.writer == _TRAIN and shape.label in (1, 7) and random.random() < 0.5:
        shape = dataclasses.replace(shape, distance=_with_strokes(shape.distance, _extra(shape, random)))
    return _counted(shape, random) if random.random() < _COUNTED else shape


def _extra(shape: Shape, random: Random) -> list[Floats]:
    """The strokes that many writers add, each as its two ends (y, x): the flag and the foot of a 1, the bar of a 7."""
    assert shape.distance is not None
    y, x = np.nonzero(shape.distance == 0)
    height = max(int(np.ptp(y)), 20)

    def stroke(place: int, left: float, right: float, down: float) -> Floats:
        ends = (y[place] + down * height, x[place] - left * height), (y[place], x[place] + right * height)
        return np.array(ends, np.float32)

    if shape.label == 7:
        middle = int(np.abs(y - (y.min() + random.uniform(0.42, 0.6) * height)).argmin())
        return [stroke(middle, random.uniform(0.12, 0.3), random.uniform(0.1, 0.3), random.uniform(-0.05, 0.1))]
    flag = stroke(int(y.argmin()), random.uniform(0.12, 0.42), 0, random.uniform(0.1, 0.42))
    foot = stroke(int(y.argmax()), random.uniform(0.12, 0.33), random.uniform(0.12, 0.33), random.uniform(-0.05, 0.05))
    return [flag, foot] if random.random() < 0.4 else [flag]


def _with_strokes(distance: Floats, strokes: list[Floats]) -> Floats:
    """The distance from the nearest of the middle lines, the added ones among them."""
    height = max(int(np.ptp(np.nonzero(distance == 0)[0])), 20)
    points = np.moveaxis(np.mgrid[:FINE, :FINE], 0, -1).astype(np.float32)
    for start, end in strokes:
        along = end - start
        share = np.clip(((points - start) @ along) / max(float(along @ along), 1.0), 0, 1)
        away = np.linalg.norm(points - start - share[:, :, None] * along, axis=2)
        distance = np.minimum(distance, away / height)
    return distance.astype(np.float32)


def _counted(shape: Shape, random: Random) -> Shape:
    """8x8 shares of ink: the digit fills 32x32 black or white pixels, of which each 4x4 are counted."""
    assert shape.distance is not None
    inked = shape.distance < random.uniform(0.05, 0.1)
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    cut = inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size = np.maximum(1, np.round(np.array(cut.shape) * 32 / max(cut.shape))).astype(int)
    small = np.asarray(Image.fromarray(255 * cut.astype(np.uint8)).resize((size[1], size[0]), Image.Resampling.BOX)) > 127
    top, left = (32 - size) // 2
    page = np.zeros((32, 32), np.float32)
    page[top : top + size[0], left : left + size[1]] = small
    return Shape(shape.label, shape.writer, None, page.reshape(8, 4, 8, 4).mean(axis=(1, 3)))
