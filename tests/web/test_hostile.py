"""Attacks on a running lab, in numbers: paths, hosts, forged requests, floods, HTML in every text, other pages in a real browser."""

from __future__ import annotations

import contextlib
import csv
import http.client
import io
import itertools
import json
import random
import re
import shutil
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from corpus import FULL, amount, commit
from playwright.sync_api import Browser, Page
from web import payloads
from web.service import SEVEN, Reply, Service, running
from web.test_guard import METHODS, NAMED, address

from handlens.web.app import ROUTES, Route
from handlens.web.keys import OWNER, VIEWER, Keys

Record = Callable[[str, object], None]
CANARY = "the canary outside of every folder"
WEB = Path(__file__).resolve().parents[2] / "src" / "handlens" / "web"
QUERIES = sorted({name for path in WEB.glob("*.py") for name in re.findall(r"asked\.query(?:\.get\(|\[)\"(\w+)\"", path.read_text())})
WITH_QUERY = (("GET", "/start"), ("POST", "/api/photo"), ("POST", "/api/own/file"), ("GET", "/api/digits/of/7"))
Place = Callable[[str], tuple[str, str, bytes]]
LONG = ("/live",)  # what is a stream when it is answered at all


class Line:
    """One connection that is kept: thousands of requests in seconds."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply:
        """As `Service.ask`."""
        try:
            self.connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.connection.putheader(name, value.encode("utf-8", "surrogateescape"))
            self.connection.endheaders(body)
            answer = self.connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        except (ValueError, UnicodeEncodeError):  # no client can send this; then it cannot arrive
            self.connection.close()
            return Reply(400, {}, b"")
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()
            return Reply(0, {}, b"")


@pytest.fixture
def line(lab: Service) -> Iterator[Line]:
    found = Line(lab)
    yield found
    found.connection.close()


def drawn(cases: list[Any], name: str, quick: int) -> list[Any]:
    """So many of the cases, chosen by the commit; all of them in the long tests."""
    count = min(len(cases), amount(name, quick))
    return random.Random(commit()).sample(cases, count) if count < len(cases) else cases


def places() -> list[Place]:
    """Every place of a request in which a text can stand: parts of addresses, queries, fields of JSON."""
    found: list[Place] = []
    for route in ROUTES:
        found += [partial(_in_path, route, part) for part in re.findall(r"\{\w+\}", route.path)]
    for name in QUERIES:
        found += [partial(_in_query, method, path, name) for method, path in WITH_QUERY]
    bodies: list[Callable[[str], tuple[str, object]]] = [
        lambda text: ("/api/answer", {"strokes": SEVEN, "run": text[:64]}),
        lambda text: ("/api/answer", {"strokes": SEVEN, "off": {text[:200]: [0]}}),
        lambda text: ("/api/unit", {"strokes": SEVEN, "layer": text[:200], "place": [0]}),
        lambda text: ("/api/augmented", {"name": text[:64]}),
        lambda text: ("/api/own/delete", {"digits": [text[:12]]}),
        *(
            lambda text, knob=knob: ("/api/estimate", {"preset": "session", "knobs": {knob: text}})
            for knob in ("model", "data", "with_data", "init_from")
        ),
        lambda text: ("/api/estimate", {"preset": text[:64]}),
    ]
    return [*found, *(partial(_in_body, make) for make in bodies)]


def _in_path(route: Route, part: str, text: str) -> tuple[str, str, bytes]:
    path = route.path.replace(part, "{}")
    for name, value in NAMED.items():
        path = path.replace(name, value)
    return route.method, path.replace("{}", payloads.in_address(text)), b"{}" if route.policy.body else b""


def _in_query(method: str, path: str, name: str, text: str) -> tuple[str, str, bytes]:
    return method, f"{path}?{name}={payloads.in_address(text)}", b"x" if method == "POST" else b""


def _in_body(make: Callable[[str], tuple[str, object]], text: str) -> tuple[str, str, bytes]:
    path, body = make(text)
    return "POST", path, json.dumps(body).encode()


def test_two_thousand_texts_in_every_place_reach_no_file(lab: Service, line: Line, record_property: Record) -> None:
    texts = payloads.paths()
    assert len(set(texts)) > 2000
    outside = lab.folder / "canary.txt"
    outside.write_text(CANARY)
    inside = lab.folder / "runs" / "link"
    inside.symlink_to(lab.folder.parent)
    before = sorted(path.name for path in (lab.folder / "runs").iterdir())
    asked = 0
    try:
        for text, place in itertools.product(drawn(texts, "traversals", 15), places()):
            method, path, body = place(text)
            kind = "application/octet-stream" if body == b"x" else "application/json"
            answer = line.ask(method, path, lab.headers(content_type=kind), body)
            assert answer.status != 500, (method, path, body)
            assert not answer.status or 200 <= answer.status < 600
            assert CANARY.encode() not in answer.body
            assert b"root:x:0" not in answer.body
            assert lab.keys._secret not in answer.body
            asked += 1
        assert sorted(path.name for path in (lab.folder / "runs").iterdir()) == before
    finally:
        inside.unlink()
        outside.unlink()
    record_property("cases", asked)


def test_two_hundred_forms_of_host_are_refused(lab: Service, line: Line, record_property: Record) -> None:
    forms = payloads.hosts(lab.port)
    assert len(set(forms)) >= 200
    for form in forms:
        assert line.ask("GET", "/api/lab", lab.headers(host=form, origin=None)).status in (0, 400, 421), form
    for path in (f"http://evil.test:{lab.port}/api/lab", f"http://{lab.host}/api/lab", "//evil.test/api/lab"):
        assert line.ask("GET", path, lab.headers(host="evil.test", origin=None)).status in (0, 400, 404, 421), path
    record_property("cases", len(forms))


ORIGINS = {"none": None, "null": "null", "other port": "http://127.0.0.1:1", "own": "own"}
COOKIES = {"none": None, "wrong": "wrong", "of another port": "other", "own": "own"}


def test_no_method_with_any_headers_is_accepted_without_the_exact_origin_and_the_cookie(
    lab: Service, line: Line, record_property: Record
) -> None:
    other = Keys(lab.port + 1, secret=lab.keys._secret).cookie(OWNER)
    values = {"own": lab.keys.cookie(OWNER), "wrong": "0" * 64, "other": other}
    cases = list(itertools.product(ROUTES, METHODS, ORIGINS, COOKIES))
    tried = 0
    for route, method, origin, cookie in drawn(cases, "header_cases", 400):
        declared = {one.method for one in ROUTES if address(one) == address(route)}
        right = origin == "own" and cookie == "own"
        if right and method in declared:
            continue  # what is meant to be done is tried elsewhere
        given = COOKIES[cookie] and f"{lab.keys.name}={values[COOKIES[cookie] or '']}"
        chosen = f"http://{lab.host}" if origin == "own" else ORIGINS[origin]
        answer = line.ask(method, address(route), lab.headers(origin=chosen, cookie=given), b"{}" if method in ("POST", "DELETE") else b"")
        reads = method == "GET" and cookie == "own"
        assert answer.status >= 400 or reads or route.path == "/start", (route.path, method, origin, cookie, answer.status)
        assert not [name for name in answer.headers if name.startswith("access-control")]
        tried += 1
    record_property("cases", tried)


def offer(lab: Service, gibibytes: int, chunked: bool, results: list[tuple[int, int]]) -> None:
    """Offer far more than is taken; note how much was sent, and the status."""
    length = "transfer-encoding: chunked" if chunked else f"content-length: {gibibytes << 30}"
    head = "".join(f"{name}: {value}\r\n" for name, value in lab.headers().items())
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n" if chunked else b" " * 0x10000
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", lab.port), timeout=20) as there:
        there.sendall(f"POST /api/answer HTTP/1.1\r\n{head}{length}\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            while sent < gibibytes << 30:
                there.sendall(piece)
                sent += 0x10000
        with contextlib.suppress(OSError):
            answer = there.recv(64)
    results.append((sent, int(answer.split()[1]) if answer else 0))


def test_fifty_that_offer_a_gibibyte_each_are_read_no_further_than_allowed(lab: Service) -> None:
    process = psutil.Process(lab.process.pid)
    before = process.memory_info().rss
    results: list[tuple[int, int]] = []
    threads = [threading.Thread(target=offer, args=[lab, 1, bool(place % 2), results]) for place in range(50)]
    for thread in threads:
        thread.start()
    most = before
    while any(thread.is_alive() for thread in threads):
        most = max(most, process.memory_info().rss)
        threads[0].join(0.05)
        threads = [thread for thread in threads if thread.is_alive()] or threads[:1]
    assert len(results) == 50
    assert all(status in (0, 413, 503) for _, status in results)
    assert max(sent for sent, _ in results) < 16 << 20  # most of it in the buffers of the system
    assert most - before < 64 << 20
    assert lab.ask("GET", "/api/lab").status == 200


@pytest.mark.skipif(not FULL, reason="it waits for the ten seconds that a body may take: make test-full PART=attacks")
def test_who_sends_a_body_too_slowly_is_told_and_the_line_is_closed(lab: Service) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in lab.headers().items())
    with socket.create_connection(("127.0.0.1", lab.port), timeout=60) as there:
        there.sendall(f"POST /api/answer HTTP/1.1\r\n{head}content-length: 1000\r\n\r\n ".encode())
        told = b""
        while piece := there.recv(4096):
            told += piece
    assert told.split()[1] == b"408"


def png_of(width: int, height: int) -> bytes:
    """A PNG file that says it is so large, and is not."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("path", ["/api/photo", "/api/digits/photo/7", "/api/own/file?name=7.png", "/api/own/sheet"])
