"""Data sets that are not here: what a button says that it fetches, and a fetch that another page, or another program, has begun."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from mirror import Mirror, slow
from playwright.sync_api import Browser, expect
from web.service import opened, running

import handlens as hl
from handlens import files
from handlens.data import DATASETS
from handlens.data.entry import Archive
from handlens.web.keys import VIEWER

SHARED = os.environ.get("HANDLENS_SHARED", "")


@pytest.fixture(autouse=True)
def nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept beside the tests is not there for these labs, and no package index is asked."""
    monkeypatch.delenv("HANDLENS_SHARED", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_the_size_is_that_of_the_files_that_are_not_here_each_once(
    browser: Browser, tmp_path: Path, mnist: hl.Dataset, shared_data: Path
) -> None:
    with running(tmp_path, "--port", "8940") as service, opened(browser, service) as context:
        page = context.new_page()
        page.goto("/data?set=mnist")
        expect(page.locator(".fetching button")).to_have_text("Fetch MNIST now (12 MB)")
        (kept,) = [path for path in (shared_data / "mnist").iterdir() if (path / "train-images-idx3-ubyte").is_file()][:1]
        (tmp_path / "data" / "mnist" / "filling").mkdir(parents=True)
        shutil.copy(kept / "train-images-idx3-ubyte", tmp_path / "data" / "mnist" / "filling")
        page.reload()
        expect(page.locator(".fetching button")).to_have_text("Fetch MNIST now (2 MB)")
        page.goto("/data?set=qmnist")
        expect(page.locator(".fetching button")).to_have_text("Fetch QMNIST now (990 kB and 2 files of unknown size)")
        page.goto("/train?data=kmnist&with_data=kmnist-test")
        expect(page.locator("#absent")).to_contain_text("are not on this machine. The button fetches them first: 21 MB.")
        absent = service.ask("POST", "/api/trainings", {"knobs": {"data": "kmnist", "with_data": "kmnist-test"}}).json
        assert absent["what to do"].startswith("To get them, 21.2 MB: ")


def test_of_an_archive_that_is_here_nothing_is_downloaded_for_its_other_data_sets(browser: Browser, tmp_path: Path) -> None:
    entry = DATASETS["emnist-digits"]
    assert isinstance(entry, Archive)
    (archive,) = entry.originals
    place = tmp_path / "data" / "originals" / f"{archive.sha256[:12]}-{archive.name}"
    with running(tmp_path, "--port", "8940") as service, opened(browser, service) as context:
        page = context.new_page()
        page.goto("/data?set=emnist-digits")
        expect(page.locator(".fetching button")).to_have_text("Fetch EMNIST digits now (562 MB)")
        place.parent.mkdir(parents=True)
        place.touch()
        os.truncate(place, archive.size_bytes)  # of the right length, and with holes in place of its bytes
        page.reload()
        expect(page.locator(".fetching button")).to_have_text("Unpack EMNIST digits now (nothing to download)")
        expect(page.locator(".look")).to_contain_text("Its files are on this machine; they have to be unpacked once.")
        page.goto("/train?data=emnist-letters")
        expect(page.get_by_role("button", name="Unpack it and start")).to_be_visible()
        answer = service.ask("POST", "/api/trainings", {"knobs": {"data": "emnist-letters"}}).json
        assert answer["what to do"] == "To get them: handlens data fetch emnist-letters"


def test_a_page_that_is_opened_while_data_are_downloaded_shows_how_far_that_is_and_why_it_fails(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {f"mnist/{file.name}.gz": bytes(file.gz_bytes) for file in DATASETS["mnist"].files}  # type: ignore[union-attr]
    with Mirror(bodies, usual=slow(40, 0.1)) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with running(tmp_path, "--port", "8940") as service, opened(browser, service) as context:
            assert service.ask("POST", "/api/data/mnist/fetch", {}).status == 200
            page, training = context.new_page(), context.new_page()
            page.goto("/data?set=mnist")
            expect(page.locator(".fetching")).to_contain_text("Downloading train-images-idx3-ubyte.gz")
            expect(page.locator(".fetching progress")).to_be_visible()
            expect(page.get_by_role("button", name="Fetch")).to_have_count(0)
            training.goto("/train")
            expect(training.locator("#absent")).to_contain_text("MNIST is being fetched just now. The button waits for it first")
            expect(training.locator("#coming")).to_contain_text("Downloading train-images-idx3-ubyte.gz")
            expect(training.get_by_role("button", name="Wait for it and start")).to_be_visible()
            expect(page.locator(".fetching .trouble")).to_contain_text("no source gave it", timeout=30_000)
            expect(page.get_by_role("button", name="Fetch MNIST now (12 MB)")).to_be_enabled()
            expect(training.get_by_role("button", name="Fetch 12 MB and start")).to_be_visible()
            assert len([path for path, _ in mirror.requests if "train-images" in path]) == 2, "one fetch, whose first file is tried twice"


@pytest.mark.skipif(not SHARED, reason="HANDLENS_SHARED: kmnist-test")
def test_a_page_that_is_opened_while_data_are_downloaded_ends_with_the_data(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
    bodies = {f"kmnist-test/{name}": (Path(SHARED) / "kmnist-test" / name).read_bytes() for name in names}
    with Mirror(bodies, usual=slow(40, 0.1)) as mirror:
        monkeypatch.setenv("HANDLENS_MIRRORS", mirror.address)
        with running(tmp_path, "--port", "8940") as service, opened(browser, service) as context:
            first, second = context.new_page(), context.new_page()
            first.goto("/data?set=kmnist-test")
            first.get_by_role("button", name="Fetch KMNIST's test images now (3 MB)").click()
            expect(first.locator(".fetching progress")).to_be_visible()
            second.goto("/data?set=kmnist-test")
            expect(second.locator(".fetching progress")).to_be_visible()
            for page in (first, second):
                expect(page.locator(".look .summary")).to_contain_text("8,000 to train, 2,000 to test.", timeout=30_000)
            second.goto("/data?set=kmnist")
            expect(second.locator(".fetching button")).to_have_text("Fetch KMNIST now (18 MB)")
            assert len(mirror.requests) == 2


def test_what_another_program_fetches_is_waited_for_by_whoever_looks(
    browser: Browser, home: Path, tmp_path: Path, mnist: hl.Dataset
) -> None:
    shutil.copytree(home / "runs", tmp_path / "runs")
    with running(tmp_path, "--port", "8940") as service, opened(browser, service) as owner, opened(browser, service) as viewer:
        viewer.add_cookies([{"name": service.keys.name, "value": service.keys.cookie(VIEWER), "url": f"http://{service.host}"}])
        pages = [owner.new_page(), viewer.new_page()]
        with files.lock(tmp_path / "data" / "mnist" / "lock"):
            for page in pages:
                page.goto("/errors?run=second")
                expect(page.locator(".fetching")).to_contain_text("Another program is fetching it")
                expect(page.get_by_role("button", name="Fetch")).to_have_count(0)
            kept = next(path for path in (home / "data" / "mnist").iterdir() if (path / "train-images-idx3-ubyte").is_file())
            (tmp_path / "data" / "mnist" / kept.name).symlink_to(kept)
        for page in pages:
            expect(page.locator("#said")).to_contain_text("are right", timeout=60_000)
