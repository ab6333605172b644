"""Who sends or reads too slowly is let go, and takes nobody's place; on real connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from h11 import IDLE, SEND_BODY
from web.service import Service

from handlens.web import connection, pages
from handlens.web.asked import Lab
from handlens.web.classroom import Classroom
from handlens.web.keys import OWNER, Keys
from handlens.web.serving import listening, make_server

WAIT_S = 0.4
LONG_S = 20.0
BIG = 24 << 20


@dataclass
class Impatient:
    """A lab in a thread of this process, with short deadlines."""

    port: int
    keys: Keys

    def connected(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONG_S)

    def head(self, line: str, *more: str) -> bytes:
        cookie = f"{self.keys.name}={self.keys.cookie(OWNER)}"
        lines = [line, f"Host: 127.0.0.1:{self.port}", f"Origin: http://127.0.0.1:{self.port}", f"Cookie: {cookie}", *more]
        return "".join(f"{line}\r\n" for line in lines).encode()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Impatient]:
    (tmp_path / "big.js").write_bytes(b" " * BIG)
    monkeypatch.setitem(pages.FILES, "big.js", tmp_path / "big.js")
    for name, value in {"_COMING": {IDLE: WAIT_S, SEND_BODY: WAIT_S}, "_READING_S": WAIT_S}.items():
        monkeypatch.setattr(connection, name, value)
    with listening(0) as bound:
        port = bound.getsockname()[1]
        keys = Keys(port, secret=b"x")
        server = make_server(Lab(port, keys, "", print, classroom=Classroom(tmp_path / "class", b"x")))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield Impatient(port, keys)
        finally:
            server.should_exit = True
            thread.join(LONG_S)


def borne(there: socket.socket, trickle: bytes) -> float:
    """For how long a connection is borne that sends these bytes one by one."""
    start = time.monotonic()
    there.settimeout(0.02)
    with contextlib.suppress(OSError):
        for place in range(int(LONG_S / 0.02)):
            there.sendall(trickle[place % len(trickle) :][:1])
            with contextlib.suppress(TimeoutError):
                if not there.recv(4096):
                    break
    return time.monotonic() - start


@pytest.mark.parametrize("before", ["nothing", "a whole request", "half a head"])
def test_a_head_that_comes_byte_by_byte_is_waited_for_no_longer_than_its_deadline(impatient: Impatient, before: str) -> None:
    with impatient.connected() as there:
        if before == "a whole request":
            there.sendall(impatient.head("GET /api/lab HTTP/1.1") + b"\r\n")
            assert there.recv(65536).startswith(b"HTTP/1.1 200")
        elif before == "half a head":
            there.sendall(impatient.head("GET /api/lab HTTP/1.1"))
        assert WAIT_S * 0.5 < borne(there, b"x-filler: 0123456789\r\n") < LONG_S / 2


def test_the_body_of_a_request_that_was_refused_must_come_in_time_too(impatient: Impatient) -> None:
    with impatient.connected() as there:
        there.sendall(f"POST /api/answer HTTP/1.1\r\nHost: 127.0.0.1:{impatient.port}\r\nContent-Length: 1000000\r\n\r\n".encode())
        assert there.recv(65536).startswith(b"HTTP/1.1 403")
        assert borne(there, b" ") < LONG_S / 2


def test_who_does_not_read_the_answers_is_let_go(impatient: Impatient) -> None:
    question = impatient.head("GET /static/big.js HTTP/1.1") + b"\r\n"
    with socket.socket() as there:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        there.settimeout(LONG_S)
        there.connect(("127.0.0.1", impatient.port))
        there.sendall(question)
        time.sleep(5 * WAIT_S)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := there.recv(1 << 16):
                got += len(piece)
        assert got < BIG


def test_who_reads_slowly_but_reads_gets_all(impatient: Impatient) -> None:
    with impatient.connected() as there:
        there.sendall(impatient.head("GET /static/big.js HTTP/1.1", "Connection: close") + b"\r\n")
        got, start = 0, time.monotonic()
        while piece := there.recv(1 << 16):
            got += len(piece)
            time.sleep(0.001)
        assert got > BIG
        assert time.monotonic() - start > WAIT_S


def test_where_all_places_are_taken_by_streams_one_more_is_still_answered(impatient: Impatient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST", 2)
    with contextlib.ExitStack() as lines:
        for _ in range(2):
            stream = lines.enter_context(impatient.connected())
            stream.sendall(impatient.head("GET /api/class/live HTTP/1.1") + b"\r\n")
            assert stream.recv(65536).startswith(b"HTTP/1.1 200")
        there = lines.enter_context(impatient.connected())
        there.sendall(impatient.head("GET /api/lab HTTP/1.1") + b"\r\n")
        assert there.recv(65536).startswith(b"HTTP/1.1 200")


def test_four_hundred_who_ask_nothing_take_nobodys_place(lab: Service) -> None:
    with contextlib.ExitStack() as lines:
        for _ in range(400):
            lines.enter_context(socket.create_connection(("127.0.0.1", lab.port), timeout=10)).sendall(b"GET ")
        assert [lab.ask("GET", "/api/lab").status for _ in range(5)] == [200] * 5