def test_a_picture_of_ten_thousand_million_pixels_is_refused_from_its_header(lab: Service, path: str) -> None:
    answer = lab.ask("POST", path, png_of(100_000, 100_000), lab.headers(content_type="image/png"))
    said = answer.json["left"][0]["why"] if answer.status == 200 else answer.json["error"]
    assert answer.status in (200, 422)
    assert "pixels" in said


@pytest.fixture(scope="module")
def told(home: Path, tmp_path_factory: pytest.TempPathFactory, mnist: Any) -> Iterator[Service]:
    """A lab where every text that comes from outside is an attack: runs, classes, notes, data sets, digits."""
    folder = tmp_path_factory.mktemp("told")
    texts = payloads.html()
    assert len(texts) == 150
    (folder / "data").mkdir()
    (folder / "data" / "mnist").symlink_to(home / "data" / "mnist")
    for number in range(15):
        run = folder / "runs" / f"hostile-{number}"
        shutil.copytree(home / "runs" / "reader", run)
        about = json.loads((run / "run.json").read_text())
        mine = texts[10 * number : 10 * number + 10]
        for name, value in about.items():
            if name == "classes" and number:
                about[name] = mine
            elif name in ("note", "title", "commit", "problem"):
                about[name] = mine[0]
            elif name in ("tags",):
                about[name] = mine[1:4]
            elif isinstance(value, str) and name == "folder":
                about[name] = mine[2]
        (run / "run.json").write_text(json.dumps(about))
    (folder / "runs" / texts[0].replace("/", "_")[:80]).mkdir()
    rows = [["id", "label", "part", "how", "added", "source"]]
    rows += [[f"{number:012x}", str(number % 10), "train", text, text, text] for number, text in enumerate(texts)]
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    (folder / "data" / "mine" / "pictures").mkdir(parents=True)
    (folder / "data" / "mine" / "digits.csv").write_text(table.getvalue())
    with running(folder, "--port", "8940") as service:
        yield service


