"""A learner's folder that has joined a class whose board is not there: checks go on as ever, and what is to be told waits."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from crash.faults import Disk, Fault
from terminal import Terminal

import handlens as hl
from handlens.course import folder, joined, material, progress, questions
from handlens.course.plan import find
from handlens.course.verdict import Result
from handlens.errors import FailedError, UsageError

NOWHERE = "127.0.0.1:9"
SECRET = "my_own_secret_word"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A learner's folder that has joined; nobody answers any more."""
    folder.start(tmp_path / "course")
    joined._write(tmp_path / "course", joined.Seat(NOWHERE, "someone.0", 3))
    return tmp_path / "course"


@pytest.fixture
def mute() -> Iterator[str]:
    """The address of a board that takes requests and never answers."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        line.listen()
        yield f"127.0.0.1:{line.getsockname()[1]}"


@contextlib.contextmanager
def other_server(status: int, body: bytes) -> Iterator[str]:
    """The address of something that answers everything the same, as a hotel's login page does."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            self.send_response(status)
            self.send_header("set-cookie", "session=1")
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 (the library's name)

        def log_message(self, *_words: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def told(place: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in joined.waiting(place)]


def test_a_check_says_the_same_when_the_board_is_gone_and_its_result_waits(place: Path, terminal: Terminal) -> None:
    path = place / "exercises" / "02_scaling.py"
    path.write_text(f"def scale(images):\n    {SECRET} = images.float()\n    return {SECRET}\n")
    out = terminal("course", "check", "scaling", code=1)
    assert out.splitlines()[0] == "scaling: not yet. The pixels still go from 0 to 255."
    assert terminal.err.splitlines() == ["The board of the class does not answer; 1 result waits in your folder until it does."]
    path.write_text(f"def scale(images):\n    {SECRET}\n")
    terminal("course", "check", "scaling", code=1)
    path.write_text(material.solution(find("scaling")))
    terminal("course", "check", "scaling")
    events = told(place)
    assert [(one["task"], one["passed"]) for one in events] == [("scaling", False), ("scaling", False), ("scaling", True)]
    assert events[0]["sentence"] == "The pixels still go from 0 to 255."
    assert not [path for path in (place / ".class").iterdir() if SECRET in path.read_text()], "a learner's code went to the board"


def test_a_board_that_never_answers_holds_nobody_up(place: Path, mute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "DEADLINE_S", 0.2)
    joined._write(place, joined.Seat(mute, "someone.0", 3))
    joined.note_result(place, Result("scaling", True))
    assert "1 result waits" in joined.send(place)
    assert len(joined.waiting(place)) == 1


def test_the_key_of_a_learner_is_readable_for_them_only(place: Path) -> None:
    assert stat.S_IMODE((place / ".class" / "joined.json").stat().st_mode) == 0o600


def test_of_what_waits_the_newest_are_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "_MOST_WAITING", 3)
    for tries in range(5):
        joined.note(place, "stuck", text=str(tries))
    assert [one["text"] for one in told(place)] == ["2", "3", "4"]


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"{}", b'{"key": 1}', b'{"key": "x"}'])
def test_what_answers_and_is_no_board_is_told_and_takes_no_place_in_a_class(place: Path, body: bytes) -> None:
    with other_server(200, body) as host:
        with pytest.raises(FailedError, match="no board of a class"):
            joined.join(place, host, "K7PX3M")
        if b"x" not in body:
            assert joined.seat_of(place) == joined.Seat(NOWHERE, "someone.0", 3)
        joined._write(place, joined.Seat(host, "someone.0", 3))
        with pytest.raises(FailedError, match="no board of a class"):
            joined.asked_now(place)


@pytest.mark.parametrize("status, advice", [(401, True), (409, False), (429, False), (500, False)])
def test_leaving_is_advised_only_where_the_board_knows_one_no_more(place: Path, status: int, advice: bool) -> None:
    joined.note(place, "done")
    with other_server(status, b'{"error": "No.", "what to do": "Wait a moment."}') as host:
        joined._write(place, joined.Seat(host, "someone.0", 3))
        line = joined.send(place)
    assert ("course leave" in line, "Wait a moment." in line) == (advice, not advice)
    assert len(joined.waiting(place)) == 1


