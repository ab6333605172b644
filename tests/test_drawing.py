"""What people draw, photograph and scan becomes what MNIST has; what cannot be judged is said to be so; bad files get a sentence."""

from __future__ import annotations

import contextlib
import io
import itertools
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import corpus
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps
from sklearn.datasets import load_digits

from handlens.data.drawing import normalize, segment
from handlens.data.drawing.normalized import TOO_LITTLE, TOO_MANY
from handlens.data.drawing.source import MOST_BYTES
from handlens.errors import DataDamaged, DataMissing, HandlensError, UsageError

Pixels = NDArray[np.uint8]

SEVEN = [[(30, 20), (120, 20), (60, 180)], [(55, 95), (115, 90)]]
FIVE = [[(40, 30), (40, 95), (90, 90), (115, 130), (90, 170), (35, 165)], [(45, 22), (120, 18)]]


def page(
    strokes: list[list[tuple[int, int]]] = SEVEN, *, pen: int = 12, ink: object = 20, paper: object = 240, mode: str = "L"
) -> Image.Image:
    """A drawing of 150x200 pixels."""
    image = Image.new(mode, (150, 200), paper)  # type: ignore[arg-type]
    for stroke in strokes:
        ImageDraw.Draw(image).line(stroke, fill=ink, width=pen, joint="curve")  # type: ignore[arg-type]
    return image


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image, np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


PLAIN = normalize(page()).image


def alike(picture: object, to: Pixels = PLAIN) -> float:
    """How similar what becomes of a picture is to another 28x28, as a correlation."""
    return float(np.corrcoef(normalize(picture).image.ravel(), to.ravel())[0, 1])


def test_it_is_what_mnist_has() -> None:
    found = normalize(page())
    rows, columns = np.flatnonzero((found.image > 60).any(1)), np.flatnonzero((found.image > 60).any(0))
    assert found.image.shape == (28, 28)
    assert found.image.dtype == np.uint8
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    y, x = (float(found.image.sum(axis) @ np.arange(28) / found.image.sum()) for axis in (1, 0))
    assert abs(x - 13.5) <= 0.75
    assert abs(y - 13.5) <= 0.75
    assert found.image.max() > 240
    assert found.dark
    assert found.doubt == ""


def test_mnist_stays_what_it_is(mnist: object) -> None:
    images = mnist.test.images[:40, 0].numpy()  # type: ignore[attr-defined]
    assert np.mean([alike(image, image) for image in images]) > 0.85
    assert not any(normalize(image).dark or normalize(image).doubt for image in images)


def light(image: Image.Image, darkest: float = 0.4) -> Image.Image:
    """Lit from the left."""
    array = pixels(image.convert("RGB")) * np.linspace(1, darkest, image.width)[None, :, None]
    return Image.fromarray(array.astype(np.uint8))


def noisy(image: Image.Image, strength: float = 6) -> Image.Image:
    array = pixels(image.convert("RGB")).astype(float)
    return Image.fromarray(np.clip(array + np.random.default_rng(1).normal(0, strength, array.shape), 0, 255).astype(np.uint8))


def ruled(image: Image.Image, *, upright: bool = False, colour: object = (120, 150, 200)) -> Image.Image:
    image = image.convert("RGB")
    below = Image.new("RGB", image.size, "white")
    for place in range(15, 200, 35):
        ImageDraw.Draw(below).line([(0, place), (149, place + 4)], fill=colour, width=2)  # type: ignore[arg-type]
        if upright:
            ImageDraw.Draw(below).line([(place, 0), (place, 199)], fill=colour, width=2)  # type: ignore[arg-type]
    return Image.fromarray(np.minimum(pixels(image), pixels(below)))


def framed(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).rectangle((3, 3, 146, 196), outline=20, width=3)
    return image


