"""The page Course: the exercises are laid out, checked and hinted at in a real browser, on real files."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, expect
from web.looks import check_panels
from web.service import Service

from handlens.course import EXERCISES, material
from handlens.course.plan import find


def test_exercises_are_laid_out_checked_and_passed(context: BrowserContext, lab: Service) -> None:
    page = context.new_page()
    page.goto("/course")
    expect(page.locator("[data-exercise]")).to_have_count(len(EXERCISES))
    page.get_by_role("button", name="Create my files").click()
    expect(page.locator("main")).to_contain_text("0 of 16 exercises passed")
    expect(page.locator(".lessons")).to_contain_text("9 · The challenge: a convolutional network")
    check_panels(page)
    own = lab.folder / "course" / "exercises" / "02_scaling.py"
    expect(page.locator("main")).to_contain_text(str(own.parent.parent))
    item = page.locator("[data-exercise=scaling]")
    item.locator("summary").click()
    expect(item).to_contain_text("float32 of the same shape")
    own.write_text("def scale(images):\n    return images.float()\n")
    item.get_by_role("button", name="Check").click()
    expect(item).to_contain_text("Divide them by 255.", timeout=60_000)
    item.get_by_role("button", name="Hint 1 of 3").click()
    expect(item).to_contain_text("Two things have to change")
    own.write_text(material.solution(find("scaling")))
    item.get_by_role("button", name="Check").click()
    expect(item.locator(".state")).to_have_text("✓ passed", timeout=60_000)
    first = EXERCISES[0]
    (own.parent / first.file).write_text(material.solution(first))
    assert lab.ask("POST", "/api/course/check", {"name": first.name}).json["passed"]
    context.set_offline(True)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#notice")).to_contain_text("The lab does not answer.")
    context.set_offline(False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # somebody comes back to the tab
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("main")).to_contain_text("2 of 16 exercises passed")
    page.goto("/course?exercise=cnn")
    expect(page.locator("main")).to_contain_text("2 of 16 exercises passed")
    expect(page.locator("details[open] .name")).to_contain_text("11.")


def test_what_is_not_there_is_refused(lab: Service) -> None:
    assert lab.ask("GET", "/api/course/hint/cnn/4").status == 400
    assert lab.ask("GET", "/api/course/hint/nothing/1").status == 400
    assert lab.ask("POST", "/api/course/check", {"name": "../../etc/passwd"}).status == 400
