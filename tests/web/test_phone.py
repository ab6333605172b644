"""A phone is let in to draw, by a link that works once: what is drawn shows up on the computer, and nothing else is open to it."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from web.looks import check_looks
from web.service import SEVEN, Reply, Service, draw, look, opened, read_link, running
from web.test_guard import HOSTS, address

from handlens.web import keys
from handlens.web.app import ROUTES
from handlens.web.asked import Lab
from handlens.web.keys import DRAWER, OWNER, VIEWER, Keys
from handlens.web.lan import listening_there
from handlens.web.serving import listening, make_server

PHONE = "127.0.0.2"  # this machine, as a phone would see it
HERE = frozenset({OWNER, VIEWER})
NETWORK = frozenset({DRAWER})


@pytest.fixture(scope="module")
def shared(home: Path) -> Iterator[Service]:
    """A lab that a phone can reach."""
    with running(home, "--run", "reader", "--port", "8920", "--lan", PHONE) as service:
        assert read_link(service.process, PHONE)
        yield service


def asked(lab: Service, method: str, path: str, cookie: str | None = None, host: str = "") -> Reply:
    """A request from the phone."""
    own = host or f"{PHONE}:{lab.port}"
    return lab.ask(method, path, b"" if method == "GET" else b"{}", lab.headers(host=own, origin=f"http://{own}", cookie=cookie), at=PHONE)


def invited(lab: Service) -> str:
    """The path of a new link for a phone."""
    link: str = lab.ask("POST", "/api/phone", {}).json["address"]
    return link.partition(str(lab.port))[2]


def let_in(lab: Service) -> str:
    """The cookie of a phone that was let in."""
    return asked(lab, "GET", invited(lab)).headers["set-cookie"].partition(";")[0]


def test_what_is_drawn_on_the_phone_shows_up_on_the_computer(browser: Browser, shared: Service) -> None:
    with opened(browser, shared) as computer, browser.new_context(has_touch=True, viewport={"width": 390, "height": 800}) as phone:
        screen = computer.new_page()
        screen.goto("/")
        screen.get_by_role("button", name="Phone").click()
        dialog = screen.locator("dialog")
        expect(dialog.locator("img.qr")).to_be_visible()
        link = dialog.locator("code").inner_text()
        dialog.get_by_role("button", name="Close").click()
        screen.locator("text=Clear").click()
        hand = phone.new_page()
        hand.goto(link)
        assert hand.url == f"http://{PHONE}:{shared.port}/phone"
        draw(hand, SEVEN)
        expect(hand.locator(".digit")).to_have_text("7")
        expect(screen.locator(".digit")).to_have_text("7")
        screen.keyboard.press("7")
        expect(screen.locator(".kept")).to_contain_text("✓ Kept as a 7")
        screen.locator("text=Take back").click()
        draw(hand, ONE)  # the phone has the seven still, and nobody cleared it
        wait_for(screen, lambda strokes: len(strokes) == 1 and strokes[0][0] == pytest.approx(ONE[0][0], abs=3))
        draw(hand, [[[60, 240], [200, 240]]])
        wait_for(screen, lambda strokes: len(strokes) == 2)
        hold(screen, (20, 20), (60, 60))
        draw(hand, ONE)
        screen.mouse.up()
        wait_for(screen, lambda strokes: len(strokes) == 3 and strokes[2][0] == pytest.approx([20, 20], abs=3))
        hand.locator("text=Clear").click()
        expect(screen.locator(".doubt")).to_contain_text("Too little ink")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_phones_page_and_its_invitation_break_no_rule_of_accessibility(browser: Browser, shared: Service, theme: Any) -> None:
    with opened(browser, shared, color_scheme=theme) as computer, browser.new_context(color_scheme=theme, has_touch=True) as phone:
        screen, hand = computer.new_page(), phone.new_page()
        screen.goto("/")
        screen.get_by_role("button", name="Phone").click()
        expect(screen.locator("dialog img.qr")).to_be_visible()
        check_looks(screen)
        link = screen.locator("dialog code").inner_text()
        hand.goto(link)
        expect(hand.locator(".said")).to_have_text("Draw a digit.")
        check_looks(hand)
        draw(hand, SEVEN)
        expect(hand.locator(".digit")).to_have_text("7")
        check_looks(hand)
        phone.clear_cookies()
        hand.goto(link)
        expect(hand.locator("h1")).to_contain_text("This link was used already")
        check_looks(hand)


def test_what_is_drawn_on_the_phone_while_the_lab_is_gone_comes_when_it_is_back(browser: Browser, shared: Service) -> None:
    with opened(browser, shared) as computer, browser.new_context(has_touch=True, viewport={"width": 390, "height": 800}) as phone:
        screen, hand = computer.new_page(), phone.new_page()
        screen.goto("/")
        hand.goto(f"http://{PHONE}:{shared.port}{invited(shared)}")
        screen.locator("text=Clear").click()
        phone.set_offline(True)
        draw(hand, ONE)
        expect(hand.locator("#notice")).to_contain_text("What you draw stays here")
        asked: list[str] = []
        hand.on("request", lambda request: asked.append(request.url))
        hand.wait_for_timeout(5000)
        assert len(asked) <= 3, "one question every two seconds, however often the finger moved"
        phone.set_offline(False)
        wait_for(screen, lambda strokes: len(strokes) == 1 and strokes[0][0] == pytest.approx(ONE[0][0], abs=3))
        expect(hand.locator("#notice")).to_be_hidden()


ONE = [[[140, 40], [140, 140], [138, 240]]]


def hold(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Begin a stroke with the mouse and do not lift it."""
    box = page.locator(".pad").bounding_box()
    assert box
    places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=3)


