"""Digits put on paper and seen by a camera: from a shape to the bytes of a picture file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

Floats = NDArray[np.float32]
Random = np.random.Generator

NATURES = ("drawing", "scan", "photo", "tiny")
FINE = 112  # the grid on which middle lines are found: four times MNIST's


@dataclass(frozen=True)
class Sample:
    """One picture: the bytes of its file, its digit (-1: none), who wrote it, and its nature."""

    content: bytes
    label: int
    writer: str
    nature: str


@dataclass(frozen=True)
class Shape:
    """A digit before it is drawn: the distance of each point from the middle line in shares of the height; or its ink as it is."""

    label: int
    writer: str
    distance: Floats | None
    ink: Floats | None = None


def sample(shape: Shape, random: Random, shares: tuple[float, ...] = (0.3, 0.3, 0.32, 0.08)) -> Sample:
    """A picture of a shape; its nature is drawn with these shares of `NATURES`, that of 8x8 pixels in a way of its own."""
    nature = _nature(shape, random, shares)
    picture = {"drawing": drawing, "scan": _scan, "photo": _photo, "tiny": _tiny}[nature](shape, random)
    return Sample(saved(picture, nature, random), shape.label, shape.writer, nature)


def _nature(shape: Shape, random: Random, shares: tuple[float, ...]) -> str:
    if shape.ink is not None and len(shape.ink) == 8:
        return "tiny" if random.random() < 0.7 else "drawing"
    return str(random.choice(NATURES, p=shares))


def saved(picture: Image.Image, nature: str, random: Random) -> bytes:
    target = io.BytesIO()
    if nature == "photo" or (nature == "scan" and random.random() < 0.5):
        picture.convert("RGB").save(target, "JPEG", quality=int(random.integers(40, 95)))
    else:
        picture.save(target, "PNG")
    return target.getvalue()


def _smooth(random: Random, size: tuple[int, int], cells: int) -> Floats:
    """A smooth random field with values of about -1 to 1."""
    coarse = random.normal(0, 0.5, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))


def _ink(shape: Shape, height: int, width: float, random: Random, *, rough: float = 0.0) -> Floats:
    """How much ink each point of a square has, 0 to 1; the digit is `height` pixels tall, its pen `width` of that."""
    side = round(height * FINE / 84)
    if shape.distance is None:
        assert shape.ink is not None
        scaled = np.asarray(Image.fromarray(shape.ink).resize((side, side), Image.Resampling.BICUBIC))
        return np.clip((scaled - 0.3) / 0.4 if side > 40 else scaled, 0, 1)
    distance = np.asarray(Image.fromarray(shape.distance).resize((side, side), Image.Resampling.BICUBIC)) * height
    pen = max(0.9, width * height / 2) * (1 + rough * _smooth(random, distance.shape, 6))
    return np.asarray(np.clip(pen - distance + 0.5, 0, 1), np.float32)


def _placed(ink: Floats, size: tuple[int, int], random: Random) -> Floats:
    """The ink somewhere on a page."""
    page = np.zeros(size, np.float32)
    rows, columns = np.flatnonzero((ink > 0.1).any(axis=1)), np.flatnonzero((ink > 0.1).any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][: size[0], : size[1]]
    top, left = (int(random.integers(0, max(1, room - have + 1))) for room, have in zip(size, ink.shape, strict=True))
    if random.random() < 0.6:
        top, left = (size[0] - ink.shape[0]) // 2, (size[1] - ink.shape[1]) // 2
    page[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return page


def _blend(paper: Floats, ink: Floats, colour: Floats) -> Floats:
    return np.asarray(paper + ink[:, :, None] * (colour - paper))


def _pen(random: Random) -> tuple[float, Floats, float]:
    """Width, colour and roughness of a pen: ball pen, fine liner, pencil, felt pen, marker, brush."""
    blue, black, grey, red, green = [(20, 40, 150), (20, 20, 25), (95, 95, 100), (190, 30, 40), (20, 120, 60)]
    kinds = [
        (0.025, blue, 0.2),
        (0.03, black, 0.1),
        (0.035, grey, 0.4),
        (0.05, red, 0.2),
        (0.08, black, 0.1),
        (0.14, green, 0.1),
        (0.13, black, 0.6),
    ]
    width, colour, rough = kinds[random.integers(len(kinds))]
    if random.random() < 0.3:
        colour = (blue, black, red, green)[random.integers(4)]
    return width * random.uniform(0.75, 1.4), np.array(colour, np.float32) + random.uniform(-15, 15, 3).astype(np.float32), rough


def drawing(shape: Shape, random: Random) -> Image.Image:
    """Strokes on a clean canvas: either polarity, sometimes colours, a frame, or no background."""
    side = int(random.choice([96, 140, 200, 280, 400, 560]))
    size = (side, round(side * random.uniform(0.8, 1.4)))
    ink = _placed(_ink(shape, round(min(size) * random.uniform(0.3, 0.85)), random.uniform(0.03, 0.2), random), size, random)
    kind = random.random()
    if kind < 0.15:
        picture = np.zeros((*size, 4), np.uint8)
        picture[:, :, :3] = random.choice([0, 255])
        picture[:, :, 3] = 255 * ink
        return Image.fromarray(picture)
    light, dark = random.uniform(215, 255, 3), random.uniform(0, 60, 3)
    if random.random() < 0.3:
        dark = np.array([(20, 60, 200), (210, 30, 30), (0, 130, 60), (240, 120, 0)][random.integers(4)])
    paper, colour = (dark, light) if kind < 0.5 else (light, dark)
    if random.random() < 0.4:
        paper, colour = (np.full(3, round(float(one.mean() > 128)) * 255.0) for one in (paper, colour))
    picture = _blend(np.broadcast_to(paper, (*size, 3)).astype(np.float32), ink, colour.astype(np.float32)).astype(np.uint8)
    image = Image.fromarray(picture)
    if random.random() < 0.12:
        frame = tuple(int(value) for value in (paper + colour) / 2)
        ImageDraw.Draw(image).rectangle((2, 2, size[1] - 3, size[0] - 3), outline=frame, width=int(random.integers(1, 4)))
    return image


def _page(size: tuple[int, int], unit: float, random: Random) -> Floats:
    """Paper: white, cream or grey, with texture, and sometimes ruled or squared with lines `unit` pixels apart."""
    colour = np.array([(250, 250, 250), (245, 238, 220), (225, 225, 222), (238, 243, 248)][random.integers(4)], np.float32)
    page = np.broadcast_to(colour, (*size, 3)).copy()
    page += random.normal(0, random.uniform(0.5, 4), (*size, 1)).astype(np.float32) + 2 * _smooth(random, size, 24)[:, :, None]
    kind = random.random()
    if kind < 0.45:
        lines = np.array([(150, 180, 220), (170, 170, 175), (190, 200, 210), (220, 150, 160)][random.integers(4)], np.float32)
        thick = max(1, round(unit * random.uniform(0.01, 0.04)))
        for start in np.arange(random.uniform(0, unit), size[0], unit):
            page[int(start) : int(start) + thick] = lines
        if kind < 0.22:
            for start in np.arange(random.uniform(0, unit), size[1], unit):
                page[:, int(start) : int(start) + thick] = lines
    return page


def _sheet(shape: Shape, random: Random, share: tuple[float, float]) -> tuple[Floats, float]:
    """A page with the digit on it; and the digit's height."""
    side = int(random.choice([160, 240, 360, 600, 900]))
    size = (side, round(side * random.uniform(0.75, 1.33)))
    height = round(min(size) * random.uniform(*share))
    width, colour, rough = _pen(random)
    ink = _ink(shape, height, width, random, rough=rough)
    if rough > 0.3:
        ink = ink * np.clip(0.85 + 0.5 * random.normal(0, 0.5, ink.shape), 0.2, 1).astype(np.float32)
    page = _page(size, height * random.uniform(0.4, 1.3), random)
    sheet = _blend(page, _placed(ink, size, random), colour)
    for _ in range(int(random.integers(0, 4)) if random.random() < 0.4 else 0):
        y, x, radius = random.integers(size[0]), random.integers(size[1]), max(1, round(height * random.uniform(0.005, 0.02)))
        sheet[max(0, y - radius) : y + radius, max(0, x - radius) : x + radius] = random.uniform(60, 160)
    return sheet, height


