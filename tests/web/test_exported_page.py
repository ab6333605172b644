"""The exported page in a real browser, from the disk, with the network off: drawn on, looked at, and compared with PyTorch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from corpus import amount
from playwright.sync_api import Browser, Page, expect
from web.service import SEVEN, draw

import handlens as hl
from handlens.data.drawing import normalize
from handlens.errors import FailedError, ModelError
from handlens.export import chromium, export, verify, web_page
from handlens.export.subject import Subject
from handlens.models import MODELS

NETWORKS: dict[str, dict[str, Any]] = {
    "softmax": {},
    "mlp": {"hidden_sizes": (32, 16), "batch_norm": True, "activation": "tanh", "normalize": True},
    "cnn": {"channels": (4, 6), "kernel_size": (5, 3), "pooling": "average", "padding": "none", "activation": "gelu", "hidden_sizes": (8,)},
    "resnet": {"width": 4},
    "efficientnet": {"resize": 32},
}


@pytest.fixture(scope="module")
def starter(mnist: hl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the network that comes with handlens."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_DATA", str(folder / "data"))
        (folder / "data").mkdir()
        run = hl.load_run("starter").use(dataset=mnist)
        content = web_page.build(Subject(run, "# Model card: starter\n\n| <b>not bold</b> |\n"))
    (folder / "starter.html").write_bytes(content)
    return folder / "starter.html"


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, starter: Path, complaints: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, opened from the disk in a browser without a network. What it complains of, or asks of anybody, fails the test."""
    asked: tuple[int, Any] = getattr(request, "param", (1280, "light"))
    width, scheme = asked
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
    context.on("request", lambda request: None if request.url == starter.as_uri() else complaints.append(f"asked for {request.url}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda line: complaints.append(line.text))
    opened = context.new_page()
    opened.goto(starter.as_uri())
    yield opened
    context.close()
    assert complaints == []


@pytest.mark.parametrize("page", [(1280, "light"), (320, "dark")], indirect=True)
def test_it_draws_answers_and_shows_what_goes_on_without_any_network(page: Page, starter: Path) -> None:
    assert starter.stat().st_size < 1_000_000
    expect(page.locator(".digit")).to_have_text("7")  # the ghost
    page.locator("text=Clear").click()
    expect(page.locator(".doubt")).to_contain_text("Too little ink")
    draw(page, SEVEN)
    expect(page.locator(".digit")).to_have_text("7")
    expect(page.locator("#spoken")).to_contain_text("7, ")
    expect(page.locator("#layers figure")).to_have_count(10)
    expect(page.locator("#layers figcaption").first).to_contain_text("24 tiles of 14×14")
    pixels = "document.querySelector('.input').getContext('2d').getImageData(0, 0, 28, 28).data"
    lit = f"{pixels}.filter((level, place) => place % 4 == 0 && level).length"
    assert page.evaluate(lit) == pytest.approx((normalize(SEVEN).image > 0).sum(), abs=20)  # the mouse goes in whole pixels
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("summary").click()
    expect(page.locator("#card")).to_contain_text("<b>not bold</b>")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_is_drawn_on_by_the_keyboard(page: Page) -> None:
    page.locator(".pad").focus()
    page.keyboard.press(" ")
    for key in ["ArrowRight"] * 8 + ["ArrowDown"] * 16:
        page.keyboard.press(key)
    page.keyboard.press(" ")
    expect(page.locator(".digit")).not_to_have_text("–")


def strokes(count: int) -> list[list[list[tuple[float, float]]]]:
    """Smooth lines as hands draw them: one to three strokes each, some tiny, some a dot."""
    random = np.random.default_rng(5)
    drawings = []
    for number in range(count):
        lines = []
        for _ in range(1 + number % 3):
            walk = random.normal(size=(int(random.integers(1, 50)), 2)).cumsum(0) * random.choice([2, 8, 15])
            lines.append([tuple(point) for point in (walk + random.uniform(0, 200, 2)).round(1).tolist()])
        drawings.append(lines)
    return drawings


def test_its_javascript_gives_the_pixels_that_normalize_gives(page: Page, record_property: pytest.FixtureRequest) -> None:
    drawings = [SEVEN, [], [[(5, 5)]], *strokes(amount("drawings", 100))]
    record_property("cases", len(drawings))  # type: ignore[operator]
    script = web_page.bundle().partition('modules["page.js"]')[0]
    each = "const { image, doubt } = modules['normalize.js'].normalize(each); return [[...image.at], doubt];"
    ask = f"(drawings) => {{ {script} return drawings.map((each) => {{ {each} }}); }}"
    found = page.evaluate(ask, drawings)
    wanted = [normalize(each) for each in drawings]
    assert [doubt for _, doubt in found] == [each.doubt for each in wanted]
    far = [np.abs(np.array(pixels).reshape(28, 28) - each.image.astype(int)).max() for (pixels, _), each in zip(found, wanted, strict=True)]
    assert np.mean(np.array(far) == 0) > 0.97
    assert np.max(far) < 40


def test_every_network_says_in_the_browser_what_it_says_in_pytorch(mnist: hl.Dataset, tmp_path: Path, chromium: str) -> None:
    for name in MODELS if amount("page", 0) else [name for name in MODELS if name != "efficientnet"]:
        run = hl.fit(name, mnist, name=name, epochs=1, examples=300, quiet=True, **NETWORKS[name])
        subject = Subject(run)
        content = web_page.build(subject)
        found = web_page.check(content, subject, amount("page", 100))
        assert found.how == "Chromium"
        assert found.images == amount("page", 100)
        assert found.largest <= web_page.TOLERANCE
    assert NETWORKS.keys() == MODELS.keys()


CORRUPTIONS = {
    "weights": (r'("weights":".{500})(.)', lambda found: found[1] + ("B" if found[2] != "B" else "C")),
    "steps": (r'"stride":\[2,2\]', lambda _: '"stride":[1,1]'),
    "classes": (r'"classes":\["0","1"', lambda _: '"classes":["1","0"'),
    "tensors": (r'"start":0', lambda _: '"start":1'),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_one_corrupted_weight_step_or_class_fails_the_check_even_without_a_browser(
    what: str, mnist: hl.Dataset, starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, pattern, other = hl.load_run("starter").use(dataset=mnist), *CORRUPTIONS[what]
    changed, times = re.subn(pattern, other, starter.read_text("utf-8"), count=1)
    assert times == 1
    (tmp_path / "changed.html").write_text(changed, "utf-8")
    monkeypatch.setattr(chromium, "find", lambda: "")
    with pytest.raises(FailedError, match=f"the page has other {what}"):
        verify(run, tmp_path / "changed.html")
    assert verify(run, starter).images == 0
    assert not [*tmp_path.glob("*.tmp")]


def test_a_network_for_photographs_has_no_page_to_draw_on() -> None:
    from small import small_data

    run = hl.fit("softmax", small_data(), name="columns", epochs=1, quiet=True)
    with pytest.raises(ModelError, match="learned from other pictures: grey images of 8 by 8 pixels"):
        export(run, "columns.html")
    assert not Path("columns.html").exists()


def test_without_a_browser_the_weights_are_checked_and_that_is_said(
    starter: Path, mnist: hl.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert chromium.find() == ""
    assert "no Chromium is here" in str(verify(hl.load_run("starter").use(dataset=mnist), starter))
    json.loads(starter.read_text().partition('id="network">')[2].partition("</script>")[0])