WATCH = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (event) => window.reports.push(event.violatedDirective + " " + event.blockedURI));
"""
SHELL = sorted({route.path for route in ROUTES if route.method == "GET" and "/api" not in route.path and "{" not in route.path})


def test_a_hundred_and_fifty_texts_that_would_be_html_are_only_text_on_every_page(browser: Browser, told: Service, tmp_path: Path) -> None:
    with browser.new_context() as context:
        context.add_cookies([{"name": told.keys.name, "value": told.keys.cookie("owner"), "url": f"http://{told.host}"}])
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))

        def clean(where: str) -> None:
            assert page.evaluate("window.hit") is None, where
            assert page.evaluate("window.reports") == [], where

        for path in [path for path in SHELL if path not in ("/start", "/phone", "/learner")]:
            page.goto(f"http://{told.host}{path}")
            page.locator("main h1").wait_for(state="attached")
            page.wait_for_timeout(100)
            clean(path)
        for path in ("/runs?runs=hostile-3", "/runs?runs=hostile-1,hostile-2", "/errors?run=hostile-4", "/?run=hostile-5"):
            page.goto(f"http://{told.host}{path}")
            page.locator("main h1").wait_for(state="attached")
            page.wait_for_timeout(1500)
            clean(path)
        for label in range(10):
            page.goto(f"http://{told.host}/data?label={label}")
            page.locator(".tiles button").first.wait_for()
            assert page.locator(".tiles button").count() == 15
            clean(f"/data?label={label}")
        named = [{"name": f"{text.replace('/', '_')[:80]}.png", "mimeType": "image/png", "buffer": b"x"} for text in payloads.html()[::3]]
        page.locator("#import-files").set_input_files(named)  # type: ignore[arg-type]
        page.locator(".left-out tbody tr").nth(48).wait_for()
        clean("names of files")
        for text in drawn(payloads.html(), "texts", 5):
            given = quote(text)
            page.goto(f"http://{told.host}/?run={given}&beside={given}&off={given}&strokes={given}&pen={given}")
            page.locator(".bars").first.wait_for()
            clean(f"/?run={text}")
            page.goto(f"http://{told.host}/data?set={given}&of={given}&augment={given}&knobs={given}&label={given}")
            page.locator(".look").wait_for()
            clean(f"/data?set={text}")
            page.goto(f"http://{told.host}/runs?runs={given}&find={given}&sort={given}&metric={given}&sweep={given}")
            page.locator("#said", has_text="There is no run").wait_for()
            clean(f"/runs?runs={text}")
            page.goto(f"http://{told.host}/errors?run={given}&on={given}&image={given}&true={given}&predicted={given}&method={given}")
            page.wait_for_load_state("networkidle")
            clean(f"/errors?run={text}")
            page.goto(f"http://{told.host}/train?run={given}&preset={given}&lr={given}&data={given}&model={given}")
            page.locator("#phase", has_text="does not show").wait_for()
            clean(f"/train?run={text}")
            page.goto(f"http://{told.host}/course?exercise={given}")
            page.locator("main h1").wait_for()
            clean(f"/course?exercise={text}")


REBOUND = """async (asked) => {
  const read = [];
  for (const {method, path} of asked) {
    const more = method == "GET" ? {} : {headers: {"content-type": "application/json"}, body: "{}"};
    const answer = await fetch(path, {method, ...more}).catch(() => null);
    if (answer && answer.status != 421) read.push(`${method} ${path}: ${answer.status}`);
  }
  for (const {path} of asked.filter(({path}) => path.endsWith("/live"))) {
    const source = new EventSource(path);
    read.push(...await new Promise((done) => { source.onopen = () => done([path]); source.onerror = () => done([]); }));
    source.close();
  }
  const socket = new WebSocket(`ws://${location.host}/api/lab`);
  read.push(...await new Promise((done) => { socket.onopen = () => done(["websocket"]); socket.onerror = () => done([]); }));
  return read;
}"""


def test_a_page_whose_name_was_made_to_lead_here_reads_no_route(browser: Browser, lab: Service) -> None:
    """DNS rebinding: the page came from elsewhere, its name means this machine now, and the browser takes the lab for its server."""
    with browser.new_context() as context:
        page = context.new_page()
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie("owner"), "url": f"http://evil.test:{lab.port}"}])
        page.route("**/attack", lambda route: route.fulfill(content_type="text/html", body="<!DOCTYPE html><title>kittens</title>"))
        page.goto(f"http://evil.test:{lab.port}/attack")
        asked = [{"method": route.method, "path": address(route)} for route in ROUTES]
        assert len(asked) > 20
        assert page.evaluate(REBOUND, asked) == []


class _Attack(BaseHTTPRequestHandler):
    """A page of another server on this machine: the same site to a browser, another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>attack</title><p>Look at my kittens.</p>")

    def log_message(self, *_: Any) -> None:
        pass


