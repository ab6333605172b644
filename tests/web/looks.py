"""What is looked at on a page, whatever it shows."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

WIDTHS = (640, 320)
"""Pixels: 1280 at 200 %, and a phone."""


def check_looks(page: Page) -> None:
    """It breaks no rule of accessibility, as wide as it is and on a phone, and nothing on it is wider than that."""
    _check_rules(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    _check_rules(page)


def _check_rules(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def check_panels(page: Page) -> None:
    """Each panel says in two sentences what it is, and shows the lines that do the same."""
    panels = page.locator("section.card:visible:has(> h2)").all()
    assert panels
    for panel in panels:
        says = panel.locator("> .says").inner_text()
        assert len(re.findall(r"[.?!](?= |$)", says)) == 2, says
        panel.locator("> details.code > summary").click()
        code = panel.locator("> details.code code")
        expect(code).to_contain_text("import")
        assert not re.search(r"\b(RUN|OTHER|SWEEP|KNOBS|undefined)\b", code.inner_text())
