"""The page Data in a real browser: own digits drawn, added, mended, deleted and brought back, taken elsewhere; data sets looked at."""

from __future__ import annotations

import base64
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from paper import photographed, written
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, expect
from torch import Tensor
from web.service import SEVEN, Service, draw, opened, running

import handlens as hl
from handlens import seeds
from handlens.data import AUGMENTATIONS, drawing


@pytest.fixture(scope="module")
def hand(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A lab with MNIST and no digits of one's own yet."""
    folder = tmp_path_factory.mktemp("hand")
    (folder / "data").mkdir()
    (folder / "data" / "mnist").symlink_to(home / "data" / "mnist")
    with running(folder, "--port", "8900") as service:
        yield service


@pytest.fixture
def own(browser: Browser, hand: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """The page, and this process looks at the same digits; afterwards there are none."""
    monkeypatch.setenv("HANDLENS_DATA", str(hand.folder / "data"))
    with opened(browser, hand) as context:
        page = context.new_page()
        yield page
        page.close()
    for digit in hl.mine.digits():
        hl.mine.remove(digit.id)


def some(mnist: hl.Dataset, count: int) -> Iterator[tuple[int, bytes]]:
    """Test images as somebody may have drawn them: label, and a PNG file of dark ink."""
    for place in range(count):
        file = io.BytesIO()
        Image.fromarray(255 - mnist.test.images[place, 0].numpy()).resize((84, 84)).save(file, "PNG")
        yield int(mnist.test.labels[place]), file.getvalue()


def keep(mnist: hl.Dataset, count: int) -> None:
    for label, picture in some(mnist, count):
        hl.mine.add(picture, label, source="test")


def upload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def kept() -> dict[str, int]:
    return {digit.id: digit.label for digit in hl.mine.digits()}


def test_ten_of_each_are_asked_for_drawn_kept_and_taken_back(own: Page, mnist: hl.Dataset) -> None:
    own.goto("/data")
    expect(own.locator(".summary").first).to_contain_text("You have no digits of your own yet.")
    own.locator("#draw-ten").click()
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 0 (1 of 10; 0 of 100 in all)")
    own.keyboard.press("Enter")
    expect(own.locator(".wizard .kept")).to_have_text("Draw it first.")
    draw(own, SEVEN)
    own.keyboard.press("Enter")
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 1 (1 of 10; 1 of 100 in all)")
    draw(own, [[[140, 40], [140, 140], [138, 240]]])
    own.locator("text=Keep, next").click()
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 2")
    assert sorted(kept().values()) == [0, 1]
    own.locator("text=Take the last one back").click()
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 1")
    assert sorted(kept().values()) == [0]
    own.locator("text=Skip this one").click()
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 2")
    assert "draw=ten" in own.url
    own.locator("text=Enough").click()
    expect(own.locator(".wizard")).to_have_count(0)


def test_by_keys_alone_the_last_of_a_hundred_is_drawn(own: Page, mnist: hl.Dataset) -> None:
    labels = mnist.test.labels
    for label in range(10):
        for place in (labels == label).nonzero()[: 10 - (label == 4), 0].tolist():
            hl.mine.add(mnist.test.images[place, 0].numpy(), label, anyway=True)
    own.goto("/data?draw=ten")
    expect(own.locator("#wizard-title")).to_contain_text("Draw a 4 (10 of 10; 99 of 100 in all)")
    for key in [" ", *["ArrowDown"] * 12, *["ArrowRight"] * 6, " ", "Enter"]:
        own.keyboard.press(key)
    expect(own.locator("#wizard-title")).to_have_text("There are ten of each.")
    assert len(kept()) == 100


def test_files_and_folders_are_added_by_their_names_and_the_rest_is_named_and_can_be_told(
    own: Page, mnist: hl.Dataset, tmp_path: Path
) -> None:
    own.goto("/data")
    pictures = list(some(mnist, 12))
    for place, (label, picture) in enumerate(pictures[:8]):
        (tmp_path / "mine" / str(label)).mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / str(label) / f"{place}.png").write_bytes(picture)
    own.locator("#import-folder").set_input_files(tmp_path / "mine")
    expect(own.locator(".imported .kept")).to_have_text("8 kept.")
    named = [upload(f"{label}-{place}.png", one) for place, (label, one) in enumerate(pictures[8:11])]
    own.locator("#import-files").set_input_files([*named, upload("scan.png", pictures[11][1]), upload("7.png", b"no picture")])
    expect(own.locator(".imported .kept")).to_have_text("3 kept, 2 left out.")
    expect(own.locator(".left-out")).to_contain_text("neither its name nor its folder's says which digit it is")
    expect(own.locator(".left-out")).to_contain_text("this is no picture that can be read")
    own.locator(".left-out select").select_option(str(pictures[11][0]))
    own.locator(".left-out button").click()
    expect(own.locator(".left-out")).to_contain_text(f"✓ a {pictures[11][0]}")
    assert sorted(kept().values()) == sorted(label for label, _ in pictures)
    own.locator("#import-folder").set_input_files(tmp_path / "mine")
    expect(own.locator(".imported .kept")).to_have_text("0 kept, 8 were there already.")


def test_a_zip_file_and_a_photographed_sheet_are_added(own: Page, mnist: hl.Dataset) -> None:
    own.goto("/data")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for place, (label, picture) in enumerate(some(mnist, 5)):
            archive.writestr(f"{label}/{place}.png", picture)
        archive.writestr("readme.txt", "no picture")
    own.locator("#import-files").set_input_files(upload("mine.zip", file.getvalue()))
    expect(own.locator(".imported .kept")).to_have_text("5 kept, 1 left out.")
    sheet = written(mnist.test.images[:, 0].numpy(), mnist.test.labels.numpy(), 11, share=0.2)
    photo = photographed(sheet.page, 11, size=1600)
    own.locator("#import-sheet").set_input_files(upload("photo.jpg", photo))
    expect(own.locator(".imported .kept")).to_contain_text("kept", timeout=20_000)
    assert len(kept()) >= 5 + 0.9 * len(sheet.cells)
    own.locator("#import-files").set_input_files(upload("bad.zip", b"PK"))
    expect(own.locator(".left-out")).to_contain_text("This is no zip file")


def test_labels_are_mended_and_digits_deleted_and_both_undone_to_the_byte(own: Page, hand: Service, mnist: hl.Dataset) -> None:
    keep(mnist, 20)
    hl.mine.add(SEVEN, 7, source="drawn")
    folder = hand.folder / "data" / "mine"

    def everything() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.glob("pictures/*")}

    rows, whole = {digit.id: digit for digit in hl.mine.digits()}, everything()
    own.goto("/data?label=7")
    sevens = [digit for digit, label in kept().items() if label == 7]
    expect(own.locator(".tiles button")).to_have_count(len(sevens))
    own.locator(".tiles button").first.click()
    own.keyboard.press("1")
    expect(own.locator(".card > div > .kept")).to_contain_text("1 digit is a 1 now.")
    assert [label for digit, label in kept().items() if digit in sevens].count(1) == 1
    own.locator("text=Undo").click()
    expect(own.locator(".card > div > .kept")).to_contain_text("Undone.")
    assert kept() == {digit: row.label for digit, row in rows.items()}
    own.locator("text=Choose all").click()
    own.keyboard.press("Delete")
    expect(own.locator(".card > div > .kept")).to_contain_text(f"{len(sevens)} digits are deleted.")
    assert not [path for path in folder.glob("pictures/*") if path.stem in sevens]
    own.route("**/api/own/restore", lambda route: route.abort())
    own.locator("text=Undo").click()
    expect(own.locator(".card > div > .kept")).to_contain_text("The lab does not answer.")
    own.unroute("**/api/own/restore")
    own.locator("text=Undo").click()
    expect(own.locator(".card > div > .kept")).to_contain_text("Undone.")
    assert everything() == whole
    assert {digit.id: (digit.label, digit.part, digit.source) for digit in hl.mine.digits()} == {
        row.id: (row.label, row.part, row.source) for row in rows.values()
    }


