"""The class that a learner's folder has joined: what is to be told waits in the folder until the board has it.

Only results are told, never code: the exercise, passed or not, and the sentence that names the mistake.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from handlens import files
from handlens.course import folder as folders
from handlens.course.verdict import Result
from handlens.errors import FailedError, HandlensError, RunBusy, UsageError

DEADLINE_S = 1.0
_PORT = 8712
_PLACE, _SEAT = ".class", "joined.json"
_MOST_BYTES = 64 << 10
_MOST_WAITING, _AT_ONCE = 200, 20  # so many of the longest are still taken at once
_JOIN_S = 10.0
_HINT = "Is it the address that the board shows, and is this computer in the same network?"


@dataclass(frozen=True)
class Seat:
    """A learner's place in a class.

    Attributes:
        host: where the board is, as `192.168.1.20:8712`.
        key: what proves who one is.
        number: by which one is called.
    """

    host: str
    key: str
    number: int = 0


class Silent(FailedError):
    """The board gave no answer."""


class Unknown(FailedError):
    """The board does not know who asks."""


class Judged(FailedError):
    """The board does not take what it was sent, and never will."""


_KINDS = {400: Judged, 401: Unknown, 413: Judged, 422: Judged}


def join(place: Path, address: str, code: str = "", name: str = "") -> Seat:
    """Join a class from a learner's folder; one who has joined it before stays who they are.

    Args:
        place: the learner's folder.
        address: of the board, as it is shown: with or without `http://`, and with the code at its end or not.
        code: of the class, or of one's own page.
        name: or nickname; may be empty.

    Raises:
        UsageError: that is no address, or there is no code.
        Silent: nobody answers there.
        FailedError: the board says no, and why.
    """
    host, code = _parts(address, code)
    before = seat_of(place)
    status, answer = _ask(host, "POST", "/api/learner/seat", before.key if before else "", {"code": code}, timeout_s=_JOIN_S)
    key = answer.get("key")
    if status != 200 or not isinstance(key, str):
        raise _refused(status, answer)
    if before and before.key != key and "-" not in code:  # what waits is for another class
        _drop_waiting(place)
    _write(place, Seat(host, key))  # before the name is told: what follows may be lost, and one is still the same learner
    seat = Seat(host, key, _number(host, key, name))
    _write(place, seat)
    return seat


def _number(host: str, key: str, name: str) -> int:
    """By which one is called; who has none gets one for their name."""
    status, answer = _ask(host, "GET", "/api/learner", key, timeout_s=_JOIN_S)
    if status == 200 and (name or not answer.get("number")):
        status, answer = _ask(host, "POST", "/api/learner/name", key, {"name": name}, timeout_s=_JOIN_S)
    number = answer.get("number")
    if status != 200 or not isinstance(number, int):
        raise _refused(status, answer)
    return number


def _parts(address: str, code: str) -> tuple[str, str]:
    try:
        found = urlsplit(address if "//" in address else f"//{address}")
        host = f"{found.hostname}:{found.port or _PORT}" if found.hostname and found.scheme in ("", "http") else ""
    except ValueError:
        host = ""
    if not host:
        raise UsageError(f"'{files.printable(address)}' is no address of a board.", hint="It looks like 192.168.1.20:8712")
    code = code or found.path.rpartition("/join/")[2].strip("/")
    if not code.replace("-", "").isalnum() or not code.isascii():
        raise UsageError("The code of the class is missing.", hint="The board shows it: --code K7PX3M")
    return host, code


def _refused(status: int, answer: dict[str, Any]) -> FailedError:
    kind = _KINDS.get(status, FailedError)
    return kind(str(answer.get("error", "What answers there is no board of a class.")), hint=str(answer.get("what to do", _HINT)))


def _write(place: Path, seat: Seat) -> None:
    text = json.dumps({"host": seat.host, "key": seat.key, "number": seat.number})
    files.write_atomic(place / _PLACE / _SEAT, text, mode=0o600)


def seat_of(place: Path) -> Seat | None:
    """The place in a class that a learner's folder has; None if it has joined none."""
    try:
        return Seat(**json.loads(files.read_bytes(place / _PLACE / _SEAT, _MOST_BYTES)))
    except (HandlensError, ValueError, TypeError):
        return None


def leave(place: Path) -> bool:
    """Belong to no class any more; what waits is dropped. False if the folder belonged to none."""
    belonged = seat_of(place) is not None
    files.remove(place / _PLACE)
    return belonged


def note(place: Path, what: str, **said: Any) -> None:
    """Keep something to be told, if the folder has joined a class. It is one file, so that nothing is lost or told in part.

    Raises:
        FileError: the folder cannot be written.
    """
    if seat_of(place) is None:
        return
    event = {"what": what, "at": time.time(), **said}
    files.write_atomic(place / _PLACE / f"{time.time_ns():020x}-{secrets.token_hex(6)}.json", json.dumps(event))
    _drop_waiting(place, but=_MOST_WAITING)


