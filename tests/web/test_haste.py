"""Fast clicks, late answers, two tabs, a lab that is gone for a moment: nothing is done twice, and nothing old is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect
from web.held import Held
from web.service import SEVEN, Service, draw, opened, running


def slanted(share: float) -> list[list[tuple[float, float]]]:
    """A seven that no other test keeps: all tests of a process share a lab, and each drawing is one digit."""
    return [[(x + share * y, y) for x, y in stroke] for stroke in SEVEN]


@pytest.fixture
def gone(browser: Browser, lab: Service) -> Iterator[Page]:
    """A tab of its own browser, whose lab may be away."""
    with opened(browser, lab) as context:
        yield context.new_page()


def test_a_late_answer_to_why_is_not_shown_with_another_image(page: Page, lab: Service) -> None:
    page.goto("/errors?run=second")
    expect(page.locator(".gallery .image")).not_to_have_count(0, timeout=30_000)
    labels = page.locator(".gallery .image").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    first, second = (int(re.findall(r"\d+", label)[0]) for label in labels[:2])
    assert lab.ask("POST", "/api/runs/second/doubts", {"on": "test", "index": first, "wrong": True}).status == 200
    held = Held(page, "**/why?*")
    page.locator(".gallery .image").nth(0).click()
    held.wait()
    page.locator(".gallery .image").nth(1).click()
    expect(page.locator("main")).to_contain_text(f"test image {second}: it is")
    held.let_go()
    expect(page.locator("#doubt")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("main")).to_contain_text(f"test image {second}: it is")
    assert lab.ask("POST", "/api/runs/second/doubts", {"on": "test", "index": first, "wrong": False}).status == 200


def test_a_late_map_is_not_drawn_over_a_newer_one(page: Page) -> None:
    held = Held(page, "**/runs/second/layout?*")
    page.goto("/errors?run=second")
    held.wait()
    page.locator("#run").select_option("reader")
    expect(page.locator(".map .mark")).to_have_count(1000, timeout=30_000)
    before = page.locator(".map").get_attribute("aria-label")
    held.let_go()
    assert page.locator(".map").get_attribute("aria-label") == before
    page.locator(".map").hover()
    expect(page.locator(".seen")).to_contain_text(re.compile(r"Image \d+ is"))
    assert float(page.locator(".map .cursor").get_attribute("cx") or -20) > 0, "the cursor of the map that is shown"


def test_names_are_asked_for_before_the_board_has_come(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    with (
        running(tmp_path_factory.mktemp("class"), "--class", "--lan", "127.0.0.2", "--port", "8955") as service,
        opened(browser, service) as context,
    ):
        page = context.new_page()
        held = Held(page, "**/api/class/live")
        page.goto("/class")
        held.wait()
        page.get_by_label("Show names and words").check()
        for route in held.routes:
            route.continue_()
        expect(page.locator("#count")).to_contain_text("Nobody has joined yet")
        expect(page.locator("main")).to_contain_text("Nobody yet.")


def test_a_digit_is_taken_back_once(gone: Page) -> None:
    gone.goto("/")
    expect(gone.locator(".digit")).to_have_text("7")
    draw(gone, slanted(0.05))
    gone.keyboard.press("4")
    expect(gone.locator(".kept")).to_contain_text("✓ Kept as a 4")
    taken: list[Request] = []
    gone.on("request", lambda request: taken.append(request) if request.method == "DELETE" else None)
    gone.get_by_role("button", name="Take back").dblclick()
    expect(gone.locator(".kept")).to_have_text("Taken back.")
    assert len(taken) == 1


def test_in_the_wizard_the_last_one_can_be_taken_back_when_the_lab_answers_again(gone: Page) -> None:
    gone.goto("/data?draw=ten")
    draw(gone, slanted(0.08))
    gone.locator("text=Keep, next").click()
    expect(gone.locator(".wizard .kept")).to_contain_text("✓ Kept as a")
    gone.route("**/api/digits/*", lambda route: route.abort())
    gone.locator("text=Take the last one back").click()
    expect(gone.locator(".wizard .kept")).to_contain_text("The lab does not answer.")
    gone.unroute("**/api/digits/*")
    gone.locator("text=Take the last one back").click()
    expect(gone.locator(".wizard .kept")).to_have_text("Taken back.")


def test_what_waits_in_two_tabs_is_sent_and_both_say_so(gone: Page, lab: Service) -> None:
    other = gone.context.new_page()
    for place, tab in enumerate((gone, other)):
        tab.route("**/api/digits", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
        tab.goto("/")
        expect(tab.locator(".digit")).to_have_text("7")
        draw(tab, slanted(0.11 + place / 5))
        tab.keyboard.press("7")
        expect(tab.locator("#notice")).to_contain_text("in this browser, and will be sent when it is back.")
    before = {digit["id"] for digit in lab.ask("GET", "/api/digits/of/7").json["digits"]}
    gone.unroute("**/api/digits")
    expect(gone.locator("#notice")).to_be_hidden(timeout=15_000)
    assert gone.evaluate("localStorage.getItem('handlens-outbox')") == "[]"
    other.unroute("**/api/digits")
    expect(other.locator("#notice")).to_be_hidden(timeout=15_000)
    ids = [digit["id"] for digit in lab.ask("GET", "/api/digits/of/7").json["digits"] if digit["id"] not in before]
    assert len(ids) == 2
    for digit in ids:
        assert lab.ask("DELETE", f"/api/digits/{digit}").status == 200


def test_one_that_waits_and_is_refused_is_told_and_holds_up_no_other(gone: Page, lab: Service) -> None:
    """A drawing is the same digit as one that is kept as another."""
    slanted = [[[x + y / 3, y] for x, y in stroke] for stroke in SEVEN]
    kept = lab.ask("POST", "/api/digits", {"strokes": slanted, "label": 4}).json["id"]
    drawings = [slanted, [[[140, 40], [140, 140], [138, 240]]]]
    waiting = [{"strokes": strokes, "label": 1, "anyway": False} for strokes in drawings]
    gone.goto("/course")
    gone.evaluate("waiting => localStorage.setItem('handlens-outbox', JSON.stringify(waiting))", waiting)
    before = {digit["id"] for digit in lab.ask("GET", "/api/digits/of/1").json["digits"]}
    gone.reload()
    expect(gone.locator("#notice")).to_contain_text("was not kept: It is among your digits already, as another digit.")
    assert gone.evaluate("localStorage.getItem('handlens-outbox')") == "[]"
    (sent,) = {digit["id"] for digit in lab.ask("GET", "/api/digits/of/1").json["digits"]} - before
    for digit in (kept, sent):
        assert lab.ask("DELETE", f"/api/digits/{digit}").status == 200


def test_an_accuracy_that_was_measured_while_the_table_was_read_anew_stands_in_it(page: Page) -> None:
    page.goto("/runs")
    expect(page.locator("table.runs tbody tr")).not_to_have_count(0)
    page.route("**/api/runs", unmeasured)
    page.reload()
    held = Held(page, "**/runs/second/test")
    page.get_by_role("button", name="Measure on test images").click()
    held.wait()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    held.let_go()
    expect(page.locator("tr:has(#run-box-second) td.test_accuracy")).to_have_text(re.compile(r"\d+\.\d\d %"), timeout=60_000)


def unmeasured(route: Route) -> None:
    """The table as it is before anything was measured."""
    answer = route.fetch()
    found = answer.json()
    route.fulfill(response=answer, json={**found, "runs": [{**run, "test_accuracy": None} for run in found["runs"]]})


def test_the_focus_stays_where_it_was_when_a_part_is_drawn_anew(page: Page) -> None:
    page.goto("/errors?run=second")
    tab = page.get_by_role("button", name="Least certain")
    tab.focus()
    page.keyboard.press("Enter")
    expect(tab).to_have_attribute("aria-pressed", "true")
    expect(tab).to_be_focused()
    page.goto("/")
    expect(page.locator("#layers figure")).not_to_have_count(0)
    numbers = page.get_by_role("button", name=re.compile("^The arithmetic of")).first
    numbers.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#arithmetic-title")).to_be_focused()
    page.locator(".arithmetic").get_by_role("button", name="Close").press("Enter")
    expect(numbers).to_be_focused()


def test_a_stroke_of_the_keys_that_is_left_by_tab_is_kept_in_the_address(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".digit")).to_have_text("7")
    page.locator(".pad").focus()
    for key in [" ", *["ArrowDown"] * 12]:
        page.keyboard.press(key)
    page.keyboard.press("Tab")
    page.wait_for_url("**strokes=**")


def test_arithmetic_is_of_the_drawing_that_is_on_the_pad(page: Page) -> None:
    page.goto("/?centre=off")
    expect(page.locator("#layers figure")).not_to_have_count(0)
    page.get_by_role("button", name=re.compile("^The arithmetic of")).first.click()
    expect(page.locator(".numbers .sum")).to_contain_text("=")
    held = Held(page, "**/api/unit")
    page.locator(".pad").scroll_into_view_if_needed()
    draw(page, SEVEN)
    held.wait()
    draw(page, [[(140, 40), (140, 240)]])
    page.wait_for_timeout(300)
    held.let_go()
    page.wait_for_timeout(500)
    shown = page.locator(".numbers .sum strong").inner_text()
    page.locator("#place-row").press("ArrowUp")
    page.locator("#place-row").press("ArrowDown")
    page.wait_for_timeout(500)
    expect(page.locator(".numbers .sum strong")).to_have_text(shown)
