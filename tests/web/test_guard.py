"""What every route refuses: tables made from ROUTES, so that a new route is in them."""

from __future__ import annotations

import asyncio
import functools
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser
from web.service import SEVEN, Service, running

from handlens.data.offline import is_offline
from handlens.web.app import ROUTES, Route, _app, _taking_turns, make_app
from handlens.web.asked import Asked, Lab
from handlens.web.guard import Policy, Refused
from handlens.web.keys import OWNER, VIEWER, Keys

NAMED = {
    "{name}": "lab.css",
    "{label}": "7",
    "{digit}": "0123456789ab",
    "{job}": "none",
    "{run}": "none",
    "{sweep}": "none",
    "{entry}": "none",
    "{kind}": "csv",
    "{level}": "1",
    "{code}": "AAAAAA",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
CHANGES = [route for route in ROUTES if route.method != "GET"]
CLOSED = [route for route in ROUTES if route.policy.roles]
JSON = [route for route in ROUTES if route.policy.body == "json" and OWNER in route.policy.roles]
WITH_BODY = [route for route in ROUTES if route.policy.body and OWNER in route.policy.roles]


def address(route: Route) -> str:
    path = route.path
    for part, value in NAMED.items():
        path = path.replace(part, value)
    return path


def names(routes: list[Route]) -> list[str]:
    return [f"{route.method} {route.path}" for route in routes]


@pytest.mark.parametrize("route", CLOSED, ids=names(CLOSED))
@pytest.mark.parametrize("cookie", [None, "", "handlens-1=0", "x" * 4000, "handlens-{port}=", "handlens-{port}=" + "0" * 64])
def test_without_the_cookie_nothing_is_answered(lab: Service, route: Route, cookie: str | None) -> None:
    given = cookie and cookie.replace("{port}", str(lab.port))
    answer = lab.ask(route.method, address(route), headers=lab.headers(cookie=given))
    assert answer.status == 401
    assert set(answer.json) == {"error", "what to do"}


HOSTS = """
    evil.test 127.0.0.1 127.0.0.1:1 127.0.0.1:{port}. 127.0.0.1.:{port} 127.0.0.2:{port} 0.0.0.0:{port} 2130706433:{port} 0x7f.1:{port}
    LOCALHOST:{port} localhost.:{port} localhost localhost:{port}/ a@localhost:{port} localhost:{port}@evil.test evil.test:{port}
    ::1:{port} [::1]
    [::ffff:127.0.0.1]:{port} localhost:0{port} localhost:{port},evil.test""".split()


@pytest.mark.parametrize("route", ROUTES, ids=names(list(ROUTES)))
def test_another_host_is_refused(lab: Service, route: Route) -> None:
    for host in HOSTS:
        answer = lab.ask(route.method, address(route), headers=lab.headers(host=host.format(port=lab.port)))
        assert answer.status == 421, host
    assert lab.ask(route.method, address(route), headers=lab.headers(host=None)).status in (400, 421)


def test_two_hosts_are_none(lab: Service) -> None:
    with socket.create_connection(("127.0.0.1", lab.port), timeout=10) as line:
        line.sendall(f"GET / HTTP/1.1\r\nHost: {lab.host}\r\nHost: evil.test\r\n\r\n".encode())
        assert line.recv(64).split()[1] in (b"400", b"421")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_the_lab_has_three_names(lab: Service, host: str) -> None:
    own = f"{host}:{lab.port}"
    assert lab.ask("GET", "/api/lab", headers=lab.headers(host=own, origin=None)).status == 200


ORIGINS = [
    None,
    "",
    "null",
    "http://evil.test",
    "https://{host}",
    "http://{host}/",
    "http://{host}.evil.test",
    "http://127.0.0.1:1",
    "{host}",
]
ORIGINS += ["http://localhost:{port}", "http://127.0.0.1", "file://", "HTTP://{host}"]


@pytest.mark.parametrize("route", CHANGES, ids=names(CHANGES))
def test_another_origin_is_refused(lab: Service, route: Route) -> None:
    for origin in ORIGINS:
        given = origin and origin.format(host=lab.host, port=lab.port)
        assert lab.ask(route.method, address(route), b"{}", lab.headers(origin=given)).status == 403, origin
    for site in ("cross-site", "same-site"):
        assert lab.ask(route.method, address(route), b"{}", lab.headers(sec_fetch_site=site)).status == 403


@pytest.mark.parametrize("route", CLOSED, ids=names(CLOSED))
def test_another_page_cannot_load_anything(lab: Service, route: Route) -> None:
    for site in ("cross-site", "same-site"):
        answer = lab.ask(route.method, address(route), headers=lab.headers(sec_fetch_site=site, sec_fetch_mode="no-cors"))
        assert answer.status == 403


@pytest.mark.parametrize("route", ROUTES, ids=names(list(ROUTES)))
def test_another_page_can_lead_to_pages_and_to_nothing_else(lab: Service, route: Route) -> None:
    for site in ("cross-site", "same-site"):
        headers = lab.headers(sec_fetch_site=site, sec_fetch_mode="navigate", sec_fetch_dest="document")
        status = lab.ask(route.method, address(route), headers=headers).status
        if not route.policy.is_page:
            assert status == 403
        elif OWNER in route.policy.roles or not route.policy.roles:
            assert status != 403


@pytest.mark.parametrize("route", ROUTES, ids=names(list(ROUTES)))
def test_in_a_frame_nothing_is_answered(lab: Service, route: Route) -> None:
    headers = lab.headers(sec_fetch_site="same-origin", sec_fetch_mode="navigate", sec_fetch_dest="iframe")
    assert lab.ask(route.method, address(route), headers=headers).status == 403


@pytest.mark.parametrize("path", sorted({address(route) for route in ROUTES}))
def test_a_method_that_is_not_declared_is_refused(lab: Service, path: str) -> None:
    declared = {route.method for route in ROUTES if address(route) == path}
    for method in set(METHODS) - declared:
        assert lab.ask(method, path).status == 405, method


OWNERS = [route for route in CLOSED if VIEWER not in route.policy.roles]


@pytest.mark.parametrize("route", OWNERS, ids=names(OWNERS))
def test_who_may_only_look_changes_nothing(lab: Service, route: Route) -> None:
    assert lab.ask(route.method, address(route), b"{}", lab.headers(VIEWER)).status == 403


def test_whatever_changes_something_is_for_the_owner() -> None:
    looking = {"/api/answer", "/api/inside", "/api/photo", "/api/estimate", "/api/unit", "/api/augmented"}
    assert {route.path for route in CHANGES if VIEWER in route.policy.roles} <= looking


@pytest.mark.parametrize("route", WITH_BODY, ids=names(WITH_BODY))
def test_a_body_may_be_as_large_as_the_policy_says_and_no_larger(lab: Service, route: Route) -> None:
    most = route.policy.most_bytes
    assert lab.ask(route.method, address(route), b" " * (most + 1)).status == 413
    assert lab.ask(route.method, address(route), b" " * most).status not in (413, 500)


def test_a_body_that_does_not_say_its_length_is_read_no_further_than_allowed(lab: Service) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in lab.headers().items())
    with socket.create_connection(("127.0.0.1", lab.port), timeout=10) as line:
        line.sendall(f"POST /api/answer HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n".encode())
        piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        sent = 0
        try:
            while sent < 64 << 20:
                line.sendall(piece)
                sent += 0x10000
        except OSError:
            pass
        assert sent < 16 << 20


