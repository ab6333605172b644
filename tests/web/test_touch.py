"""Fingers, pens and the hands that hold them, as a touch screen reports them to the browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page, expect
from web.service import SEVEN, Service, opened
from web.test_phone import wait_for

Point = tuple[float, float]


class Screen:
    """A touch screen: what touches it is told to the browser itself, which makes events, gestures and scrolling of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)

    def on_pad(self, x: float, y: float) -> Point:
        """Where a point of the pad is on the screen."""
        box = self.page.locator(".pad").bounding_box()
        assert box is not None
        return box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280

    def touch(self, kind: str, **fingers: Point) -> None:
        """All that touch the screen now: `a` to `e`."""
        points = [{"x": x, "y": y, "id": ord(name), "radiusX": 4, "radiusY": 4} for name, (x, y) in fingers.items()]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def finger(self, stroke: Sequence[Sequence[float]]) -> None:
        """Draw a stroke with one finger."""
        for number, (x, y) in enumerate(stroke):
            self.touch("touchMove" if number else "touchStart", a=self.on_pad(x, y))
        self.touch("touchEnd")

    def pen(self, kind: str, point: Sequence[float], button: str) -> None:
        """A pen, down, moving or up, on the pad."""
        across, down = self.on_pad(*point)
        pressed = {"button": button, "buttons": 1, "clickCount": 1, "force": 0.5, "pointerType": "pen"}
        self.session.send("Input.dispatchMouseEvent", {"type": kind, "x": across, "y": down, **pressed})

    def pen_stroke(self, stroke: Sequence[Sequence[float]], button: str = "left") -> None:
        """Draw a stroke with a pen."""
        for number, point in enumerate(stroke):
            self.pen("mouseMoved" if number else "mousePressed", point, button)
        self.pen("mouseReleased", stroke[-1], button)


@pytest.fixture
def screen(browser: Browser, lab: Service) -> Iterator[Screen]:
    """The page Draw on a phone, its pad empty."""
    with opened(browser, lab, has_touch=True) as context:
        page = context.new_page()
        page.set_viewport_size({"width": 320, "height": 640})
        page.goto("/")
        expect(page.locator(".digit")).to_have_text("7")
        page.locator("text=Clear").click()
        page.locator(".pad").scroll_into_view_if_needed()
        yield Screen(page)


def near(stroke: Sequence[Sequence[float]], start: Sequence[float], end: Sequence[float]) -> bool:
    """Whether a stroke begins and ends there."""
    return [stroke[0][0], stroke[0][1], stroke[-1][0], stroke[-1][1]] == pytest.approx([*start, *end], abs=3)


def test_a_finger_draws_and_the_page_stays_where_it_is(screen: Screen) -> None:
    page = screen.page
    before = page.evaluate("scrollY")
    screen.finger([(140, 250 - 20 * step) for step in range(12)])
    wait_for(page, lambda strokes: len(strokes) == 1 and near(strokes[0], (140, 250), (140, 30)))
    assert page.evaluate("scrollY") == before
    beside = page.locator("nav").bounding_box()  # the same way beside the pad does move the page
    assert beside is not None
    page.evaluate("scrollTo(0, 0)")
    for step in range(12):
        screen.touch("touchMove" if step else "touchStart", a=(160, 500 - 30 * step) if step else (160, 600))
    screen.touch("touchEnd")
    page.wait_for_function("scrollY > 50")


def test_a_seven_of_a_finger_is_read(screen: Screen) -> None:
    screen.finger(SEVEN[0])
    expect(screen.page.locator(".digit")).to_have_text("7")
    expect(screen.page.locator(".brief")).to_contain_text("7 · ")


def test_a_palm_that_comes_and_goes_does_not_break_the_stroke(screen: Screen) -> None:
    palm, other = screen.on_pad(240, 240), screen.on_pad(250, 262)
    start, *way = [screen.on_pad(*point) for point in SEVEN[0]]
    screen.touch("touchStart", a=start)
    screen.touch("touchMove", a=way[0])
    screen.touch("touchStart", a=way[0], b=palm)
    for point in way[1:-2]:
        screen.touch("touchMove", a=point, b=other)
    screen.touch("touchMove", a=way[-2])  # the palm is lifted
    screen.touch("touchMove", a=way[-1])
    screen.touch("touchEnd")
    wait_for(screen.page, lambda strokes: len(strokes) == 1 and near(strokes[0], SEVEN[0][0], SEVEN[0][-1]))
    expect(screen.page.locator(".digit")).to_have_text("7")


def test_a_pen_draws_and_the_hand_that_holds_it_does_not(screen: Screen) -> None:
    palm = screen.on_pad(240, 260)
    screen.touch("touchStart", a=palm)  # it lies down before its pen
    screen.touch("touchMove", a=(palm[0] - 5, palm[1] - 5))
    screen.pen_stroke(SEVEN[0])
    screen.touch("touchEnd")
    screen.touch("touchStart", a=palm)  # and moves on to the next stroke
    screen.touch("touchMove", a=(palm[0] - 9, palm[1] - 9))
    screen.touch("touchEnd")
    screen.pen_stroke([(90, 140), (190, 150)])
    wait_for(
        screen.page,
        lambda strokes: len(strokes) == 2 and near(strokes[0], SEVEN[0][0], SEVEN[0][-1]) and near(strokes[1], (90, 140), (190, 150)),
    )


def test_the_other_button_of_a_pen_does_not_draw(screen: Screen) -> None:
    screen.pen_stroke([(20, 20), (60, 60)], "right")
    screen.pen_stroke(SEVEN[0])
    wait_for(screen.page, lambda strokes: len(strokes) == 1 and near(strokes[0], SEVEN[0][0], SEVEN[0][-1]))


def test_after_the_pen_a_finger_may_draw_again(screen: Screen) -> None:
    screen.pen_stroke([(60, 60), (200, 60)])
    screen.page.wait_for_timeout(1100)
    screen.finger([(200, 60), (120, 220)])
    wait_for(screen.page, lambda strokes: len(strokes) == 2)


def test_a_touch_that_the_system_takes_away_ends_its_stroke(screen: Screen) -> None:
    screen.touch("touchStart", a=screen.on_pad(60, 60))
    screen.touch("touchMove", a=screen.on_pad(120, 60))
    screen.touch("touchCancel")
    screen.finger([(200, 60), (120, 220)])
    wait_for(screen.page, lambda strokes: len(strokes) == 2 and near(strokes[1], (200, 60), (120, 220)))
