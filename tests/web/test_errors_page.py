"""The page Errors in a real browser: what the library measures is what is shown, and each image leads to why."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from web.service import SEVEN, Service

import handlens as hl
from handlens.evaluation import Evaluation
from handlens.runs import Run, load_doubts


@pytest.fixture(scope="module")
def measured(home: Path) -> Evaluation:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_DATA", str(home / "data"))
        return Run(home / "runs" / "reader").evaluate("test")


@pytest.fixture
def marking(home: Path) -> Iterator[Run]:
    """A run whose labels may be doubted."""
    folder = home / "runs" / "doubting"
    shutil.copytree(home / "runs" / "second", folder)
    yield Run(folder)
    shutil.rmtree(folder)


def begun(page: Page, address: str = "/errors?run=reader") -> Page:
    page.goto(address)
    expect(page.locator("#said")).to_contain_text("are right", timeout=30_000)
    return page


def shown(page: Page) -> list[int]:
    """The numbers of the images in the gallery."""
    labels = page.locator(".gallery .image").evaluate_all("buttons => buttons.map(button => button.getAttribute('aria-label'))")
    return [int(re.findall(r"\d+", label)[0]) for label in labels]


def test_the_matrix_is_the_librarys_and_a_cell_shows_its_images(page: Page, measured: Evaluation) -> None:
    begun(page)
    expect(page.locator("#said")).to_contain_text(f"{measured.accuracy * 100:.2f} % of 10,000 test images are right")
    cells = page.locator("table.confusion td").all_inner_texts()
    assert [int(text or 0) for text in cells] == measured.confusion_matrix.flatten().tolist()
    pair = measured.most_confused(1)[0]
    page.get_by_role("button", name=f"{pair.count} of class {pair.true} taken for {pair.predicted}").click()
    expect(page.locator("[aria-pressed=true]", has_text="→")).to_have_text(f"{pair.true} → {pair.predicted}")
    expect(page.locator("main")).to_contain_text(f"{pair.count} images")
    expect(page.locator(".gallery .image")).to_have_count(min(24, pair.count))
    assert shown(page) == measured.confused(pair.true, pair.predicted).indices[:24].tolist()
    page.reload()
    expect(page.locator("[aria-pressed=true]", has_text="→")).to_have_text(f"{pair.true} → {pair.predicted}")


def test_arrows_move_in_the_matrix_and_among_the_images(page: Page, measured: Evaluation) -> None:
    begun(page)
    page.locator("table.confusion button[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    right = int(measured.confusion_matrix[1, 1])
    expect(page.locator("main")).to_contain_text(f"{right:,} images, 24 are shown")
    page.locator(".gallery .image").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".gallery .image").nth(1)).to_have_attribute("aria-pressed", "true")


def test_worst_first_and_least_certain_are_in_the_librarys_order(page: Page, measured: Evaluation) -> None:
    begun(page)
    expect(page.locator(".gallery .image").first).to_be_visible()
    assert shown(page) == measured.mistakes(24).indices.tolist()
    page.get_by_role("button", name="More").click()
    expect(page.locator(".gallery .image")).to_have_count(48)
    assert shown(page) == measured.mistakes(48).indices.tolist()
    page.get_by_role("button", name="Least certain").click()
    expect(page.locator("main")).to_contain_text("200 images, 24 are shown")
    assert shown(page) == measured.uncertain(24).indices.tolist()


def test_an_image_is_explained_in_four_ways_and_the_address_keeps_it(page: Page, measured: Evaluation) -> None:
    begun(page)
    worst = measured.mistakes(1)
    page.locator(".gallery .image").first.click()
    said = f"test image {worst.indices[0]}: it is {worst.true[0]}, and is taken for {worst.predicted[0]}."
    expect(page.locator("main")).to_contain_text(said)
    expect(page.locator("#method")).to_have_value("gradcam")
    pixels = "() => new Set(document.querySelector('.pair canvas').getContext('2d').getImageData(0, 0, 28, 28).data).size"
    assert page.evaluate(pixels) > 20
    for method in ("saliency", "integrated-gradients", "occlusion"):
        with page.expect_response(f"**/why?*method={method}") as answer:
            page.locator("#method").select_option(method)
        assert answer.value.json()["method"] == method
    page.reload()
    expect(page.locator("main")).to_contain_text(said, timeout=30_000)
    expect(page.locator("#method")).to_have_value("occlusion")


def test_a_label_that_looks_wrong_is_marked_in_the_runs_folder_and_taken_back(page: Page, marking: Run, lab: Service) -> None:
    begun(page, "/errors?run=doubting&image=7")
    page.locator("#doubt").wait_for()
    page.locator("#main").focus()
    page.keyboard.press("m")
    expect(page.locator("#doubt")).to_contain_text("take it back")
    (doubt,) = load_doubts(marking)
    assert (doubt.split, doubt.index, doubt.label) == ("test", 7, "9")
    page.get_by_role("button", name="Marked (1)").click()
    expect(page.locator(".gallery .image")).to_have_attribute("aria-label", re.compile("^Image 7: it is 9"))
    page.locator("#doubt").click()
    expect(page.locator("main")).to_contain_text("No label is marked.")
    assert load_doubts(marking) == []
    assert lab.ask("POST", "/api/runs/doubting/doubts", {"on": "test", "index": 10_000, "wrong": True}).status == 400


def test_sliders_change_the_images_and_the_accuracy_is_the_librarys(page: Page, home: Path, mnist: hl.Dataset) -> None:
    model = Run(home / "runs" / "reader").model()
    begun(page, "/errors?run=reader&blur=1")
    blurred = hl.analysis.changed(model, mnist.test, {"blur": 1.0})
    expect(page.locator("#accuracy")).to_have_text(f"{blurred.accuracy * 100:.2f} %", timeout=20_000)
    page.locator("#change-rotate").focus()
    page.keyboard.press("End")
    both = hl.analysis.changed(model, mnist.test, {"blur": 1.0, "rotate": 50.0})
    expect(page.locator("#accuracy")).to_have_text(f"{both.accuracy * 100:.2f} %")
    assert "rotate=50" in page.url
    page.get_by_role("button", name="As they were").click()
    clean = hl.analysis.changed(model, mnist.test, {})
    expect(page.locator("#accuracy")).to_have_text(f"{clean.accuracy * 100:.2f} %")
    expect(page.locator(".changes .gallery li")).to_have_count(10)
    assert "rotate" not in page.url


def test_the_map_shows_an_image_where_one_points_and_explains_it(page: Page) -> None:
    begun(page)
    drawn = page.locator(".map")
    expect(drawn.locator(".mark")).to_have_count(1000)
    assert drawn.locator(".mark").evaluate_all("marks => new Set(marks.map(mark => mark.getAttribute('d'))).size") == 10
    drawn.hover()
    expect(page.locator(".seen")).to_contain_text(re.compile(r"Image \d+ is \d, taken for \d"))
    page.mouse.move(0, 0)
    drawn.focus()
    before = float(page.locator(".map .cursor").get_attribute("cx") or 0)
    with page.expect_response("**/picture?*") as answer:
        page.keyboard.press("ArrowRight")
    assert float(page.locator(".map .cursor").get_attribute("cx") or 0) > before
    number = answer.value.json()["index"]
    expect(page.locator(".seen")).to_contain_text(f"Image {number} is")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(f"test image {number}:")
    page.locator("#map").select_option("tsne")
    expect(drawn.locator(".mark")).to_have_count(500, timeout=60_000)


def test_calibration_is_told_in_a_sentence_and_a_table(page: Page, measured: Evaluation) -> None:
    begun(page)
    summary = page.locator(".reliability").get_attribute("aria-label")
    assert summary is not None
    assert summary.startswith(f"Expected calibration error {measured.ece * 100:.1f} points")
    filled = int((measured.calibration.count > 0).sum())
    expect(page.locator(".reliability .dot")).to_have_count(filled)
    page.locator("details", has=page.locator("[aria-label=Calibration]")).locator("summary").click()
    expect(page.locator("[aria-label=Calibration] tbody tr")).to_have_count(filled)


def test_own_digits_and_validation_images_are_measured_too(page: Page, lab: Service) -> None:
    kept = [lab.ask("POST", "/api/digits", {"strokes": SEVEN, "label": 7}).json]
    begun(page)
    page.locator("#on").select_option("mine")
    expect(page.locator("#said")).to_contain_text(re.compile(r"of \d+ my own digits are right"), timeout=20_000)
    page.locator("#on").select_option("val")
    expect(page.locator("#said")).to_contain_text("validation images are right", timeout=20_000)
    assert "on=val" in page.url
    for digit in kept:
        lab.ask("DELETE", f"/api/digits/{digit['id']}")


def test_a_run_that_is_not_there_is_told_and_another_can_be_chosen(page: Page) -> None:
    page.goto("/errors?run=nobody")
    expect(page.locator("#said")).to_contain_text("There is no run 'nobody'.")
    page.locator("#run").select_option("reader")
    expect(page.locator("#said")).to_contain_text("are right", timeout=30_000)


def test_all_of_it_fits_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    begun(page, "/errors?run=reader&image=8")
    expect(page.locator(".map .mark").first).to_be_visible()
    expect(page.locator(".shares")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


REFUSED = {
    "errors?on=/etc": "A run is measured on one of: test, val, mine.",
    "errors?on=mnist": "A run is measured on one of: test, val, mine.",
    "images?list=cell&true=4&predicted=x": "There is no class 'x'.",
    "images?from=-1": "from is a number from 0 to 1000000000.",
    "why?index=10000": "index is a number from 0 to 9999.",
    "why?index=1&method=pickle": "An answer is explained in one of these ways: gradcam, saliency, integrated-gradients, occlusion.",
    "why?index=1&class=cat": "There is no class 'cat'.",
    "changed?rotate=51": "rotate goes from 0 to 50.",
    "changed?blur=nan": "blur goes from 0 to 2.5.",
    "layout?method=umap": "Images are laid out by pca or by tsne.",
    "picture?index=²": "index is a number from 0 to 9999.",
}


@pytest.mark.parametrize("asked", REFUSED)
def test_what_cannot_be_is_refused_in_words(lab: Service, asked: str) -> None:
    from urllib.parse import quote

    answer = lab.ask("GET", f"/api/runs/reader/{quote(asked, safe='?=&')}")
    assert answer.status == 400
    assert answer.json["error"] == REFUSED[asked]


@pytest.mark.parametrize("text", ["..", "../reader", "%2e%2e", ".lab", ".trash", "/etc", "latest", "best", "sweeps", "reader%00"])
@pytest.mark.parametrize("ending", ["", "/errors", "/images", "/picture?index=0", "/why?index=0", "/changed", "/layout", "/test"])
def test_no_name_leads_to_another_folder(lab: Service, text: str, ending: str) -> None:
    assert lab.ask("GET", f"/api/runs/{text}{ending}").status in (400, 404, 422)


def test_a_measurement_that_nobody_waits_for_any_more_leaves_the_page_as_it_is(page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/runs/reader/errors?on=val", hold)
    page.goto("/errors?run=reader&on=val")
    expect(page.locator("main > .waits")).to_have_count(1)
    page.route("**/api/runs/second/errors?on=val", hold)
    page.locator("#run").select_option("second")
    expect(page.locator("#said")).to_contain_text("Measuring second")
    held[0].fulfill(json={})
    page.wait_for_timeout(200)
    expect(page.locator("main > .waits")).to_have_count(1)
    held[1].fulfill(json={"error": "This run cannot be measured."}, status=409)
    expect(page.locator("#said")).to_contain_text("This run cannot be measured.")
    expect(page.locator("main > .waits")).to_have_count(0)