def test_of_a_body_that_breaks_off_nothing_is_done(lab: Service) -> None:
    """What came may look like a whole one."""
    before, body = lab.ask("GET", "/api/digits").json["all"], b'{"strokes": [[[9, 9], [250, 30], [31, 250]]], "label": 3}'
    head = "".join(f"{name}: {value}\r\n" for name, value in lab.headers().items())
    with socket.create_connection(("127.0.0.1", lab.port), timeout=10) as line:
        line.sendall(f"POST /api/digits HTTP/1.1\r\n{head}content-length: {len(body) + 1}\r\n\r\n".encode() + body)
    time.sleep(0.5)
    assert lab.ask("GET", "/api/digits").json["all"] == before


BAD = [b"", b"{", b"[]", b"null", b"7", b'{"strokes": 7}', b'{"nonsense": 1}', b'{"strokes": [[[1e999, 0]]]}', b"\xff", b"[" * 100_000]


@pytest.mark.parametrize("route", JSON, ids=names(JSON))
def test_bad_json_is_refused_in_words(lab: Service, route: Route) -> None:
    for body in BAD if "{" not in route.path and route.method == "POST" else []:
        answer = lab.ask(route.method, address(route), body)
        assert answer.status == 400, body
        assert answer.json["error"].endswith(".")
        assert b"Traceback" not in answer.body
    for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert lab.ask(route.method, address(route), b"{}", lab.headers(content_type=kind)).status == 415


STRINGS = [
    "..",
    "../x",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "%252e%252e%252f",
    "..\\..\\x",
    "/etc/passwd",
    "%00",
    "a" * 5000,
    "C:\\x",
    "ｅtc",
]
STRINGS += [".lab", ".trash", "reader/../reader", "~root", "file:///etc/passwd", "lab.css%00", "//x", "%c0%ae%c0%ae/"]