FORGED = """async ([lab, asked]) => {
  const done = [];
  for (const {method, path, body} of asked)
    for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"])
      for (const mode of ["cors", "no-cors"]) {
        const options = {method, mode, credentials: "include", headers: {"content-type": type}, body: method == "GET" ? undefined : body};
        const answer = await fetch(lab + path, options).catch(() => null);
        if (answer && answer.type != "opaque") done.push(`${method} ${path} ${type} ${mode}: ${answer.status}`);
      }
  for (const {path, body} of asked) {
    const frame = document.body.appendChild(Object.assign(document.createElement("iframe"), {name: "f" + Math.random()}));
    const post = {action: lab + path, method: "post", enctype: "text/plain", target: frame.name};
    const form = Object.assign(document.createElement("form"), post);
    form.appendChild(Object.assign(document.createElement("input"), {name: body, value: ""}));
    document.body.appendChild(form).submit();
  }
  for (const {path} of asked) {
    document.body.appendChild(Object.assign(document.createElement("img"), {src: lab + path}));
    document.body.appendChild(Object.assign(document.createElement("script"), {src: lab + path}));
    navigator.sendBeacon(lab + path, "{}");
  }
  await new Promise((end) => setTimeout(end, 700));
  return done;
}"""


@contextlib.contextmanager
def another_port(browser: Browser, lab: Service) -> Iterator[Page]:
    """A page of another server on this machine, in a browser that the lab has let in."""
    server = HTTPServer(("127.0.0.1", 0), _Attack)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.server_port}")
    try:
        context.add_cookies([{"name": lab.keys.name, "value": lab.keys.cookie("owner"), "url": f"http://{lab.host}"}])
        page = context.new_page()
        page.goto("/")
        yield page
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()