def test_many_large_pictures_that_were_deleted_come_back_in_pieces(own: Page, hand: Service, mnist: hl.Dataset) -> None:
    pictures = hand.folder / "data" / "mine" / "pictures"
    for place in (mnist.test.labels == 7).nonzero()[:6, 0].tolist():
        digit = hl.mine.add(mnist.test.images[place, 0].numpy(), 7)
        path = pictures / f"{digit.id}.png"
        path.write_bytes(path.read_bytes() + bytes(4 << 20))  # behind the end of the picture nobody looks
    before = {path.name: path.read_bytes() for path in pictures.iterdir()}
    own.goto("/data?label=7")
    own.locator("text=Choose all").click()
    own.keyboard.press("Delete")
    expect(own.locator(".card > div > .kept")).to_contain_text("6 digits are deleted.")
    own.locator("text=Undo").click()
    expect(own.locator(".card > div > .kept")).to_contain_text("Undone.")
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == before
    assert len(kept()) == 6


def test_digits_that_another_tab_has_kept_are_there_when_one_comes_back(own: Page, hand: Service) -> None:
    own.goto("/data")
    expect(own.locator(".summary").first).to_contain_text("You have no digits of your own yet.")
    assert hand.ask("POST", "/api/digits", {"strokes": SEVEN, "label": 7}).status == 201
    own.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(own.locator(".summary").first).to_contain_text("1 digit of your own")