@pytest.mark.parametrize("text", STRINGS)
def test_no_text_in_a_request_leads_to_a_file(lab: Service, text: str) -> None:
    from urllib.parse import quote

    for route in ROUTES:
        if "{" in route.path:
            path = route.path[: route.path.index("{")] + quote(text, safe="%/\\:")
            assert lab.ask(route.method, path, b"{}" if route.policy.body else b"").status in (400, 404, 405, 422), path
    asked = {"strokes": SEVEN, "run": text[:64]}
    assert lab.ask("POST", "/api/answer", asked).status in (400, 404)
    assert lab.ask("POST", f"/api/photo?run={quote(text, safe='')}", b"x").status in (400, 404, 422)


@pytest.mark.parametrize("route", ROUTES, ids=names(list(ROUTES)))
def test_every_response_has_the_headers_and_allows_no_other_page(lab: Service, route: Route) -> None:
    for answer in (lab.ask(route.method, address(route)), lab.ask(route.method, address(route), headers=lab.headers(cookie=None))):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "server" not in answer.headers


def test_of_slow_questions_only_some_are_answered_at_a_time() -> None:
    """One for which nobody waits any more counts until it ends."""
    begun, ended = threading.Event(), threading.Event()

    def slow(wait: object) -> str:
        begun.set()
        assert not wait or ended.wait(20)
        return "done" if wait is not None else str(1 / 0)

    ask = _taking_turns(slow, threading.BoundedSemaphore(1))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, True)  # type: ignore[arg-type]
        assert begun.wait(20)
        with pytest.raises(Refused, match="busy") as refused:
            ask(False)  # type: ignore[arg-type]
        assert refused.value.status == 503
        ended.set()
        assert first.result(20) == "done"
    with pytest.raises(ZeroDivisionError):
        ask(None)  # type: ignore[arg-type]
    assert ask(False) == "done"  # type: ignore[arg-type]
    assert {route.policy.is_slow for route in ROUTES if route.path.startswith("/api/runs/{run}/") and route.method == "GET"} == {True}


def test_a_route_without_a_policy_does_not_start() -> None:
    lab = Lab(1, Keys(1, secret=b"x"), "", print)
    with pytest.raises(TypeError, match="has no policy"):
        make_app(lab, (*ROUTES, Route("/new", "GET", None, lambda asked: {})))  # type: ignore[arg-type]


def test_a_slow_route_that_is_async_does_not_start() -> None:
    """It would calculate among all other requests, which would wait for it."""

    async def slow(_asked: Asked) -> dict[str, Any]:
        return {}

    lab = Lab(1, Keys(1, secret=b"x"), "", print)
    policy = Policy(frozenset({OWNER}), is_slow=True)
    for function in (slow, functools.partial(slow)):
        with pytest.raises(TypeError, match="GET /new is slow and async"):
            make_app(lab, (*ROUTES, Route("/new", "GET", policy, function)))
    make_app(lab, (*ROUTES, Route("/new", "GET", Policy(frozenset({OWNER})), slow)))
    make_app(lab, (*ROUTES, Route("/new", "GET", policy, lambda _asked: {})))


def test_no_route_fetches_data_over_the_network() -> None:
    """Whatever it calls, in a thread or not; what somebody has asked for is fetched in a thread of its own."""
    sent: list[dict[str, Any]] = []

    def answer(_asked: Asked) -> dict[str, bool]:
        return {"offline": is_offline()}

    async def answer_at_once(asked: Asked) -> dict[str, bool]:
        return answer(asked)

    async def send(message: Any) -> None:
        sent.append(message)

    who = {"role": OWNER, "reach": frozenset({OWNER}), "learner": "", "key": "", "body": b""}
    scope = {"type": "http", "query_string": b"", "client": None, "path_params": {}, "headers": [], **who}
    lab = Lab(1, Keys(1, secret=b"x"), "", print)
    with ThreadPoolExecutor(1) as pool:  # the browser's driver has a loop in this one
        for function in (answer, answer_at_once):
            pool.submit(asyncio.run, _app(function, lab)(scope, None, send)).result(20)  # type: ignore[arg-type]
    assert [message["body"] for message in sent if "body" in message] == [b'{"offline":true}'] * 2
    assert not is_offline()


def test_a_link_works_once_and_then_the_terminal_shows_another(lab: Service) -> None:
    link = lab.new_link()
    path = link[link.index("/start") :]
    first = lab.ask("GET", path, headers={"host": lab.host})
    assert first.status == 303
    assert {"httponly", "samesite=strict"} <= {part.strip().lower() for part in first.headers["set-cookie"].split(";")}
    again = lab.ask("GET", path, headers={"host": lab.host})
    assert again.status == 401
    assert "terminal" in again.json["what to do"]
    assert lab.ask("GET", path).status == 303, "whoever is in already just goes on"


