"""A mirror on this machine that answers as badly as one wants."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    mirror: Mirror


class Request(BaseHTTPRequestHandler):
    """One request; what it asks for is `body`, from `start` on."""

    server: _Server
    body: bytes
    start: int

    def do_GET(self) -> None:
        mirror = self.server.mirror
        self.start = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        self.body = mirror.bodies.get(self.path.lstrip("/"), b"")
        with mirror.lock:
            mirror.requests.append((self.path, self.start))
            answer = mirror.answers.pop(0) if mirror.answers else mirror.usual
        with contextlib.suppress(OSError):  # when the client had enough
            answer(self) if self.body else self.send_error(404)

    def head(self, length: int | None, start: int = 0) -> None:
        """The head of an answer: the whole, or the rest from `start` on."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


Answer = Callable[[Request], object]


def whole(request: Request) -> None:
    """What was asked for, ranges included."""
    if request.start >= len(request.body):
        request.send_error(416)
        return
    request.head(len(request.body) - request.start, request.start)
    request.wfile.write(request.body[request.start :])


def without_ranges(request: Request) -> None:
    """The whole file, whatever was asked for."""
    request.head(len(request.body))
    request.wfile.write(request.body)


def instead(body: bytes) -> Answer:
    """Something else, with status 200."""

    def answer(request: Request) -> None:
        request.head(len(body))
        request.wfile.write(body)

    return answer


def status(code: int) -> Answer:
    """An error."""
    return lambda request: request.send_error(code)


def packing(request: Request) -> None:
    """Packed on the way, for a client that says it can unpack."""
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        request.body = gzip.compress(request.body)
    whole(request)


def stalling(end: int, *, ranges: bool = True) -> Answer:
    """The bytes up to `end`, and then nothing for as long as the mirror lives."""

    def answer(request: Request) -> None:
        start = request.start if ranges else 0
        request.head(len(request.body) - start, start)
        request.wfile.write(request.body[start:end])
        request.server.mirror.closing.wait(60)

    return answer


def resetting(end: int, *, ranges: bool = True) -> Answer:
    """The bytes up to `end`, and then the connection is reset."""

    def answer(request: Request) -> None:
        start = request.start if ranges else 0
        request.head(len(request.body) - start, start)
        request.wfile.write(request.body[start:end])
        time.sleep(0.05)  # so that they arrive before the reset, which would overtake them
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.connection.close()

    return answer


def slow(pieces: int, pause_s: float) -> Answer:
    """The whole, in that many pieces with pauses between them."""

    def answer(request: Request) -> None:
        request.head(len(request.body))
        size = -(-len(request.body) // pieces)
        for start in range(0, len(request.body), size):
            request.wfile.write(request.body[start : start + size])
            time.sleep(pause_s)

    return answer


def endless(request: Request) -> None:
    """No length, no end."""
    request.head(None)
    while not request.server.mirror.closing.is_set():
        request.wfile.write(bytes(1 << 16))


class Mirror:
    """A server on the loopback address.

    Attributes:
        bodies: the files, by their path.
        answers: how the next requests are answered, one after the other; then `usual`.
        requests: what was asked for: path, and byte from which on.
    """

    def __init__(self, bodies: dict[str, bytes], usual: Answer = whole) -> None:
        self.bodies = bodies
        self.usual = usual
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, int]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.mirror = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def unused_address() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