def wait_for(page: Page, is_right: Callable[[list[list[list[int]]]], bool]) -> None:
    """Wait until the drawing in the page's address is right."""

    def strokes(url: str) -> list[list[list[int]]]:
        text = parse_qs(urlsplit(url).query).get("strokes", [""])[0]
        numbers = [[int(stroke[place : place + 2], 36) for place in range(0, len(stroke), 2)] for stroke in text.split(".")]
        return [[list(pair) for pair in zip(stroke[::2], stroke[1::2], strict=True)] for stroke in numbers if stroke]

    page.wait_for_url(lambda url: is_right(strokes(url)), wait_until="commit")


def test_a_link_lets_one_phone_in_once(shared: Service) -> None:
    path = invited(shared)
    first = asked(shared, "GET", path)
    assert (first.status, first.headers["location"]) == (303, "/phone")
    again = asked(shared, "GET", path)
    assert again.status == 401
    assert "older than two minutes" in again.json["error"]


def test_a_link_is_worth_nothing_after_two_minutes_nor_a_phones_cookie_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (Keys(1, secret=b"s") for _ in range(2))
    assert first.redeem(first.new_link(DRAWER), NETWORK) == DRAWER
    assert first.redeem(first.new_link(DRAWER), HERE) == "", "a phone's link is for the network"
    assert first.redeem(first.new_link(), NETWORK) == "", "the owner's is not"
    monkeypatch.setattr(keys, "INVITED_S", 0)
    assert first.redeem(first.new_link(DRAWER), NETWORK) == ""
    assert first.cookie(OWNER) == second.cookie(OWNER)
    assert first.cookie(DRAWER) != second.cookie(DRAWER)