def everything(folder: Path) -> dict[str, bytes]:
    files = [path for part in ("runs", "data/mine", "state") for path in (folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.suffix not in (".lock", ".safetensors")}


def test_a_page_on_another_port_changes_nothing_by_any_route(browser: Browser, lab: Service) -> None:
    bodies = {"/api/digits": json.dumps({"strokes": SEVEN, "label": 3}), "/api/trainings": json.dumps({"preset": "session"})}
    asked = [
        {"method": route.method, "path": address(route), "body": bodies.get(route.path, "{}")} for route in ROUTES if route.method != "GET"
    ]
    with another_port(browser, lab) as page:
        before = everything(lab.folder)
        assert page.evaluate(FORGED, [f"http://{lab.host}", asked]) == []
        assert everything(lab.folder) == before
        assert lab.ask("GET", "/api/trainings").json["going"] == ""


FRAMED = """(addresses) => {
  for (const src of addresses) document.body.appendChild(Object.assign(document.createElement("iframe"), { src }));
}"""


def test_a_page_on_another_port_can_lead_to_pages_and_has_nothing_calculated(browser: Browser, lab: Service) -> None:
    """A frame and a link are both "navigate" to a browser, and the cookie comes along to every port."""
    layout = "/api/runs/reader/layout?method=tsne"
    framed = sorted({address(route) for route in ROUTES if route.method == "GET"} | {layout})
    answers: dict[str, int] = {}
    with another_port(browser, lab) as page:
        page.on("response", lambda answer: answers.update({answer.url.removeprefix(f"http://{lab.host}"): answer.status}))
        page.evaluate(FRAMED, [f"http://{lab.host}{path}" for path in framed])
        until = time.monotonic() + 20
        while len(answers) < len(framed) and time.monotonic() < until:
            page.wait_for_timeout(50)
        assert {path: answers.get(path) for path in framed} == dict.fromkeys(framed, 403)
        for path, status in {layout: 403, "/api/own/export/csv": 403, "/static/app.js": 403, "/runs": 200}.items():
            page.goto("/")
            with page.expect_response(f"http://{lab.host}{path}") as answer:
                page.evaluate("address => { location.href = address; }", f"http://{lab.host}{path}")
            assert answer.value.status == status, path
            page.wait_for_url(f"http://{lab.host}{path}")


def test_a_learner_is_shown_all_and_changes_nothing(lab: Service, line: Line) -> None:
    for route in ROUTES:
        if route.method == "GET" and not route.path.endswith(LONG):
            status = line.ask("GET", address(route), lab.headers(VIEWER)).status
            assert status != 403 or VIEWER not in route.policy.roles, route.path
