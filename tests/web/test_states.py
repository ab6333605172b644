"""Pages where something is missing, refused or gone: what they say then, and that it can be read by everybody."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from small import small_data
from web.looks import check_looks
from web.service import SEVEN, Service, draw, opened, running

import handlens as hl
from handlens.web.keys import VIEWER

THEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A lab in an empty folder, without runs and data."""
    with running(tmp_path_factory.mktemp("bare"), "--port", "8970") as service:
        yield service


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A lab with a run that reads no drawings and whose data are gone, one that diverged, and a folder that is no run."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "runs" / "holiday").mkdir(parents=True)
    (folder / "runs" / "holiday" / "photo.txt").write_text("x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder / "runs"))
        hl.fit("softmax", small_data(), name="columns", quiet=True, epochs=1)
        with pytest.raises(hl.HandlensError):
            hl.fit("mlp", small_data(), name="diverged", quiet=True, epochs=2, optimizer="sgd", lr=1e30)
    with running(folder, "--port", "8975") as service:
        yield service


NOTHING_YET = {
    "/": "starter",
    "/train": "MNIST is not on this machine. Start fetches it first: 12 MB.",
    "/runs": "There are no runs yet. Make one: handlens train session",
    "/errors": "The images of MNIST are not on this machine.",
    "/data": "You have no digits of your own yet.",
    "/course": "Your files are not there yet.",
    "/class": "No class is going on.",
}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("path", NOTHING_YET)
def test_where_nothing_is_yet_each_page_says_what_to_do(path: str, theme: str, browser: Browser, bare: Service) -> None:
    with opened(browser, bare, color_scheme=theme, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(path)
        expect(page.locator("main")).to_contain_text(NOTHING_YET[path])
        check_looks(page)


def test_images_that_would_have_to_be_fetched_are_fetched_only_if_one_asks(browser: Browser, bare: Service) -> None:
    with opened(browser, bare) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/errors")
        expect(page.locator("main")).to_contain_text("handlens data fetch mnist")
        expect(page.get_by_role("button", name="Fetch them now (12 MB), and measure")).to_be_visible()
        assert not [url for url in asked if "/errors?" in url and "/api/" in url]
        page.goto("/train")
        page.get_by_role("link", name="From where").click()
        expect(page.locator(".look")).to_contain_text("train-images-idx3-ubyte.gz 10 MB")


ODD = {
    "/?run=columns": "Run columns reads photographs of 1x8x8, and drawings are 1x28x28.",
    "/?run=nobody": "There is no run nobody here.",
    "/train?run=nobody": "The lab does not show a training nobody",
    "/train?data=nothing": "This link asks for what is not here: data nothing.",
    "/runs": "Not a run: 'run.json' is not there.",
    "/runs?runs=diverged": "failed: ",
    "/runs?runs=nobody": "There is no run nobody here.",
    "/runs?runs=columns,diverged": "Measuring 2 runs on their test images",
    "/errors?run=nobody": "There is no run 'nobody'.",
    "/errors?run=columns": "was trained on data of your own.",
}


@pytest.mark.parametrize("path", ODD)
def test_what_cannot_be_is_said_where_it_was_asked_for(path: str, browser: Browser, odd: Service) -> None:
    with opened(browser, odd, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(path)
        expect(page.locator("main")).to_contain_text(ODD[path])
        check_looks(page)


@pytest.mark.parametrize("path", ["/", "/train", "/runs?runs=second", "/errors?run=second&image=7", "/data", "/course"])
def test_who_may_only_look_is_told_so_and_offered_nothing_else(path: str, browser: Browser, lab: Service) -> None:
    with opened(browser, lab, reduced_motion="reduce") as context:
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie(VIEWER), "url": f"http://{lab.host}"}])
        page = context.new_page()
        page.goto(path)
        expect(page.locator("main > .notice")).to_contain_text("Read-only: you can look and draw here")
        expect(page.locator("main h1")).to_have_count(1)
        expect(page.locator("main .card").first).to_be_visible()
        if path == "/train":
            expect(page.get_by_role("button", name="Start", exact=True)).to_be_disabled()
        for name in (
            "Start",
            "How long?",
            "Save",
            "Move to trash",
            "Draw ten of each",
            "Check",
            "Create my files",
            "Its label looks wrong",
        ):
            for button in page.get_by_role("button", name=name, exact=True).all():
                expect(button).to_be_disabled()
        check_looks(page)


def test_a_drawing_is_answered_when_the_lab_is_back(browser: Browser, home: Path) -> None:
    with running(home, "--run", "reader", "--port", "8980") as first, opened(browser, first) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.locator(".digit")).to_have_text("7")
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
        draw(page, SEVEN)
        expect(page.locator(".doubt")).to_contain_text("The lab does not answer.")
        check_looks(page)
        with running(home, "--run", "reader", "--port", "8980"):
            expect(page.locator(".digit")).to_have_text("7", timeout=15_000)


@pytest.mark.parametrize("theme", THEMES)
def test_the_list_of_keys_breaks_no_rule(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    for path in ("/", "/errors?run=reader"):
        page.goto(path)
        expect(page.locator("main h1")).to_have_count(1)
        page.locator("#main").focus()
        page.keyboard.press("?")
        expect(page.locator("dialog")).to_be_visible()
        check_looks(page)
        page.set_viewport_size({"width": 1280, "height": 900})