@pytest.mark.parametrize("route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES])
def test_a_phone_sees_its_own_routes_and_without_a_cookie_none(route: object, shared: Service, phone_cookie: str) -> None:
    assert isinstance(route, tuple)
    path, method, policy = address(route), route[1], route[2]  # type: ignore[arg-type]
    if policy.roles:
        assert asked(shared, method, path).status == 401
        for role in (OWNER, VIEWER):
            assert asked(shared, method, path, f"{shared.keys.name}={shared.keys.cookie(role)}").status == 401, "not in the network"
        status = asked(shared, method, path, phone_cookie).status
        assert status == 403 if DRAWER not in policy.roles else status in (200, 400)
        assert shared.ask(method, path, b"", shared.headers(cookie=phone_cookie)).status == 401, "not on this machine"


@pytest.fixture(scope="module")
def phone_cookie(shared: Service) -> str:
    return let_in(shared)


def test_at_each_address_the_lab_has_that_name_only(shared: Service, phone_cookie: str) -> None:
    assert asked(shared, "GET", "/phone", phone_cookie).status == 200
    for form in [*HOSTS, "127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"]:
        host = form.format(port=shared.port)
        if host != f"{PHONE}:{shared.port}":
            assert asked(shared, "GET", "/phone", phone_cookie, host).status == 421, host
    assert shared.ask("GET", "/api/lab", headers=shared.headers(host=f"{PHONE}:{shared.port}")).status == 421


def test_only_what_was_printed_is_listened_at(shared: Service) -> None:
    lines = [line for line in psutil.Process(shared.process.pid).net_connections() if line.status == psutil.CONN_LISTEN]
    assert {(line.laddr.ip, line.laddr.port) for line in lines} == {("127.0.0.1", shared.port), (PHONE, shared.port)}


def test_without_lan_no_phone_is_invited(lab: Service) -> None:
    assert lab.ask("POST", "/api/phone", {}).json["what to do"].endswith("handlens lab --lan")
    assert lab.ask("GET", "/api/phone/live").status == 400


@pytest.mark.parametrize(
    "given, said", [("999.1.1.1", "no address of four numbers"), ("203.0.113.9", "cannot listen"), ("0.0.0.0", "no network")]
)
def test_an_address_that_is_none_is_told(given: str, said: str) -> None:
    command = [sys.executable, "-m", "handlens", "lab", "--no-browser", "--lan", given]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert re.search(said, answer.stderr)


def drawn(lab: Service, cookie: str, strokes: object) -> Reply:
    """What is answered to a drawing on the phone."""
    own = f"{PHONE}:{lab.port}"
    headers = lab.headers(host=own, origin=f"http://{own}", cookie=cookie)
    return lab.ask("POST", "/api/phone/drawing", {"strokes": strokes}, headers, at=PHONE)


def test_a_page_that_is_looked_at_again_shows_what_was_drawn_meanwhile(browser: Browser, shared: Service, phone_cookie: str) -> None:
    with opened(browser, shared) as computer:
        screen = computer.new_page()
        with screen.expect_response("**/api/phone/live"):
            screen.goto("/")
        screen.wait_for_timeout(300)
        look(screen, seen=False)
        assert drawn(shared, phone_cookie, [*ONE, [[60, 240], [200, 240]]]).status == 200
        with screen.expect_response("**/api/phone/live?seen=*"):
            look(screen, seen=True)
        wait_for(screen, lambda strokes: len(strokes) == 2 and strokes[0][0] == pytest.approx(ONE[0][0], abs=3))


def test_a_phone_takes_one_thread_of_the_lab_however_much_it_sends(shared: Service, phone_cookie: str) -> None:
    process = psutil.Process(shared.process.pid)
    much = [[[place % 280, (7 * place) % 280] for place in range(4000)]] * 2
    assert drawn(shared, phone_cookie, much).status == 200
    before, during = process.num_threads(), []
    with ThreadPoolExecutor(24) as pool:
        asked = [pool.submit(drawn, shared, phone_cookie, much) for _ in range(48)]
        while not all(one.done() for one in asked):
            during.append(process.num_threads())
            time.sleep(0.01)
    assert {one.result().status for one in asked} == {200}
    assert max(during) <= before + 2
    assert drawn(shared, phone_cookie, [[[place, place] for place in range(4000)] for _ in range(4)]).status == 413


def test_a_phone_that_sends_without_end_is_told_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlens.web.asked.MOST_DRAWN", 3)
    with listening(0) as here, listening_there(PHONE, here.getsockname()[1]) as there:
        lab = Lab(here.getsockname()[1], Keys(here.getsockname()[1], secret=b"x"), "", print, PHONE)
        server = make_server(lab)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [here, there]})
        thread.start()
        try:
            nobody: Any = SimpleNamespace()
            service = Service(nobody, lab.port, "", Path())
            host = f"{PHONE}:{lab.port}"
            cookie = f"{lab.keys.name}={lab.keys.cookie(DRAWER)}"
            headers = {"host": host, "origin": f"http://{host}", "cookie": cookie, "content-type": "application/json"}
            answers = [service.ask("POST", "/api/phone/drawing", {"strokes": []}, headers, at=PHONE) for _ in range(4)]
        finally:
            server.should_exit = True
            thread.join(20)
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json["error"] == "The phone sends too much."
