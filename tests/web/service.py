"""The lab as its user starts it, `python -m handlens lab`, and requests to it that say exactly what they are told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from handlens.web.keys import Keys

SEVEN = [[[70, 60], [110, 60], [150, 60], [200, 60], [180, 100], [160, 140], [140, 180], [120, 220]]]


@dataclass(frozen=True)
class Reply:
    """An answer: its status, headers in lower case, and body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """A lab that is running.

    Attributes:
        process: what it runs in.
        port: where it listens.
        link: the address that lets somebody in once.
        folder: its runs, data and state.
    """

    process: subprocess.Popen[str]
    port: int
    link: str
    folder: Path

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def keys(self) -> Keys:
        """What cookies it takes, from the secret that it keeps."""
        return Keys(self.port, secret=(self.folder / "state" / "handlens" / "lab.key").read_bytes())

    def headers(self, role: str = "owner", **others: str | None) -> dict[str, str]:
        """Those of a request from the lab's own page; others are put in their place, or left out where they are None."""
        cookie = f"{self.keys.name}={self.keys.cookie(role)}"
        usual = {"host": self.host, "origin": f"http://{self.host}", "cookie": cookie, "content-type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in others.items()}
        return {name: value for name, value in {**usual, **named}.items() if value is not None}

    def ask(
        self, method: str, path: str, body: bytes | object = b"", headers: Mapping[str, str] | None = None, at: str = "127.0.0.1"
    ) -> Reply:
        """Send one request with these headers and no others but its length, to one of this machine's addresses."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection(at, self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"content-length": str(len(content)), **(self.headers() if headers is None else headers)}.items():
                connection.putheader(name, value)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was read
                connection.endheaders(content)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def new_link(self) -> str:
        """Use a wrong link, upon which the terminal shows a new one."""
        self.ask("GET", "/start?key=wrong", headers={"host": self.host})
        return read_link(self.process)


def read_link(process: subprocess.Popen[str], at: str = "127.0.0.1") -> str:
    """The next link to an address that the lab tells; one that tells none for a minute is ended."""
    assert process.stdout is not None
    late = threading.Timer(60, process.kill)
    late.start()
    try:
        return next(found[0] for line in process.stdout if (found := re.search(rf"http://{re.escape(at)}:\d+/start\?key=\S+", line)))
    except StopIteration:
        raise AssertionError("The lab has told no link.") from None
    finally:
        late.cancel()
        late.join()


@contextlib.contextmanager
def running(folder: Path, *options: str, errors: IO[str] | None = None) -> Iterator[Service]:
    """A lab whose runs, data and state are in a folder; closed by Ctrl-C, as its user would.

    Args:
        folder: where they are.
        options: of `handlens lab`.
        errors: takes what it writes as errors; None lets them be seen.
    """
    places = {"HANDLENS_RUNS": "runs", "HANDLENS_DATA": "data", "XDG_STATE_HOME": "state"}
    environment = {**os.environ, **{name: str(folder / place) for name, place in places.items()}, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "handlens", "lab", "--no-browser", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=folder)
    try:
        link = read_link(process)
        yield Service(process, int(link.split(":")[2].split("/")[0]), link, folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


@contextlib.contextmanager
def opened(browser: Browser, service: Service, **options: Any) -> Iterator[BrowserContext]:
    """A browser that a lab has let in. What its pages complain of, or ask of any other server, fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=f"http://{service.host}", viewport={"width": 1280, "height": 900}, **options)
    context.add_cookies([{"name": service.keys.name, "value": service.keys.cookie("owner"), "url": f"http://{service.host}"}])
    own = (f"http://{service.host}/", "data:", "blob:")
    context.on("request", lambda request: None if request.url.startswith(own) else complaints.append(f"asked for {request.url}"))
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda line: complaints.append(line.text) if line.type == "error" and "Failed to load" not in line.text else None)
    try:
        yield context
    finally:
        context.close()
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def draw(page: Page, strokes: Sequence[Sequence[Sequence[float]]]) -> None:
    """Draw on the pad with the mouse; points in the pad's unit."""
    box = page.locator(".pad").bounding_box()
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()


def look(page: Page, seen: bool) -> None:
    """This tab is chosen in the browser, or another one. A browser without a window sees all tabs, so the page is only told so."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden }); "
        "document.dispatchEvent(new Event('visibilitychange')); }",
        not seen,
    )