def test_a_label_that_was_changed_elsewhere_is_not_changed_back(own: Page, mnist: hl.Dataset) -> None:
    keep(mnist, 1)
    [digit] = hl.mine.digits()
    own.goto(f"/data?label={digit.label}")
    own.locator(".tiles button").click()
    hl.mine.relabel(digit.id, 5)
    own.keyboard.press("1")
    expect(own.locator(".card > div > .kept")).to_contain_text(f"This digit is a 5 by now, and no {digit.label} any more.")
    assert kept() == {digit.id: 5}


def test_what_comes_back_must_be_what_was_deleted(hand: Service, own: Page, mnist: hl.Dataset) -> None:
    keep(mnist, 2)
    ids = list(kept())
    gone = hand.ask("POST", "/api/own/delete", {"digits": ids}).json["removed"]
    assert kept() == {}
    for wrong in ({"png": gone[1]["png"]}, {"png": ""}, {"strokes": "{}"}, {"strokes": "["}, {"id": "../../../etc"}, {"label": 11}):
        assert hand.ask("POST", "/api/own/restore", {"removed": [{**gone[0], **wrong}]}).status == 400, wrong
    assert kept() == {}
    assert hand.ask("POST", "/api/own/restore", {"removed": gone}).status == 200
    assert hand.ask("POST", "/api/own/restore", {"removed": gone}).json["error"] == "This digit is there again already."
    assert list(kept()) == ids


def test_a_damaged_picture_is_shown_as_that(own: Page, hand: Service, mnist: hl.Dataset) -> None:
    keep(mnist, 3)
    [first, *_] = hl.mine.digits()
    (hand.folder / "data" / "mine" / "pictures" / f"{first.id}.png").write_bytes(b"nothing")
    own.goto(f"/data?label={first.label}")
    expect(own.locator(".damaged")).to_have_text("damaged")
    own.locator(".tiles button").click()
    own.locator("text=Delete").click()
    expect(own.locator(".card > div > .kept")).to_contain_text("1 digit is deleted.")


@pytest.mark.parametrize("kind", ["png", "drawn", "csv", "idx"])
def test_what_is_exported_is_read_by_others(kind: str, own: Page, mnist: hl.Dataset, tmp_path: Path) -> None:
    keep(mnist, 20)
    own.goto("/data")
    with own.expect_download() as started:
        own.locator(f".exports a[href$={kind}]").click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)
    data = hl.load("mine", val=0)
    labels = sorted([*data.train.labels.tolist(), *data.test.labels.tolist()])
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(path.read_text())))
        assert sorted(int(row[0]) for row in rows[1:]) == labels
    elif kind == "idx":
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path)
        images = hl.data.read_idx(tmp_path / "train-images-idx3-ubyte")
        assert np.array_equal(images, data.train.images[:, 0].numpy())
    else:
        with zipfile.ZipFile(path) as archive:
            assert sorted(int(name[0]) for name in archive.namelist()) == labels
            picture = Image.open(io.BytesIO(archive.read(archive.namelist()[0])))
        assert (picture.size == (28, 28)) == (kind == "png")