def _warped(sheet: Floats, random: Random, *, angle: float, tilt: float) -> Floats:
    """Turned by up to `angle` degrees and seen from the side: corners move by up to `tilt` of the size. Outside, the paper goes on."""
    height, width = sheet.shape[:2]
    turn = np.deg2rad(random.uniform(-angle, angle))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    middle = np.array([width, height]) / 2
    turned = (corners - middle) @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * 0.96 + middle
    moved = turned + random.uniform(-tilt, tilt, (4, 2)) * min(width, height)
    rows = [[x, y, 1, 0, 0, 0, -u * x, -u * y] for (x, y), (u, _) in zip(corners, moved, strict=True)]
    rows += [[0, 0, 0, x, y, 1, -v * x, -v * y] for (x, y), (_, v) in zip(corners, moved, strict=True)]
    solved = np.linalg.solve(np.array(rows), np.concatenate([moved[:, 0], moved[:, 1]]))
    pad = max(width, height) // 6
    image = Image.fromarray(np.pad(np.clip(sheet, 0, 255).astype(np.uint8), ((pad, pad), (pad, pad), (0, 0)), mode="reflect"))
    a, b, c, d, e, f, g, h = solved
    data = (a + pad * g, b + pad * h, c + pad, d + pad * g, e + pad * h, f + pad, g, h)
    return np.asarray(image.transform((width, height), Image.Transform.PERSPECTIVE, data, Image.Resampling.BICUBIC), np.float32)


