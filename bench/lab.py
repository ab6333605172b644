"""The lab in the system's Chromium: from `handlens lab` to the first answer, from a stroke to its answer, and how heavy the page Draw is.

python bench/lab.py [--moves 120] [--starts 5]

It needs a run that reads digits: the starter, or `handlens train cnn-small` before. Nothing is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

OPTIONS = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run".split()
_BETWEEN_MS = 25  # a hand that moves steadily


@contextmanager
def lab() -> Iterator[str]:
    """A lab that runs; its link."""
    command = [sys.executable, "-m", "handlens", "lab", "--no-browser", "--port", "8750"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    try:
        yield next(found[0] for line in process.stdout if (found := re.search(r"http://\S+key=\S+", line)))
    finally:
        process.send_signal(2)
        process.wait(30)
        process.stdout.close()


def answered(page: Page, address: str) -> None:
    """Open Draw and wait for the answer to its ghost digit."""
    page.goto(address)
    page.locator(".digit", has_text=re.compile("[0-9]")).wait_for()


def first_answers(browser: Browser, starts: int) -> list[float]:
    """Seconds from the command to the first answer in an open browser, for each of so many starts."""
    times = []
    for _ in range(starts):
        context = browser.new_context()
        page = context.new_page()
        start = time.perf_counter()
        with lab() as link:
            answered(page, link)
            times.append(time.perf_counter() - start)
        context.close()
    return times


def weight(page: Page, address: str) -> dict[str, int]:
    """Bytes of each file that Draw loads, as they come over the wire without their headers."""
    sizes: dict[str, int] = {}

    def note(response: Response) -> None:
        path = re.sub(r"^http://[^/]+", "", response.url).partition("?")[0]
        if not path.startswith("/api") and response.status == 200:
            sizes[path] = len(response.body())

    page.on("response", note)
    answered(page, address)
    page.wait_for_load_state("networkidle")
    return sizes


def strokes(page: Page, moves: int) -> list[float]:
    """Milliseconds from the movement of the pen to bars in the page, measured by the page."""
    box: Any = page.locator(".pad").bounding_box()
    for turn in range(moves // 40 + 1):
        page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + (0.2 + 0.01 * turn) * box["height"])
        page.mouse.down()
        for part in range(40):
            across, down = (0.25 + part / 40, 0.2) if part < 20 else (0.75 - (part - 20) / 60, 0.2 + (part - 20) / 33)
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            page.wait_for_timeout(_BETWEEN_MS)
        page.mouse.up()
        page.keyboard.press("x")
    page.wait_for_timeout(300)
    times: list[float] = json.loads(page.locator("#debug").get_attribute("data-times") or "[]")
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moves", type=int, default=120)
    parser.add_argument("--starts", type=int, default=5)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or ""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        starts = sorted(first_answers(browser, asked.starts))
        with lab() as link:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            sizes = weight(page, link)
            answered(page, re.sub(r"/start.*", "/?debug=1", link))
            times = sorted(strokes(page, asked.moves))
        browser.close()
    print(f"from the command to the first answer: median {statistics.median(starts):.1f} s of {len(starts)}, longest {starts[-1]:.1f} s")
    median, tail = statistics.median(times), times[int(0.95 * len(times))]
    print(f"from a stroke to its answer: median {median:.0f} ms, p95 {tail:.0f} ms of {len(times)}")
    print(f"the page Draw: {sum(sizes.values()):,} bytes in {len(sizes)} files")


if __name__ == "__main__":
    main()