def test_a_result_that_cannot_be_read_just_now_waits_on(place: Path) -> None:
    for _ in range(2):
        joined.note(place, "done")
    busy = joined.waiting(place)[0]
    content = busy.read_bytes()
    busy.unlink()
    os.mkfifo(busy)  # a file that no user, and no root, can read
    with other_server(200, b"{}") as host:
        joined._write(place, joined.Seat(host, "someone.0", 3))
        assert joined.send(place) == ""
        assert joined.waiting(place) == [busy]
        busy.unlink()
        busy.write_bytes(content)
        assert joined.send(place) == ""
    assert joined.waiting(place) == []


def test_a_full_disk_fails_no_check(place: Path) -> None:
    with Disk(place, Fault(1, errno.ENOSPC, lasting=True)) as disk:
        joined.note_result(place, Result("scaling", True))
    assert disk.struck
    assert joined.waiting(place) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', '{"host": "a", "key": "b", "number": 1, "more": 2}'])
def test_a_place_in_a_class_that_cannot_be_read_is_none(place: Path, content: str) -> None:
    (place / ".class" / "joined.json").write_text(content)
    joined.note_result(place, Result("scaling", True))
    assert joined.send(place) == ""
    assert joined.seat_of(place) is None


def test_answers_in_a_notebook_wait_too_and_a_guess_counts_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "send_soon", lambda _place: None)
    monkeypatch.setattr(questions, "_LOCKED", {})
    questions.ask("parameter", "?")
    questions.ask("parameter", "B")
    questions.guess("guess-line-rate", "a")
    questions.guess("guess-line-rate", "c")
    assert [(one["question"], one["letter"]) for one in told(place)] == [("parameter", "b"), ("guess-line-rate", "a")]


def scale(images):  # type: ignore[no-untyped-def]
    return images.float() / 255


def test_the_check_of_a_notebook_tells_the_same(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined, "send_soon", lambda _place: None)
    assert hl.course.check("scaling", scale)
    assert progress.state_of(find("scaling"), progress.read(place)) == "passed"
    assert [(one["task"], one["passed"]) for one in told(place)] == [("scaling", True)]


def test_help_answers_and_leaving_without_a_class_are_told_in_words(tmp_path: Path, terminal: Terminal) -> None:
    folder.start(tmp_path / "course")
    for words in (("stuck",), ("answer", "b")):
        terminal("course", *words, code=2)
        assert terminal.err.splitlines()[1] == "handlens course join ADDRESS --code CODE"
    assert terminal("course", "leave") == "You were in no class.\n"
    terminal("course", "join", "127.0.0.1:9", "--code", "ABCDEF", code=5)
    assert terminal.err.startswith("Error: Nobody answers at 127.0.0.1:9.")


def test_leaving_drops_the_key_and_what_waits(place: Path, terminal: Terminal) -> None:
    joined.note(place, "done")
    assert terminal("course", "leave") == "You have left the class.\n"
    assert not (place / ".class").exists()


@pytest.mark.parametrize(
    "address, code, found",
    [
        ("192.168.1.20:8712", "K7PX3M", ("192.168.1.20:8712", "K7PX3M")),
        ("192.168.1.20", "K7PX3M", ("192.168.1.20:8712", "K7PX3M")),
        ("http://192.168.1.20:9000/join/K7PX3M", "", ("192.168.1.20:9000", "K7PX3M")),
        ("192.168.1.20:8712/join/K7PX3M-ABCD2345", "", ("192.168.1.20:8712", "K7PX3M-ABCD2345")),
    ],
)
def test_an_address_is_taken_as_it_is_shown(address: str, code: str, found: tuple[str, str]) -> None:
    assert joined._parts(address, code) == found


@pytest.mark.parametrize("address", ["", "http://", "file:///etc/passwd", "https://a/join/K7PX3M", "a:99999", "a:b", "a/join/../x", "[::1"])
def test_what_is_no_address_of_a_board_is_told(address: str, place: Path) -> None:
    with pytest.raises(UsageError):
        joined.join(place, address, "" if "join" in address else "K7PX3M")