def specked(image: Image.Image) -> Image.Image:
    image = image.copy()
    for x, y in np.random.default_rng(2).integers(5, 145, (8, 2)).tolist():
        ImageDraw.Draw(image).ellipse((x, y, x + 2, y + 2), fill=20)
    return image


def shadowed(image: Image.Image) -> Image.Image:
    array = pixels(image).astype(float)
    array[:, 70:] *= 0.55
    return Image.fromarray(array.astype(np.uint8))


def half_lit(image: Image.Image) -> Image.Image:
    """An even shadow on the left, and light that grows on the right."""
    array = pixels(image).astype(float)
    array *= np.interp(np.arange(150), [112, 130, 149], [0.35, 0.75, 0.9])
    return Image.fromarray(array.astype(np.uint8))


def edged(image: Image.Image) -> Image.Image:
    array = pixels(image).copy()
    array[:, :5] = 10
    return Image.fromarray(array)


TROUBLES: dict[str, Callable[[], Image.Image]] = {
    "white on black": lambda: page(ink=250, paper=5),
    "thin": lambda: page(pen=2),
    "thick": lambda: page(pen=22),
    "pale": lambda: page(ink=190),
    "uneven light": lambda: light(page()),
    "shadow": lambda: shadowed(page()),
    "even shadow on one side": lambda: half_lit(page(ink=150)),
    "paper's texture": lambda: noisy(page()),
    "light and texture": lambda: noisy(light(page())),
    "ruled": lambda: ruled(page()),
    "squared": lambda: ruled(page(), upright=True),
    "frame": lambda: framed(page()),
    "edge of a scan": lambda: edged(page()),
    "specks": lambda: specked(page()),
    "blue pen": lambda: page(mode="RGB", ink=(40, 60, 200), paper="white"),
    "yellow pen": lambda: page(mode="RGB", ink=(250, 240, 60), paper="white"),
    "white on orange": lambda: page(mode="RGB", ink="white", paper=(240, 120, 0)),
    "one bit": lambda: page(mode="1", ink=0, paper=1),
    "palette": lambda: page(mode="RGB", ink="red", paper="white").quantize(4),
    "cmyk": lambda: page(mode="RGB", ink="black", paper="white").convert("CMYK"),
    "small": lambda: page().resize((18, 24), Image.Resampling.BOX),
    "large": lambda: page().resize((1500, 2000)),
    "far away": lambda: _far(page().resize((60, 80)), 900),
}