def test_the_secret_is_the_users_alone_and_nothing_shows_it(lab: Service) -> None:
    path = lab.folder / "state" / "handlens" / "lab.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert lab.link.partition("key=")[2] not in " ".join(psutil.Process(lab.process.pid).cmdline())


def test_it_listens_on_this_machine_only(lab: Service) -> None:
    listening = [line.laddr.ip for line in psutil.Process(lab.process.pid).net_connections() if line.status == psutil.CONN_LISTEN]
    assert listening == ["127.0.0.1"]


def test_read_only_an_older_owner_may_not_change_either(home: Path, tmp_path: Path) -> None:
    (tmp_path / "state").symlink_to(home / "state")
    with running(home, "--read-only", "--port", "8830") as looking:
        assert looking.ask("GET", "/api/lab", headers=looking.headers(OWNER)).status == 401
        assert looking.ask("GET", "/api/lab", headers=looking.headers(VIEWER)).json["may_change"] is False
        answer = looking.ask("POST", "/api/digits", {"strokes": SEVEN, "label": 7}, looking.headers(VIEWER))
        assert answer.status == 403


def test_a_port_that_is_taken_is_told_and_the_next_one_is_used(home: Path) -> None:
    """On ports of its own: the other tests' labs lie one beside the other."""
    with running(home, "--port", "9010") as first, running(home, "--port", str(first.port)) as second:
        assert second.port == first.port + 1


def test_two_labs_do_not_take_each_others_cookies(lab: Service) -> None:
    other = Keys(lab.port + 1, secret=(lab.folder / "state" / "handlens" / "lab.key").read_bytes())
    cookie = f"{lab.keys.name}={other.cookie(OWNER)}"
    assert lab.ask("GET", "/api/lab", headers=lab.headers(cookie=cookie)).status == 401


OTHERS_COOKIES = [
    'prefs={"a": "b, c"}; {own}',
    "[odd]=1; {own}",
    '"; {own}',
    "; =; {own}; x",
    "{name}=set-by-another-port; {own}",
    "{own}; {name}=",
]


@pytest.mark.parametrize("form", OTHERS_COOKIES)
def test_what_programs_at_other_ports_put_beside_the_cookie_puts_nobody_out(lab: Service, form: str) -> None:
    """All ports of a machine share their cookies, and one that cannot be read must not hide those behind it."""
    cookie = form.replace("{own}", f"{lab.keys.name}={lab.keys.cookie(OWNER)}").replace("{name}", lab.keys.name)
    assert lab.ask("GET", "/api/lab", headers=lab.headers(cookie=cookie)).status == 200


def test_one_browser_goes_in_and_out_of_two_labs(browser: Browser, lab: Service, home: Path) -> None:
    with running(home, "--run", "reader", "--port", str(lab.port)) as second, browser.new_context() as context:
        pages = [context.new_page() for _ in range(2)]
        for page, link in zip(pages, (lab.new_link(), second.link), strict=True):
            page.goto(link)
        for page, service in zip(pages, (lab, second), strict=True):
            page.reload()
            assert page.url == f"http://{service.host}/"
            assert page.evaluate("fetch('/api/lab').then((answer) => answer.status)") == 200
    assert lab.ask("GET", "/api/lab").status == 200, "the end of one is not the end of the other"


def test_ctrl_c_ends_it_cleanly(home: Path) -> None:
    with running(home, "--port", "8850") as service:
        assert service.process.stdout is not None
        service.process.send_signal(2)
        assert service.process.wait(20) == 0
        assert service.process.stdout.read().endswith("The lab is closed.\n")


def test_ctrl_c_says_no_more_while_a_page_is_open(home: Path, tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w+") as errors:
        with (
            running(home, "--port", "8860", "--lan", "127.0.0.2", errors=errors) as service,
            socket.create_connection(("127.0.0.1", service.port)) as page,
        ):
            head = "".join(f"{name}: {value}\r\n" for name, value in service.headers().items())
            page.sendall(f"GET /api/phone/live HTTP/1.1\r\n{head}\r\n".encode())
            assert page.recv(65536).startswith(b"HTTP/1.1 200")
            service.process.send_signal(2)
            assert service.process.wait(20) == 0
        errors.seek(0)
        assert errors.read() == ""


def test_a_run_that_is_not_there_is_told_before_it_opens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "handlens", "draw", "--no-browser", "--run", "nobody"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 4
    assert "Error: There are no runs yet." in answer.stderr