def note_result(place: Path, result: Result) -> None:
    """Keep what a check said; a check never fails because that is not possible."""
    mistake = {} if result.passed else {"cause": result.cause, "sentence": result.sentence[:300]}
    with contextlib.suppress(HandlensError):
        note(place, "check", task=result.exercise, passed=result.passed, **mistake)


def note_here(what: str, **said: Any) -> None:
    """Keep something for the folder around us, if there is one that has joined, and send it; nobody waits for that."""
    with contextlib.suppress(HandlensError):
        place = folders.find_folder()
        note(place, what, **said)
        send_soon(place)


def waiting(place: Path) -> list[Path]:
    """What is to be told, the oldest first."""
    return [path for path in files.entries(place / _PLACE) if path.suffix == ".json" and path.name != _SEAT]


def _drop_waiting(place: Path, but: int = 0) -> None:
    """All but so many of the newest."""
    for path in waiting(place)[: -but or None]:
        files.remove(path)


def send(place: Path) -> str:
    """Tell what waits.

    Returns:
        A line for the learner if it could not be told; else nothing.
    """
    seat = seat_of(place)
    try:
        if seat and waiting(place):
            _send_all(place, seat)
    except RunBusy:  # another check of this learner is sending
        return ""
    except Silent:
        count = len(waiting(place))
        return f"The board of the class does not answer; {count} result{'s wait' if count > 1 else ' waits'} in your folder until it does."
    except HandlensError as error:
        hint = "(To have no more to do with it: handlens course leave)" if isinstance(error, Unknown) else error.hint
        return f"The board of the class: {error.what} {hint}".rstrip()
    return ""


def _send_all(place: Path, seat: Seat) -> None:
    until, at_once, judged = time.monotonic() + DEADLINE_S, _AT_ONCE, None
    unreadable: set[Path] = set()
    with files.lock(place / _PLACE / "sending.lock", wait_s=DEADLINE_S):
        while (some := [path for path in waiting(place) if path not in unreadable][:at_once]) and time.monotonic() < until:
            try:
                unreadable |= _send(seat, some)
            except Judged as error:
                judged, at_once = error, len(some) // 4 or 1  # one of them spoils the others: which one shows among fewer
                if len(some) == 1:
                    files.remove(some[0])
                    at_once = _AT_ONCE
    if judged:
        raise judged


def _send(seat: Seat, paths: Sequence[Path]) -> set[Path]:
    """Tell these; those that could not be read just now are given back."""
    told = {path: event for path in paths if (event := _event(path)) is not None}
    events = [event for event in told.values() if event]
    status, answer = _ask(seat.host, "POST", "/api/learner/events", seat.key, {"events": events}) if events else (200, {})
    if status != 200:
        raise _refused(status, answer)
    for path in told:
        files.remove(path)
    return {*paths} - {*told}


def _event(path: Path) -> dict[str, Any] | None:
    """With its age in place of its time: clocks differ. Empty if it is none of ours; None if it cannot be read just now."""
    try:
        event: dict[str, Any] = json.loads(files.read_bytes(path, _MOST_BYTES))
        ago_s = max(0.0, round(time.time() - event.pop("at"), 1))
        return {"id": path.stem, "ago_s": ago_s, **event}
    except HandlensError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def send_soon(place: Path) -> None:
    """Tell it while the program goes on; what cannot be told waits."""
    if seat_of(place) is not None:
        threading.Thread(target=send, args=[place], daemon=True).start()


def asked_now(place: Path) -> dict[str, Any]:
    """What the class is asked just now: its name, text, options and one's answer; nothing if there is no question.

    Raises:
        UsageError: the folder has joined no class.
        Silent: nobody answers.
        FailedError: the board says no.
    """
    seat = needed_seat(place)
    status, answer = _ask(seat.host, "GET", "/api/learner", seat.key)
    if status != 200 or "question" not in answer:
        raise _refused(status, answer)
    question: dict[str, Any] = answer["question"] or {}
    return question


def needed_seat(place: Path) -> Seat:
    """The place in a class that a learner's folder has.

    Raises:
        UsageError: it has joined none.
    """
    seat = seat_of(place)
    if seat is None:
        raise UsageError("You have not joined a class.", hint="handlens course join ADDRESS --code CODE")
    return seat


def _ask(
    host: str, method: str, path: str, key: str = "", body: object = None, *, timeout_s: float = DEADLINE_S
) -> tuple[int, dict[str, Any]]:
    """One request: status, JSON."""
    headers = {"origin": f"http://{host}", "content-type": "application/json", "connection": "close"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    connection = http.client.HTTPConnection(host, timeout=timeout_s)
    try:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="replace")  # half a letter is none
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        received = answer.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Silent(f"Nobody answers at {host}.", hint=_HINT) from error
    finally:
        connection.close()
    try:
        told = json.loads(received) if received else {}
    except ValueError:
        told = {}
    return answer.status, told if isinstance(told, dict) else {}
