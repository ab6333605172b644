"""Pages where something is missing, refused or gone: what they say then, and that it can be read by everybody."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mirror import Mirror
from playwright.sync_api import Browser, Page, expect
from safetensors.torch import save_file
from small import small_data
from web.looks import check_looks
from web.service import SEVEN, Service, draw, opened, running

import handlens as hl
from handlens.course import material
from handlens.course.plan import find
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
    "/train": "MNIST is not on this machine. The button fetches it first: 12 MB.",
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


def test_images_that_would_have_to_be_fetched_are_fetched_only_by_the_button_that_says_so(
    browser: Browser, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs whose data set is not on this machine: pages may be looked at, compared, measured, and nobody is asked for anything."""
    shutil.copytree(home / "runs", tmp_path / "runs")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with Mirror({}) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with running(tmp_path, "--port", "8990") as service, opened(browser, service, reduced_motion="reduce") as context:
            page = context.new_page()
            fetches = page.get_by_role("button", name="Fetch MNIST now (12 MB)")
            for path in ("/", "/train", "/train?run=second", "/data", "/errors?run=second&image=7", "/course"):
                page.goto(path)
                expect(page.locator("main h1")).to_have_count(1)
                page.wait_for_load_state("networkidle") if "train" not in path else None
            page.goto("/runs?runs=reader,second&sweep=grid")
            expect(page.locator("[aria-label='Config: only the differences']")).to_contain_text("model", timeout=30_000)
            expect(fetches).to_have_count(2)  # for what two runs say to the same images, and for the findings of the sweep
            page.get_by_role("button", name="Measure on test images").click()
            expect(page.locator("#said")).to_contain_text("runs wait for images that are not on this machine.")
            expect(fetches).to_have_count(3)
            check_looks(page)
            for path in ("/api/runs/second/errors?on=mine", "/api/runs/second/layout?on=val", "/api/runs/second/test"):
                assert service.ask("GET", path).json["missing"] == ["mnist"]
            assert service.ask("POST", "/api/course/start", {}).status == 200
            own = tmp_path / "course" / "exercises" / find("cnn").file
            own.write_text(material.solution(find("cnn")))
            save_file({"kept": torch.ones(1)}, own.with_suffix(".safetensors"))  # a run, for whose check the test images are read
            page.goto("/course?exercise=cnn")
            page.locator("[data-exercise=cnn]").get_by_role("button", name="Check").click()
            expect(fetches).to_have_count(1)
            page.goto("/errors?run=second")
            expect(page.locator("main")).to_contain_text("handlens data fetch mnist")
            expect(page.locator("main")).to_contain_text("train-images-idx3-ubyte.gz 10 MB")
            assert mirror.requests == []
            fetches.click()
            expect(page.locator(".fetching")).to_contain_text("no source gave it", timeout=30_000)
            assert mirror.requests != []
            check_looks(page)
            [kept] = [path for path in (home / "data" / "mnist").iterdir() if path.is_dir()]
            (tmp_path / "data" / "mnist" / kept.name).symlink_to(kept)
            fetches.click()
            expect(page.locator("#said")).to_contain_text("are right", timeout=60_000)


def test_a_viewer_is_not_offered_to_fetch_and_cannot(browser: Browser, bare: Service) -> None:
    with opened(browser, bare) as context:
        context.add_cookies([{"name": bare.keys.name, "value": bare.keys.cookie(VIEWER), "url": f"http://{bare.host}"}])
        page = context.new_page()
        page.goto("/errors")
        expect(page.locator("main")).to_contain_text("handlens data fetch mnist")
        expect(page.get_by_role("button", name="Fetch")).to_have_count(0)
    assert bare.ask("POST", "/api/data/mnist/fetch", {}, bare.headers(VIEWER)).status == 403
    assert bare.ask("POST", "/api/data/nothing/fetch", {}).status == 400
    assert bare.ask("GET", "/api/data/mnist/fetch").json["says"] == ""


ODD = {
    "/?run=columns": "Run columns reads no drawings: it has learned from other pictures, grey images of 8 by 8 pixels.",
    "/?run=nobody": "There is no run nobody here.",
    "/train?run=nobody": "The lab does not show a training nobody",
    "/train?data=nothing": "This link asks for what is not here: data nothing.",
    "/runs": "Not a run: 'run.json' is not there.",
    "/runs?runs=diverged": "failed: ",
    "/runs?runs=nobody": "There is no run nobody here.",
    "/runs?runs=columns,diverged": "There is no paired test: not all runs could be measured on their test images here.",
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
