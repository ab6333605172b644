"""Each page by the keyboard alone: Tab reaches everything in order, what has the focus is seen, and `?` lists the page's own keys."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

PAGES = {
    "/": ["0 – 9", "Enter", "⌫ Backspace", "X", "↑"],
    "/train?run=second": ["Space", "S"],
    "/runs?runs=reader,second": ["R"],
    "/errors?run=second&image=7": ["M", "↑"],
    "/data?set=mnist": ["0 – 9", "Delete", "↑"],
    "/course": ["C"],
}

REACHABLE = """() => {
  const seen = new Set(), ways = 'a[href], button, input, select, summary, [tabindex="0"]';
  return [...document.querySelectorAll(ways)].filter((one) => {
    if (one.disabled || one.tabIndex < 0 || !one.checkVisibility({ visibilityProperty: true })) return false;
    if (one.type !== "radio") return true;
    return !seen.has(one.name) && seen.add(one.name);
  }).map((one, place) => (one.type === "radio" ? one.name : (one.dataset.place = String(place), String(place))));
}"""

FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const shows = [one, one.nextElementSibling, one.parentElement].find((each) => {
    const { outlineStyle, outlineWidth } = each ? getComputedStyle(each) : {};
    return each && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  const box = shows?.getBoundingClientRect();
  const inside = box && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { place: one.type === "radio" ? one.name : one.dataset.place, ring: Boolean(inside), what: one.outerHTML.slice(0, 120) };
}"""


def opened_at(page: Page, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)
    expect(page.locator("main h1")).to_have_count(1)
    page.wait_for_load_state("networkidle", timeout=60_000) if "train" not in path else page.wait_for_timeout(500)


@pytest.mark.parametrize("path", PAGES)
def test_tab_goes_through_all_of_a_page_in_order_and_the_focus_is_seen(page: Page, path: str) -> None:
    opened_at(page, path)
    expected: list[str] = page.evaluate(REACHABLE)
    visited: list[dict[str, Any]] = []
    for _ in range(len(expected) + 2):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            break
        visited.append(found)
    assert [one["what"] for one in visited if not one["ring"]] == []
    assert [one["place"] for one in visited] == expected


@pytest.mark.parametrize("path", PAGES)
def test_the_list_of_keys_has_those_of_the_page(page: Page, path: str) -> None:
    opened_at(page, path)
    page.keyboard.press("?")
    keys = page.locator("dialog kbd").all_inner_texts()
    assert {*PAGES[path], "D", "T", "R", "E", "A", "C", "?"} <= {*keys}
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("c")
    expect(page.locator("nav a[aria-current]")).to_have_text("Course")


def test_the_skip_link_leads_past_the_pages(page: Page) -> None:
    opened_at(page, "/runs")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_going_back_shows_what_was_there(page: Page) -> None:
    opened_at(page, "/errors?run=second")
    page.locator("#method").select_option("saliency")
    page.locator(".gallery .image").first.click()
    page.wait_for_url("**image=**")
    before = page.url
    page.locator("#main").focus()
    page.keyboard.press("r")
    expect(page.locator("main h1")).to_have_text("Runs")
    page.get_by_label("Choose second").check()
    page.wait_for_url("**runs=second**")
    page.locator("#main").focus()
    page.keyboard.press("d")
    expect(page.locator(".digit")).to_have_text("7")
    page.go_back()
    expect(page.get_by_label("Choose second")).to_be_checked()
    page.go_back()
    assert page.url == before
    expect(page.locator("#method")).to_have_value("saliency")
    expect(page.locator(".pair img")).to_be_visible(timeout=30_000)
    page.go_forward()
    expect(page.get_by_label("Choose second")).to_be_checked()
