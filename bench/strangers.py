"""Pictures of digits as unlike MNIST as can be made here: other pens, papers, lights and cameras. Nothing is downloaded.

Where shapes come from ("writers", each of which is in one half only, `dev` to tune on or `held` never tuned on):

- writers of MNIST's test images (QMNIST's labels say who): the stroke's middle line is thinned out of the image and drawn anew;
- fonts that look handwritten (Debian's packages in `FONTS`, those that are installed), as they are, or drawn anew likewise;
- scikit-learn's `load_digits`: 8x8 pixels by other people, as they are or enlarged.

Each shape becomes a picture of one nature: `drawing` (a canvas), `scan`, `photo`, `tiny`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from papers import FINE, Floats, Random, Sample, Shape, drawing, sample, saved
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from sklearn.datasets import load_digits

import handlens as hl
from handlens.data import mnist_writers

FONT_FOLDER = Path("/usr/share/fonts")
FONTS = {
    "train": (
        "Breip.ttf dkg.ttf Delphine.ttf KleeOne-Regular.ttf DancingScript-Regular.otf BecauseWeBuild-Regular.otf "
        "BecauseWeCreate-Regular.otf kiloji.ttf YOzBAF.ttf Dustismo.ttf ComicNeue-Regular.otf Ecolier-court.ttf"
    ).split(),
    "dev": ("Humor-Sans.ttf Kristi.ttf BecauseWeConnect-Regular.otf BecauseWeLearn-Regular.otf Domestic_Manners.ttf setofont.ttf").split(),
    "held": (
        "SteveHand.ttf Rufscript010.ttf YuseiMagic-Regular.ttf KaushanScript-Regular.otf BecauseWeMentor-Regular.otf "
        "BecauseWeOrganize-Regular.otf TomsonTalks.ttf Isabella.ttf"
    ).split(),
}


def samples(half: str, seed: int = 1) -> list[Sample]:
    """All pictures of a half, `dev` or `held`: a pure function of both arguments and of the fonts that are installed."""
    return [sample(shape, np.random.default_rng([seed, *half.encode(), number])) for number, shape in enumerate(shapes(half))]


def shapes(half: str) -> Iterator[Shape]:
    """The digits of a half, writer by writer."""
    yield from _of_mnist(half)
    yield from _of_fonts(half)
    yield from _of_sklearn(half)


def _of_mnist(half: str, people: int = 40, each: int = 10) -> Iterator[Shape]:
    test = hl.load("mnist", val=0).test
    _, writers = mnist_writers(folder=Path(os.environ["HANDLENS_SHARED"], "qmnist-labels"), offline=True)
    known = np.unique(writers)
    known = np.random.default_rng(7).permutation(known)
    for writer in known[:people] if half == "dev" else known[-people:]:
        places = np.flatnonzero(writers == writer)[:each]
        for place, distance in zip(places, distances(test.images[places, 0].numpy()), strict=True):
            yield Shape(int(test.labels[place]), f"mnist-{writer}", distance)


def fonts(half: str) -> list[Path]:
    """Those of a half (or of `train`) that are installed."""
    return sorted(path for path in FONT_FOLDER.rglob("*.[ot]tf") if path.name in FONTS[half])


def _of_fonts(half: str) -> Iterator[Shape]:
    for path in fonts(half):
        drawn = np.stack([glyph(path, str(digit)) for digit in range(10)])
        for again in range(2):
            for digit, distance in enumerate(distances(drawn)):
                anew = (digit + again) % 2 == 0
                yield Shape(digit, path.stem, distance if anew else None, None if anew else (drawn[digit] / 255).astype(np.float32))


def glyph(path: Path, text: str) -> NDArray[np.uint8]:
    """A character of a font, white on black, 96 pixels high in a square of 112."""
    font = ImageFont.truetype(path, 96)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(image).text((-left, -top), text, fill=255, font=font)
    scale = 96 / max(image.width, image.height)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BICUBIC)
    square = Image.new("L", (FINE, FINE))
    square.paste(image, ((FINE - image.width) // 2, (FINE - image.height) // 2))
    return np.asarray(square)


def _of_sklearn(half: str, each: int = 20) -> Iterator[Shape]:
    digits = load_digits()
    images, labels = digits.images.astype(np.float32), digits.target
    start = 0 if half == "dev" else 900
    for place in range(start, start + 10 * each):
        ink = images[place] / 16
        yield Shape(int(labels[place]), f"sklearn-{place // each}", None, ink)


def distances(images: NDArray[np.uint8]) -> list[Floats]:
    """The distance of each point of the fine grid from the middle line of the strokes, in shares of the digit's height."""
    found = []
    for image in images:
        fine = image if image.shape == (FINE, FINE) else np.asarray(Image.fromarray(image).resize((FINE, FINE), Image.Resampling.BICUBIC))
        line = thinned(ndimage.gaussian_filter(fine.astype(np.float32), 1.2) > 110)
        rows = np.flatnonzero((fine > 110).any(axis=1))
        found.append((ndimage.distance_transform_edt(~line) / max(int(np.ptp(rows)), 20)).astype(np.float32))
    return found


def thinned(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The middle lines of strokes (Zhang and Suen 1984)."""
    ink = np.pad(mask, 1)
    while True:
        before = ink.sum()
        for first in (True, False):
            ink[1:-1, 1:-1] &= ~_removable(ink, first)
        if ink.sum() == before:
            return ink[1:-1, 1:-1]


def _removable(ink: NDArray[np.bool_], first: bool) -> NDArray[np.bool_]:
    height, width = ink.shape
    steps = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    around = np.stack([ink[1 + down : height - 1 + down, 1 + across : width - 1 + across] for down, across in steps])
    number = around.sum(axis=0)
    changes = (~around & np.roll(around, -1, axis=0)).sum(axis=0)
    north, east, south, west = around[::2]
    ends = (~(north & east & south) & ~(east & south & west)) if first else (~(north & east & west) & ~(north & south & west))
    return np.asarray((number >= 2) & (number <= 6) & (changes == 1) & ends)


def strange_shapes(random: Random, count: int) -> list[bytes]:
    """Letters that are like no digit, drawn as digits are: for "that is no digit"."""
    known = fonts("dev")
    letters = "AEFGHKMNPRWXabdefhkmnpqrtwxy"
    found = []
    for _ in range(count):
        letter = glyph(known[random.integers(len(known))], letters[random.integers(len(letters))])
        found.append(saved(drawing(Shape(-1, "letters", None, (letter / 255).astype(np.float32)), random), "drawing", random))
    return found
