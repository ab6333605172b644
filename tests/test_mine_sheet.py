"""The printed template, filled and photographed, is found and read; a picture in which it is not whole gets a sentence."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from corpus import amount
from numpy.typing import NDArray
from paper import MM, photographed, printed, written
from PIL import Image

import handlens as hl
from handlens.data import drawing
from handlens.data.mine import template
from handlens.data.mine.sheet import SCALE, read_sheet
from handlens.errors import DataDamaged, DataError, UsageError

Record = Callable[[str, object], None]
Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]


@pytest.fixture(scope="module")
def digits(mnist: hl.Dataset) -> Digits:
    return mnist.test.images[:, 0].numpy(), mnist.test.labels.numpy()


def saved(page: NDArray[np.uint8]) -> bytes:
    target = io.BytesIO()
    Image.fromarray(page).save(target, "PNG")
    return target.getvalue()


def test_the_template_is_a_pdf_or_png_file_with_four_marks_and_nothing_in_its_cells(tmp_path: Path) -> None:
    page = hl.mine.save_template(tmp_path / "sheet.pdf").read_bytes()
    assert page.startswith(b"%PDF-")
    assert page.count(b"/Type /Page ") == 1
    assert hl.mine.save_template(tmp_path / "again.pdf").read_bytes() == page
    with Image.open(hl.mine.save_template(tmp_path / "sheet.png")) as image:
        assert [side / 300 * 25.4 for side in image.size] == pytest.approx([210, 297], abs=0.2)
    sheet = read_sheet(tmp_path / "sheet.png")
    assert sheet.cells == ()
    assert sheet.pixels.shape[:2] == (297 * SCALE, 210 * SCALE)
    with pytest.raises(UsageError, match=r"cannot be written as 'sheet\.doc'"):
        hl.mine.save_template("sheet.doc")


@pytest.mark.parametrize("size", [450, 1600, 4000])
def test_a_photographed_sheet_is_read_whole_however_it_was_turned(size: int, digits: Digits, record_property: Record) -> None:
    seeds = range(amount("sheets", 2 if size == 4000 else 4))
    record_property("cases", len(seeds))
    for seed in seeds:
        wrote = written(*digits, seed)
        photo = photographed(wrote.page, seed, size=size, quarter=(seed + size) % 4)
        found = {(cell.label, cell.column) for cell in read_sheet(photo).cells}
        assert len(found & wrote.cells) >= 0.95 * len(wrote.cells), seed
        assert found <= wrote.cells, seed


@pytest.mark.parametrize("seed", [11, 12])
def test_the_digits_of_a_sheet_are_kept_with_the_label_of_their_row(
    seed: int, digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote = written(*digits, seed)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photographed(wrote.page, seed, quarter=seed % 4))
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "data"))
    outcomes = list(hl.mine.add_sheet(photo))
    kept = [outcome.digit for outcome in outcomes if outcome.kept and outcome.digit]
    assert len(kept) >= 0.95 * len(wrote.cells)
    assert {digit.how for digit in kept} == {"sheet"}
    assert kept[0].source.startswith("photo.jpg, row of ")
    mine = hl.load("mine", val=0)
    seen = mine.train.joined(mine.test)
    alike = {digit.source: _alike(drawing.normalize(np.asarray(_picture(digit))).image, wrote, digit.source, digits) for digit in kept}
    assert np.mean(list(alike.values())) > 0.75
    assert len(seen) == len(kept)
    assert all(outcome.said == "there already" for outcome in hl.mine.add_sheet(photo))


def _picture(digit: hl.mine.Digit) -> NDArray[np.uint8]:
    from handlens.data.mine.digits import drawn

    return drawn(digit)


def _alike(image: NDArray[np.uint8], wrote: object, source: str, digits: Digits) -> float:
    """The correlation of what is seen with the digit that was written into the cell."""
    row, column = (int(word) for word in source.replace(",", "").split() if word.isdecimal())
    original = digits[0][wrote.written[row, column - 1]]  # type: ignore[attr-defined]
    return float(np.corrcoef(image.ravel(), drawing.normalize(original).image.ravel())[0, 1])


def test_a_sheet_that_is_cut_off_or_none_at_all_gets_a_sentence(digits: Digits, tmp_path: Path) -> None:
    wrote = written(*digits, 3)
    cut = photographed(wrote.page, 3, cut=0.22)
    covered = wrote.page.copy()
    covered[2150:, 1450:] = 120  # the lower right mark
    for picture in (cut, saved(covered)):
        with pytest.raises(DataError, match=r"Only [23] of the template's four corner marks") as caught:
            read_sheet(picture)
        assert "handlens mine template" in caught.value.hint
    nothing = np.random.default_rng(1).integers(0, 256, (800, 600), np.uint8)
    for page in (nothing, np.full((300, 300), 200, np.uint8), np.zeros((40, 40), np.uint8), digits[0][0]):
        with pytest.raises(DataError, match=r"(None|Only .) of the template's four"):
            read_sheet(saved(page))
    with pytest.raises(DataDamaged, match="no picture"):
        read_sheet(b"%PDF-1.4")


def test_marks_that_are_not_at_the_corners_of_the_template_are_not_taken_for_it() -> None:
    page, (x, y) = printed(), (round(side * MM) for side in template.MARKS[2])
    poster = np.full((1800, 1800), 255, np.uint8)
    for top, left in itertools.product((600, 1100), (600, 1100)):
        poster[top : top + 120, left : left + 120] = page[y - 60 : y + 60, x - 60 : x + 60]
    with pytest.raises(DataError, match="not where the template has them"):
        read_sheet(saved(poster))


def test_a_flat_scan_and_a_coloured_pen_are_read(digits: Digits) -> None:
    wrote = written(*digits, 5)
    ink = wrote.page[:, :, None] < printed()[:, :, None]
    coloured = np.where(ink, np.array([250, 240, 110], np.uint8), printed()[:, :, None])  # yellow: hardly there in grey
    for page in (wrote.page, coloured):
        found = {(cell.label, cell.column) for cell in read_sheet(saved(page)).cells}
        assert len(found & wrote.cells) >= 0.95 * len(wrote.cells)
        assert found <= wrote.cells
