"""One lab and one browser for all tests of this folder: starting them takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from web.service import Service, opened, running

import handlens as hl


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, mnist: hl.Dataset, shared_data: Path) -> Path:
    """A user's folder: MNIST, and one run, a small network that reads digits."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "data").mkdir()
    (folder / "runs").mkdir()
    (folder / "data" / "mnist").symlink_to(shared_data / "mnist")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder / "runs"))
        patch.setenv("HANDLENS_DATA", str(folder / "data"))
        hl.fit(
            "cnn", mnist, name="reader", quiet=True, examples=6000, epochs=2, channels=(6, 12), hidden_sizes=(), lr=0.01, augment="light"
        )
        hl.fit("mlp", mnist, name="second", quiet=True, examples=3000, epochs=3, hidden_sizes=(16,), lr=0.005)
        hl.sweep({"lr": [0.1, 0.01], "batch_size": [64, 256]}, name="grid", workers=1, model="softmax", epochs=1, examples=1000)
    return folder


@pytest.fixture(scope="session")
def lab(home: Path) -> Iterator[Service]:
    """The lab of that user."""
    with running(home, "--run", "reader", "--port", "8790") as service:
        service.ask("GET", service.link.partition(service.host)[2], headers={"host": service.host})
        yield service


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """The system's Chromium, in which `evil.test` is this machine, as after DNS rebinding."""
    options = "--no-sandbox --disable-gpu --disable-background-networking --no-first-run --disable-breakpad".split()
    expect.set_options(timeout=15_000)  # the machine may be busy
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*options, "--host-resolver-rules=MAP evil.test 127.0.0.1"])
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, lab: Service) -> Iterator[BrowserContext]:
    """A browser that the lab has let in. What its pages complain of, or ask of any other server, fails the test."""
    with opened(browser, lab) as made:
        yield made


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A new tab."""
    return context.new_page()
