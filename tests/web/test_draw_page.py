"""The page Draw in a real browser: drawn, answered, corrected, kept, taken back; by pointer, by keys, and while the lab is gone."""

from __future__ import annotations

import csv
import io
import json
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect
from web.service import SEVEN, Service, draw, opened, running

SMALL = [[[20 + x / 6, 20 + y / 6] for x, y in stroke] for stroke in SEVEN]


def digits(service: Service) -> list[dict[str, str]]:
    table = service.folder / "data" / "mine" / "digits.csv"
    return [*csv.DictReader(io.StringIO(table.read_text()))] if table.exists() else []


def answered(page: Page) -> str:
    expect(page.locator(".digit").first).not_to_have_text("–")
    return page.locator(".digit").first.inner_text()


def begun(page: Page, address: str = "/") -> Page:
    page.goto(address)
    answered(page)
    return page


def test_a_seven_is_drawn_and_read_while_it_is_drawn(page: Page) -> None:
    begun(page)
    page.locator("text=Clear").click()
    expect(page.locator(".doubt")).to_contain_text("Too little ink")
    expect(page.locator(".inside")).to_have_class("inside faded")  # no picture of a seven on an empty pad
    with page.expect_response("**/api/answer") as answer:
        draw(page, SEVEN)
    assert answer.value.ok
    expect(page.locator(".digit")).to_have_text("7")
    expect(page.locator(".bars .first .class")).to_have_text("7")
    expect(page.locator(".bars li")).to_have_count(10)
    expect(page.locator("#spoken")).to_contain_text("7, ")
    expect(page.locator(".said")).to_contain_text("second guess")
    expect(page.locator(".inside")).to_have_class("inside")
    expect(page.locator(".brief")).to_be_hidden()
    page.set_viewport_size({"width": 320, "height": 640})
    expect(page.locator(".brief")).to_be_in_viewport()
    expect(page.locator(".brief")).to_contain_text("7 · ")


def test_it_opens_with_a_digit_that_is_already_answered_and_looked_into(page: Page) -> None:
    begun(page)
    expect(page.locator(".digit")).to_have_text("7")
    expect(page.locator("#layers figure")).not_to_have_count(0)
    expect(page.locator("#layers figcaption").first).to_contain_text("6 tiles of 28×28")
    expect(page.locator(".caption")).to_have_text("What speaks for 7, by a method called Grad-CAM")
    pixels = "document.querySelectorAll('.input')[1].getContext('2d').getImageData(0, 0, 28, 28).data"
    assert page.evaluate(f"() => new Set({pixels}).size") > 20
    page.locator("text=Each step on the way").click()
    expect(page.locator(".stages li")).to_have_count(9)


def test_a_drawing_is_corrected_kept_and_taken_back(page: Page, lab: Service) -> None:
    begun(page)
    draw(page, SEVEN)
    answered(page)
    before = digits(lab)
    page.keyboard.press("4")
    expect(page.locator(".kept")).to_contain_text("✓ Kept as a 4")
    (digit,) = [each for each in digits(lab) if each not in before]
    assert (digit["label"], digit["source"]) == ("4", "drawn in the lab")
    pictures = lab.folder / "data" / "mine" / "pictures"
    strokes = json.loads((pictures / f"{digit['id']}.json").read_text())
    assert len(strokes) == 1
    assert strokes[0][0] == pytest.approx(SEVEN[0][0], abs=1)
    assert (pictures / f"{digit['id']}.png").read_bytes().startswith(b"\x89PNG")
    page.locator("text=Take back").click()
    expect(page.locator(".kept")).to_have_text("Taken back.")
    assert digits(lab) == before
    assert not (pictures / f"{digit['id']}.png").exists()