def _scan(shape: Shape, random: Random) -> Image.Image:
    """Flat light, a little turned, sometimes grey or black and white only, sometimes with a dark edge."""
    sheet, _ = _sheet(shape, random, (0.25, 0.85))
    sheet = _warped(sheet, random, angle=4, tilt=0)
    if random.random() < 0.12:
        edge = max(1, round(sheet.shape[1] * random.uniform(0.01, 0.04)))
        sheet[:, :edge] *= np.linspace(0.1, 0.7, edge)[None, :, None]
    seen = ndimage.gaussian_filter(sheet, (0.6, 0.6, 0)) + random.normal(0, 2, sheet.shape)
    image = Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8))
    kind = random.random()
    return (
        image.convert("L").point(lambda value: 255 * (value > 150)).convert("1")
        if kind < 0.1
        else image.convert("L")
        if kind < 0.4
        else image
    )


def _photo(shape: Shape, random: Random) -> Image.Image:
    """Uneven light, shadows, perspective, a lens out of focus, noise; up to 3,000 pixels."""
    sheet, height = _sheet(shape, random, (0.2, 0.75))
    sheet = _warped(sheet, random, angle=9, tilt=0.06)
    size = sheet.shape[:2]
    light = random.uniform(0.55, 1.0) + random.uniform(0.05, 0.3) * _smooth(random, size, 3)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    if random.random() < 0.5:  # a shadow with a soft edge
        turn = random.uniform(0, 2 * np.pi)
        across = (x - random.uniform(0, size[1])) * np.cos(turn) + (y - random.uniform(0, size[0])) * np.sin(turn)
        light = light * (1 - random.uniform(0.2, 0.55) / (1 + np.exp(-across / (height * random.uniform(0.03, 0.4)))))
    if random.random() < 0.3:  # a lens that darkens the corners
        light = light * (1 - 0.45 * (((x / size[1] - 0.5) ** 2 + (y / size[0] - 0.5) ** 2) * 2))
    if random.random() < 0.15:  # a flash
        centre = random.uniform(0, size[1]), random.uniform(0, size[0])
        light = light + 0.5 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (0.3 * min(size)) ** 2)
    tint = np.array([1, random.uniform(0.92, 1), random.uniform(0.78, 1.02)], np.float32)
    seen = ndimage.gaussian_filter(sheet * light[:, :, None] * tint, (*[height * random.uniform(0, 0.02)] * 2, 0))
    seen = np.clip(seen + random.normal(0, random.uniform(1, 9), seen.shape), 0, 255).astype(np.uint8)
    image = Image.fromarray(seen)
    if random.random() < 0.15:
        scale = random.uniform(1500, 3000) / max(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    return image


def _tiny(shape: Shape, random: Random) -> Image.Image:
    """8 to 32 pixels, grey, either polarity."""
    if shape.ink is not None and len(shape.ink) == 8:
        ink = shape.ink
    else:
        side = int(random.choice([12, 16, 20, 24, 32]))
        page = _placed(_ink(shape, 120, random.uniform(0.08, 0.18), random), (160, 160), random)
        ink = np.asarray(Image.fromarray(page).resize((side, side), Image.Resampling.BOX))
    ink = ink * random.uniform(0.6, 1)
    return Image.fromarray(np.round(255 * (ink if random.random() < 0.5 else 1 - ink)).astype(np.uint8))