def _far(image: Image.Image, side: int) -> Image.Image:
    sheet = Image.new("L", (side, side), 240)
    sheet.paste(image, (side // 3, side // 2))
    return sheet


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_same_digit_comes_out_of_every_trouble(trouble: str) -> None:
    assert alike(TROUBLES[trouble]()) > (0.75 if trouble in ("small", "thick") else 0.85)


@pytest.mark.parametrize("dark", [True, False])
def test_a_fat_digit_that_fills_the_picture_is_no_frame(dark: bool) -> None:
    right = 0
    for image in load_digits().images[300:320]:
        small = Image.fromarray(np.round(image * 255 / 16).astype(np.uint8))
        fat = small.resize((200, 200), Image.Resampling.BICUBIC).point(lambda value: min(255, max(0, (value - 76) * 5 // 2)))
        picture = fat.point(lambda value: 255 - value) if dark else fat
        right += normalize(picture).dark is dark and alike(picture, normalize(ImageOps.expand(fat, 100)).image) > 0.9
    assert right >= 16


def test_a_little_faint_ink_says_what_is_paper() -> None:
    page_alone = np.full((200, 200), 170.0)
    page_alone[95:107, 90:110] -= 30
    page_alone += np.random.default_rng(4).exponential(1.5, page_alone.shape)  # a texture that is brighter more often than darker
    assert normalize(page_alone.astype(np.uint8)).dark
    assert not normalize((255 - page_alone).astype(np.uint8)).dark


def test_what_is_transparent_is_paper() -> None:
    for ink in ((0, 0, 0, 255), (255, 255, 255, 255)):
        assert alike(page(mode="RGBA", ink=ink, paper=(ink[0], ink[0], ink[0], 0))) > 0.95


def test_all_files_and_arrays_of_a_picture_are_the_same_picture(tmp_path: Path) -> None:
    image = page(ink=0, paper=255)
    (tmp_path / "a.png").write_bytes(saved(image))
    expected = normalize(image).image
    array = pixels(image)
    others = [tmp_path / "a.png", str(tmp_path / "a.png"), array, array[..., None], array / 255, array > 127, array.astype(np.uint16) * 257]
    others += [np.repeat(array[..., None], 3, 2), array.astype(np.int64), array[None]]
    others += [saved(image, kind) for kind in ("PNG", "BMP", "TIFF", "GIF", "PPM")]
    others += [
        saved(image, "WEBP", lossless=True),
        saved(Image.fromarray(array.astype(np.uint16) * 257)),
        saved(image.convert("F"), "TIFF"),
    ]
    for other in others:
        assert np.abs(normalize(other).image.astype(int) - expected).max() <= 2
    assert alike(saved(image, "JPEG", quality=60), expected) > 0.98


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_camera_says(orientation: int) -> None:
    undo = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}[orientation]
    image = page()
    for way in undo:
        image = image.transpose(Image.Transpose(way))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert alike(saved(image, "JPEG", exif=exif, quality=95)) > 0.98


def test_a_bar_of_its_own_belongs_to_the_five() -> None:
    found = normalize(page(FIVE, pen=8))
    assert found.doubt == ""
    assert found.image[:8, 14:].max() > 200


def test_strokes_are_a_picture() -> None:
    assert alike(SEVEN) > 0.8
    assert normalize([[(5, 5)]]).doubt == ""
    assert normalize([]).doubt == TOO_LITTLE
    for wrong in ([[("a", 1)]], [[(1, 2, 3)]], [[(float("nan"), 1)]]):
        with pytest.raises(UsageError, match="trokes"):
            normalize(wrong)


def test_strokes_need_not_be_measured_and_are_what_a_picture_of_them_is() -> None:
    beside = [[(x + 300, y) for x, y in stroke] for stroke in SEVEN]
    for strokes in (SEVEN, FIVE, [*SEVEN, *beside], [*SEVEN, [(1, 1)]], [[(5, 5)]]):
        drawn = normalize(strokes)
        seen = normalize(drawn.stages[0].picture)
        assert [(stage.name, stage.picture.tobytes()) for stage in drawn.stages] == [
            (stage.name, stage.picture.tobytes()) for stage in seen.stages
        ]
        assert (drawn.doubt, drawn.thickness, drawn.dark) == (seen.doubt, seen.thickness, seen.dark)


def test_doubts_are_said() -> None:
    two = Image.new("L", (320, 200), 240)
    two.paste(page(), (0, 0))
    two.paste(page(FIVE), (165, 0))
    assert normalize(two).doubt == TOO_MANY
    for empty in (Image.new("L", (200, 200), 230), noisy(Image.new("L", (200, 200), 200)), light(Image.new("L", (200, 200), 230))):
        found = normalize(empty)
        assert found.doubt == TOO_LITTLE
        assert found.box is None
        assert not found.image.any()
        assert [stage.name for stage in found.stages] == ["came in", "polarity", "background", "ink", "mask"]


def test_every_stage_can_be_shown() -> None:
    found = normalize(noisy(light(page())))
    names = ["came in", "polarity", "background", "ink", "mask", "box", "scaled", "strokes", "centred"]
    assert [stage.name for stage in found.stages] == names
    assert all(stage.picture.dtype == np.uint8 and stage.picture.ndim in (2, 3) and stage.said for stage in found.stages)
    assert np.array_equal(found.stages[-1].picture, found.image)


def test_the_box_is_where_the_digit_is() -> None:
    sheet = Image.new("L", (1200, 900), 250)
    sheet.paste(page(paper=250), (700, 300))
    box = normalize(sheet).box
    assert box is not None
    for edge, expected in zip(box, (725, 310, 825, 485), strict=True):
        assert abs(edge - expected) < 16


def test_a_sheet_is_read_row_by_row() -> None:
    sheet = Image.new("L", (900, 700), 245)
    digits = [SEVEN, FIVE, FIVE, SEVEN, SEVEN, FIVE]
    for digit, (y, x) in zip(digits, itertools.product((60, 380), (80, 360, 640)), strict=True):
        sheet.paste(page(digit, paper=245, pen=8), (x, y + x // 40))
    found = segment(noisy(sheet, 3))
    assert len(found) == len(digits)
    plain = [normalize(page(digit, pen=8)).image for digit in digits]
    assert all(np.corrcoef(one.image.ravel(), other.ravel())[0, 1] > 0.85 for one, other in zip(found, plain, strict=True))
    assert segment(Image.new("L", (300, 300), 240)) == []


def png(width: int, height: int) -> bytes:
    """A PNG whose header promises so much, of hardly any bytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"%!PS-Adobe-3.0",
        saved(page())[:200],
        png(20000, 20000),
        png(9000, 9000),
        bytes(MOST_BYTES + 1),
    ],
    ids=["empty", "gif", "png", "postscript", "truncated", "bomb", "large", "many bytes"],
)
def test_bad_files_get_a_sentence(content: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(DataDamaged, match=r"^(This is no picture that can be read: .+|The picture has .+)\."):
        normalize(content)
    assert tracemalloc.get_traced_memory()[1] < 50 << 20
    tracemalloc.stop()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        normalize(tmp_path / "nothing.png")
    with pytest.raises(HandlensError, match="a folder"):
        normalize(tmp_path)
    odd: list[object] = [np.zeros((3, 4, 5, 6)), np.zeros((0, 5)), np.zeros((4, 4, 7)), np.full((5, 5), np.nan), np.array("x"), None, {}]
    for wrong in odd:
        with pytest.raises(UsageError):
            normalize(wrong)


FILES = [saved(page(), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "PCX", "ICO")]


@given(which=st.integers(0, len(FILES) - 1), places=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_bytes_are_a_picture_or_a_sentence(which: int, places: list[tuple[int, int]]) -> None:
    content = bytearray(FILES[which])
    for place, value in places:
        content[place % len(content)] = value
    with contextlib.suppress(DataDamaged):
        assert normalize(bytes(content)).image.shape == (28, 28)


def test_hostile_pictures_never_crash(record_property: Callable[[str, object], None]) -> None:
    count = corpus.amount("pictures", 60)
    record_property("cases", count)
    random = np.random.default_rng(0)
    modes = ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LA", "I;16", "I", "F"]
    for _ in range(count):
        height, width = (int(2 ** random.uniform(0, 9)) for _ in range(2))
        kind = random.random()
        if kind < 0.5:
            content = bytearray(FILES[random.integers(len(FILES))])
            for _ in range(random.integers(1, 30)):
                content[random.integers(min(len(content), 300))] = random.integers(256)
            picture: object = bytes(content[: random.integers(1, len(content) + 1)]) if kind < 0.2 else bytes(content)
        else:
            array = random.integers(0, 256, (height, width, 4), np.uint8) // int(random.choice([1, 64, 255]))
            mode = str(random.choice(modes))
            plain = Image.fromarray(array).convert("L")
            picture = (
                Image.fromarray(np.asarray(plain, np.uint16))
                if mode == "I;16"
                else Image.fromarray(array).convert("RGB").convert("L" if mode in "IF" else mode)
            )
        with contextlib.suppress(HandlensError):
            assert normalize(picture).image.shape == (28, 28)
