"""A tile of a layer is clicked for its arithmetic, and a unit switched off: the answer changes, and the address says so."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from web.looks import check_looks
from web.service import SEVEN, Service, draw

NOW = "[...document.querySelectorAll('.bars .fill')].map(bar => bar.style.transform).join()"


def opened(page: Page, address: str = "/") -> Page:
    page.goto(address)
    expect(page.locator("#layers figure")).not_to_have_count(0)
    return page


def test_a_tile_is_clicked_for_the_numbers_that_make_it(page: Page, lab: Service) -> None:
    opened(page)
    canvas = page.locator(".layers canvas").first
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] * 0.25, "y": box["height"] / 2})
    expect(page.locator("#arithmetic-title")).to_contain_text("layers.0 (Conv2d), tile 1, row 1")
    expect(page.locator(".grid-numbers")).to_have_count(3)
    check_looks(page)
    said = page.locator(".sum").inner_text().replace("−", "-")
    total, sign, bias, value = re.findall(r"sum (\S+) ([-+]) (\S+) bias = (\S+)", said)[0]
    assert abs(float(total) + (1 if sign == "+" else -1) * float(bias) - float(value)) < 0.02
    cells = page.locator(".grid-numbers").nth(2).locator("td").all_inner_texts()
    assert abs(sum(float(cell.replace("−", "-")) for cell in cells) - float(total)) < 0.005 * len(cells) + 0.01


def test_by_keys_a_layer_is_opened_and_its_place_chosen(page: Page) -> None:
    opened(page)
    page.get_by_role("button", name="The arithmetic of layers.3").press("Enter")
    expect(page.locator("#arithmetic-title")).to_contain_text("layers.3 (Conv2d), tile 0")
    page.locator("#place-tile").fill("5")
    expect(page.locator("#arithmetic-title")).to_contain_text("tile 5")
    expect(page.locator(".part")).to_have_count(6)
    page.locator(".part").nth(2).click()
    expect(page.locator("figcaption", has_text="tile 2 of the layer before")).to_have_count(1)
    page.locator("#place-row").fill("99")
    expect(page.locator("#arithmetic-title")).not_to_contain_text("row 99")


def test_an_address_opens_the_arithmetic_of_one_number(page: Page) -> None:
    opened(page, "/?unit=layers.0:3:10:12")
    expect(page.locator("#arithmetic-title")).to_contain_text("tile 3, row 10, column 12")
    page.locator("#place-tile").fill("5")
    page.wait_for_url(re.compile("unit=layers.0%3A5%3A10%3A12"))
    page.get_by_role("button", name="Close").click()
    assert "unit=" not in page.url
    opened(page, "/?unit=nothing:3,7")
    expect(page.locator(".arithmetic")).to_be_hidden()


def test_a_unit_is_switched_off_and_the_answer_changes_and_the_address_brings_it_back(page: Page, lab: Service) -> None:
    opened(page)
    page.locator("text=Clear").click()
    draw(page, SEVEN)
    expect(page.locator(".digit")).to_have_text("7")
    page.wait_for_timeout(300)  # a last answer may be under way
    shares = page.evaluate(NOW)
    page.get_by_role("button", name="The arithmetic of layers.0").click()
    with page.expect_response("**/api/answer"):
        page.locator("#unit-off").check()
    expect(page.locator(".chip")).to_have_text("layers.0 · 0 ✕")
    expect(page.locator(".sum")).to_contain_text("switched off: 0")
    page.wait_for_function(f"before => {NOW} != before", arg=shares)
    address = page.url
    assert "off=layers.0%3A0" in address
    page.locator(".chip").click()
    page.wait_for_function(f"before => {NOW} == before", arg=shares)
    opened(page, address)
    expect(page.locator(".chip")).to_have_count(1)


def test_others_that_ask_meanwhile_get_the_whole_network(lab: Service) -> None:
    body = {"strokes": SEVEN}
    whole = lab.ask("POST", "/api/answer", body).json["probabilities"]
    off = lab.ask("POST", "/api/answer", {**body, "off": {"layers.0": list(range(6))}}).json["probabilities"]
    assert off != whole
    assert lab.ask("POST", "/api/answer", body).json["probabilities"] == whole
    for wrong in ({"layers.99": [0]}, {"layers.0": [99]}, {"layers.0": [-1]}, {"../x": [0]}, {"": [0]}):
        assert lab.ask("POST", "/api/answer", {**body, "off": wrong}).status == 400, wrong
    for place in ([], [0], [99, 0, 0], [0, 0, 0, 0], ["a"]):
        assert lab.ask("POST", "/api/unit", {**body, "layer": "layers.0", "place": place}).status == 400, place