def test_by_the_keyboard_alone_a_digit_is_drawn_kept_undone_and_cleared(page: Page, lab: Service) -> None:
    begun(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "pad":
            break
    page.keyboard.press(" ")
    for key in ["ArrowRight"] * 8 + ["ArrowDown"] * 16:
        page.keyboard.press(key)
    page.keyboard.press(" ")
    page.wait_for_load_state("networkidle")
    label = answered(page)
    before = len(digits(lab))
    page.keyboard.press("Enter")
    expect(page.locator(".kept")).to_contain_text(f"✓ Kept as a {label}")
    assert len(digits(lab)) == before + 1
    for key in [" ", *["ArrowLeft"] * 12, " "]:  # a stroke of another digit, from the first press on
        page.keyboard.press(key)
    expect(page.locator(".doubt")).not_to_contain_text("Too little ink")
    page.keyboard.press("Backspace")
    expect(page.locator(".doubt")).to_contain_text("Too little ink")
    draw(page, SEVEN)
    expect(page.locator(".digit")).to_have_text("7")
    page.keyboard.press("x")
    expect(page.locator(".doubt")).to_contain_text("Too little ink")
    for key, name in {"t": "Train", "r": "Runs", "d": "Draw"}.items():
        page.keyboard.press(key)
        expect(page.locator("nav a[aria-current]")).to_have_text(name)
    answered(page)
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("undo the last stroke")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.url.endswith("/")


def test_a_mouse_of_the_number_0_lifts_its_pen(page: Page) -> None:
    """Firefox gives the mouse this number."""
    begun(page)
    strokes = page.evaluate("""async () => {
        const { DrawPad } = await import("/static/drawpad.js");
        const canvas = document.body.appendChild(document.createElement("canvas"));
        canvas.setPointerCapture = () => {};
        const pad = new DrawPad(canvas);
        const send = (kind, at) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 0, clientX: at, clientY: at }));
        for (const [kind, at] of [["down", 10], ["move", 30], ["up", 30], ["move", 50], ["move", 70]]) send(`pointer${kind}`, at);
        return pad.strokes.map((stroke) => stroke.length);
    }""")
    assert strokes == [2]


def test_a_share_is_never_rounded_to_certainty(page: Page) -> None:
    page.goto("/course")
    code = "async () => { const { percent } = await import('/static/dom.js'); return [0, 0.0009, 0.5, 0.9994, 0.9995, 1].map(percent); }"
    assert page.evaluate(code) == ["<\xa00.1\xa0%", "<\xa00.1\xa0%", "50\xa0%", "99.9\xa0%", ">\xa099.9\xa0%", ">\xa099.9\xa0%"]


def test_a_run_that_cannot_be_asked_is_said(page: Page) -> None:
    page.goto("/?run=nobody")
    expect(page.locator("[role=alert].trouble")).to_contain_text("There is no run nobody here. ")
    answered(page)


def test_without_centring_the_network_gets_the_pad_as_it_is(page: Page) -> None:
    code = """() => { const c = document.querySelector(".input"), d = c.getContext("2d").getImageData(0, 0, 28, 28).data;
        let [x, y, all] = [0, 0, 0]; for (let i = 0; i < 784; i++) { x += d[4*i]*(i%28); y += d[4*i]*Math.floor(i/28); all += d[4*i]; }
        return [x / all, y / all]; }"""

    def wait_for_mass(near: float) -> None:
        deadline = time.monotonic() + 20
        while (found := page.evaluate(code)) != pytest.approx([near, near], abs=1.5):
            assert time.monotonic() < deadline, found
            page.wait_for_timeout(50)

    begun(page)
    page.locator("text=Clear").click()
    draw(page, SMALL)
    wait_for_mass(13.5)
    page.locator("#centre").uncheck()
    wait_for_mass(3.6)
    assert "centre=off" in page.url
    begun(page, page.url)
    expect(page.locator("#centre")).not_to_be_checked()


def test_a_drawing_and_the_pen_stand_in_the_address_until_it_is_kept(page: Page, lab: Service) -> None:
    seven = [[[x, 30 + 0.8 * y] for x, y in SEVEN[0]]]  # no other test keeps it
    begun(page)
    page.locator("text=Clear").click()
    draw(page, seven)
    page.get_by_label("thin pen").check()
    page.wait_for_url("**strokes=**")
    assert "pen=thin" in page.url
    read = answered(page)
    begun(page, page.url)
    expect(page.locator(".digit")).to_have_text(read)
    expect(page.get_by_label("thin pen")).to_be_checked()
    before = digits(lab)
    page.keyboard.press("7")
    expect(page.locator(".kept")).to_contain_text("Kept as a 7")
    page.wait_for_url(lambda url: "strokes" not in url)
    (digit,) = [each for each in digits(lab) if each not in before]
    (stroke,) = json.loads((lab.folder / "data" / "mine" / "pictures" / f"{digit['id']}.json").read_text())
    for x, y in seven[0]:
        assert min(abs(x - a) + abs(y - b) for a, b in stroke) < 6


def slanted(by: float) -> list[list[list[float]]]:
    """A seven that no other test keeps."""
    return [[[x + by * (y - 60) / 160, y] for x, y in SEVEN[0]]]


def test_what_is_kept_at_once_does_not_come_back_into_the_address(page: Page) -> None:
    begun(page)
    page.locator("text=Clear").click()
    draw(page, slanted(20))
    page.keyboard.press("7")
    expect(page.locator(".kept")).to_contain_text("Kept as a 7")
    page.wait_for_timeout(700)
    assert "strokes" not in page.url
    page.locator("text=Take back").click()


def test_another_digit_mends_what_was_just_kept(page: Page, lab: Service) -> None:
    begun(page)
    before = digits(lab)
    draw(page, slanted(30))
    page.keyboard.press("7")
    page.keyboard.press("3")  # while the first is on its way
    expect(page.locator(".kept")).to_contain_text("✓ It is a 3 now.")
    page.keyboard.press("2")
    expect(page.locator(".kept")).to_contain_text("✓ It is a 2 now.")
    page.keyboard.press("Enter")  # what it was read as is no better word than that
    (digit,) = [each for each in digits(lab) if each not in before]
    assert digit["label"] == "2"
    draw(page, slanted(40))
    page.keyboard.press("7")
    expect(page.locator(".kept")).to_contain_text("✓ Kept as a 7")
    page.locator("text=Take back").click()
    expect(page.locator(".kept")).to_have_text("Taken back.")
    assert digits(lab) == [*before, digit]
    assert lab.ask("DELETE", f"/api/digits/{digit['id']}").status == 200


def test_enter_keeps_only_what_was_read_as_it_is_now(page: Page, lab: Service) -> None:
    begun(page)
    draw(page, SEVEN)
    expect(page.locator("#spoken")).to_contain_text("7, ")
    page.route("**/api/answer", lambda route: route.abort())
    draw(page, [[[60, 140], [140, 150], [200, 140]]])
    expect(page.locator(".doubt")).to_contain_text("does not answer")
    before = digits(lab)
    page.keyboard.press("Enter")
    page.unroute("**/api/answer")
    page.locator("#photo").focus()
    page.keyboard.press("Backspace")  # takes the last stroke away
    expect(page.locator("#spoken")).to_contain_text("7, ")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Enter")  # here it opens the choice of a file
    page.wait_for_timeout(300)
    assert digits(lab) == before


def test_of_two_tabs_that_keep_one_drawing_the_second_is_told(page: Page, lab: Service) -> None:
    begun(page)
    page.locator("text=Clear").click()
    draw(page, slanted(-20))
    page.wait_for_url("**strokes=**")
    other = begun(page.context.new_page(), page.url)
    begun(page, page.url)
    page.keyboard.press("7")
    expect(page.locator(".kept")).to_contain_text("Kept as a 7")
    before = digits(lab)
    other.keyboard.press("4")
    expect(other.locator(".kept")).to_contain_text("It is among your digits already, as another digit. To change that,")
    assert digits(lab) == before
    page.locator("text=Take back").click()
    expect(page.locator(".kept")).to_have_text("Taken back.")


def test_several_digits_are_doubted_and_kept_only_if_one_insists(page: Page, lab: Service) -> None:
    begun(page)
    page.locator("text=Clear").click()
    draw(page, [[[x / 2.4, y] for x, y in SEVEN[0]], [[150 + x / 2.4, y] for x, y in SEVEN[0]]])
    expect(page.locator(".doubt")).to_contain_text("More than one digit?")
    page.keyboard.press("7")
    page.locator("text=Keep it anyway").click()
    expect(page.locator(".kept")).to_contain_text("✓ Kept as a 7")
    page.locator("text=Take back").click()


def test_a_photo_is_read_and_kept(page: Page, lab: Service, tmp_path: Path) -> None:
    photo = Image.new("RGB", (400, 500), "#e8e4da")
    ImageDraw.Draw(photo).line([(x * 1.2 + 30, y * 1.4 + 60) for x, y in SEVEN[0]], fill="#223", width=26, joint="curve")
    photo.save(tmp_path / "seven.jpg")
    begun(page)
    with page.expect_response("**/api/photo*"):
        page.locator("#photo").set_input_files(tmp_path / "seven.jpg")
    expect(page.locator(".stages li")).to_have_count(9)
    expect(page.locator(".digit")).to_have_text("7")
    page.get_by_label("thick pen").check()
    page.keyboard.press("Backspace")
    page.keyboard.press("7")
    expect(page.locator(".kept")).to_contain_text("✓ Kept as a 7")
    assert digits(lab)[-1]["source"] == "a photo in the lab"
    page.locator("#photo").set_input_files({"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(page.locator(".kept")).to_contain_text("This is no picture that can be read")


def test_the_measured_time_is_shown_where_it_is_asked_for(page: Page) -> None:
    begun(page, "/?debug=1")
    draw(page, SEVEN)
    expect(page.locator("#debug")).to_contain_text("stroke to answer:")


def test_show_code_names_the_run(page: Page) -> None:
    begun(page)
    page.locator("text=Show code").first.click()
    expect(page.locator("pre code").first).to_contain_text('hl.load_run("reader")')


def test_drawings_wait_while_the_lab_is_gone_and_are_sent_when_it_is_back(browser: Browser, home: Path) -> None:
    with running(home, "--run", "reader", "--port", "8870") as first, opened(browser, first) as context:
        page = begun(context.new_page())
        draw(page, SEVEN)
        answered(page)
        before = len(digits(first))
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
        page.keyboard.press("7")
        expect(page.locator("#notice")).to_contain_text("1 drawing waits")
        with running(home, "--run", "reader", "--port", "8870") as second:
            assert second.port == first.port
            expect(page.locator("#notice")).to_be_hidden(timeout=15_000)
            assert len(digits(second)) == before + 1


def test_what_waits_is_sent_from_any_page(page: Page, lab: Service) -> None:
    before = len(digits(lab))
    waiting = [{"strokes": slanted(50), "label": 7, "anyway": False}]
    page.goto("/course")
    page.evaluate("waiting => localStorage.setItem('handlens-outbox', JSON.stringify(waiting))", waiting)
    page.reload()
    until = time.monotonic() + 20
    while page.evaluate("localStorage.getItem('handlens-outbox')") != "[]":
        assert time.monotonic() < until
        page.wait_for_timeout(50)
    assert len(digits(lab)) == before + 1
    assert lab.ask("DELETE", f"/api/digits/{digits(lab)[-1]['id']}").status == 200


OFTEN = """async () => {
  const { fromAddress, setAddress } = await import("/static/api.js");
  const [real, at] = [history.replaceState.bind(history), () => new URL(location.href).searchParams.get("at")];
  let written = 0;
  history.replaceState = (...what) => {
    written += 1;
    if (written === 3) throw new DOMException("too often", "SecurityError");
    real(...what);
  };
  for (let number = 1; number <= 200; number += 1) setAddress({ at: String(number) });
  const asked = fromAddress("at");
  while (at() !== "200") await new Promise((done) => setTimeout(done, 20));
  return [asked, written];
}"""


def test_an_address_that_changes_often_is_written_less_often_and_at_last_right(page: Page) -> None:
    page.goto("/course")
    asked, written = page.evaluate(OFTEN)
    assert asked == "200"
    assert written < 30


def test_where_nothing_was_trained_the_starter_answers(browser: Browser, tmp_path: Path) -> None:
    with running(tmp_path, "--port", "8890") as service, opened(browser, service) as context:
        page = context.new_page()
        page.goto("/")
        expect(page.locator("main option")).to_contain_text("starter")
        expect(page.locator("[role=alert]")).to_have_count(0)
        expect(page.locator(".digit")).to_have_text("7")


def test_rebinding_reads_nothing(browser: Browser, lab: Service) -> None:
    evil = browser.new_context()
    page = evil.new_page()
    for path in ("/", "/api/lab", "/api/models", "/start?key=x"):
        answer = page.goto(f"http://evil.test:{lab.port}{path}")
        assert answer is not None
        assert answer.status == 421
    evil.close()


class _Attack(BaseHTTPRequestHandler):
    """A page of another server on this machine: the same site to a browser, another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>attack</title><p>Look at my kittens.</p>")

    def log_message(self, *_: Any) -> None:
        pass


ATTACK = """async (lab) => {
  const body = JSON.stringify({strokes: [[[70, 60], [200, 60], [120, 220]]], label: 3});
  const tries = ["text/plain", "application/json"].flatMap((type) => ["cors", "no-cors"].map((mode) => ({type, mode})));
  const read = [];
  for (const {type, mode} of tries)
    read.push(await fetch(lab + "/api/digits", {method: "POST", mode, credentials: "include", headers: {"content-type": type}, body})
      .then((answer) => answer.type === "opaque" ? "opaque" : answer.text(), () => "refused"));
  for (const path of ["/api/lab", "/api/digits", "/static/app.js"])
    read.push(await fetch(lab + path, {credentials: "include"}).then((answer) => answer.text(), () => "refused"));
  const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), {name: "there"}));
  const post = {action: lab + "/api/digits", method: "post", enctype: "text/plain", target: "there"};
  const form = Object.assign(document.createElement("form"), post);
  form.appendChild(Object.assign(document.createElement("input"), {name: body.slice(0, -1) + ', "x": "', value: '"}'}));
  document.body.appendChild(form).submit();
  await new Promise((done) => setTimeout(done, 500));
  return read;
}"""


def test_a_page_on_another_port_changes_and_reads_nothing(browser: Browser, lab: Service) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Attack)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context()
    try:
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie("owner"), "url": f"http://{lab.host}"}])
        before = digits(lab)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        assert set(page.evaluate(ATTACK, f"http://{lab.host}")) <= {"refused", "opaque"}
        assert digits(lab) == before
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()