def test_the_sheet_to_print_is_a_pdf(own: Page) -> None:
    own.goto("/data")
    with own.expect_download() as started:
        own.locator("text=The sheet to print").click()
    assert Path(started.value.path()).read_bytes().startswith(b"%PDF-")


def test_a_data_set_shows_how_even_it_is_and_one_that_is_missing_how_to_get_it(own: Page, mnist: hl.Dataset) -> None:
    own.goto("/data")
    expect(own.locator(".look .summary")).to_have_text(
        "60,000 to train, 10,000 to test. The largest class has 1.24 times as many as the smallest."
    )
    cells = own.locator(".classes tbody tr").nth(1).locator("td")
    expect(cells.nth(1)).to_have_text("6,742")
    expect(own.locator(".look")).to_contain_text("They are grey images of 28 by 28 pixels;")
    expect(own.locator(".classes tbody img")).to_have_count(10 * 7)
    own.locator("text=that can be got").click()
    own.locator("[data-set=cifar-10]").click()
    expect(own.locator(".look")).to_contain_text("184 MB on the disk")
    expect(own.locator(".look")).to_contain_text("handlens data fetch cifar-10")
    expect(own.locator(".look")).to_contain_text("cifar-10-binary.tar.gz 170 MB")
    assert "set=cifar-10" in own.url
    own.reload()
    expect(own.locator("[data-set=cifar-10]")).to_have_attribute("aria-pressed", "true")


def test_where_no_data_is_the_page_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, "--port", "8910") as service, opened(browser, service) as context:
        page = context.new_page()
        page.goto("/data")
        expect(page.locator(".look")).to_contain_text(f"looked for in {tmp_path}/data/mnist")
        expect(page.locator(".look")).to_contain_text("handlens data fetch mnist")
        expect(page.locator(".look")).to_contain_text("train-images-idx3-ubyte.gz 10 MB")


def test_the_sliders_show_what_the_augmentation_does(own: Page, hand: Service, mnist: hl.Dataset) -> None:
    own.goto("/data")
    picture = own.locator(".forms")
    expect(picture).to_have_attribute("alt", "Images of 0, 1, 2, 3, 4, 5: each as it is, then in 6 forms")
    before = picture.get_attribute("src")
    with own.expect_response("**/api/augmented"):
        own.locator("#knob-angle").press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before or "")
    expect(own.locator("#augment")).to_have_value("own")
    address = own.url
    own.goto(address)
    expect(own.locator("#knob-angle")).to_have_value("16")
    with own.expect_response("**/api/augmented"):
        own.locator("#augment").select_option("none")
    body = {"name": "mnist", "seed": 1, "angle": 10, "shift": 0.08, "scale": 0.1}
    answer = hand.ask("POST", "/api/augmented", body).json
    sheet = drawing_of(answer["picture"])
    images = firsts()
    repeated = images.float().div(255).repeat_interleave(6, 0)
    changed = AUGMENTATIONS["light"](repeated, seeds.generator("augment", 1)).mul(255).round().byte()
    assert np.array_equal(sheet[:28, :28], images[0, 0].numpy())
    assert np.array_equal(sheet[30:58, 30:58], changed[6, 0].numpy())
    for wrong in ({"angle": 900}, {"name": "../mnist"}, {"name": "cifar-10"}, {"noise": "much"}):
        assert hand.ask("POST", "/api/augmented", {**body, **wrong}).status in (400, 422)


def drawing_of(address: str) -> NDArray[np.uint8]:
    return drawing.read(base64.b64decode(address.partition(",")[2]), 1 << 12).pixels


def firsts() -> Tensor:
    """Of all 60,000 training images, the first of each of six classes."""
    train = hl.load("mnist", val=0).train
    return train.images[[int((train.labels == label).nonzero()[0]) for label in range(6)]]
