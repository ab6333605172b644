"""What holds for every page: nothing wider than a phone, no violation of accessibility rules, text that is only text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from web.looks import check_looks, check_panels
from web.service import Service, opened

PAGES = ["/", "/train", "/runs", "/errors", "/data", "/course", "/class"]
VIEWS = [*PAGES, "/train?run=second", "/runs?runs=second", "/runs?runs=reader,second", "/data?draw=ten", "/errors?run=second&image=7"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", VIEWS)
def test_a_page_breaks_no_rule_of_accessibility_and_fits_a_phone(browser: Browser, lab: Service, path: str, theme: str) -> None:
    with opened(browser, lab, color_scheme=theme, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(path)
        expect(page.locator("main h1")).to_have_count(1)
        page.wait_for_load_state("networkidle", timeout=60_000) if "train" not in path else None
        for summary in page.locator("summary:visible").all():
            summary.click()
        check_looks(page)


@pytest.mark.parametrize("path", [path for path in VIEWS if path != "/class"])
def test_each_panel_has_two_sentences_and_its_code(page: Page, path: str) -> None:
    page.goto(path)
    page.locator("section.card h2").first.wait_for()
    page.wait_for_load_state("networkidle", timeout=60_000) if path != "/train" else None
    check_panels(page)


def test_the_page_draw_is_light(context: BrowserContext) -> None:
    sizes: dict[str, int] = {}
    page = context.new_page()
    page.on("response", lambda answer: None if "/api/" in answer.url else sizes.update({answer.url: len(answer.body())}))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert len(sizes) > 10
    assert sum(sizes.values()) < 150_000


@pytest.mark.parametrize("path", PAGES)
def test_who_wants_less_motion_gets_none(browser: Browser, lab: Service, path: str) -> None:
    with opened(browser, lab, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(path)
        expect(page.locator("main h1")).to_have_count(1)
        moving = (
            "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration != '0s' || e.getAnimations().length)"
        )
        assert page.evaluate(f"{moving}.length") == 0


def test_the_theme_is_chosen_and_remembered(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto("/course")
    for theme in ("light", "dark"):
        page.locator("#theme").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"


def test_html_in_strings_does_nothing(browser: Browser, lab: Service) -> None:
    with browser.new_context() as context:
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie("owner"), "url": f"http://{lab.host}"}])
        page = context.new_page()
        page.goto(f"http://{lab.host}/course")
        attack = "document.body.innerHTML = '<img src=x onerror=\"window.hit = 1\">'"
        told = page.evaluate(f"() => {{ try {{ {attack}; return 'done'; }} catch (error) {{ return error.name; }} }}")
        assert told == "TypeError"
        assert page.evaluate("window.hit") is None
