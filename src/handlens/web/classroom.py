"""A class that goes on: who may come in, and its events in a file, so that a lab that was killed goes on where it was.

It lies in the user's state folder, with names in it, and is deleted when the class ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from handlens import files
from handlens.errors import DataDamaged, RunBusy
from handlens.web.board import Board
from handlens.web.guard import Refused

MOST_LEARNERS = 120
MOST_SENDINGS, MOST_WRONG_CODES, MOST_NEWCOMERS = 60, 200, 100  # a minute; the last two of one address, which a whole class may share
MOST_TOLD = 5_000
MOST_PAGES, MOST_PAGES_OF_ALL = 4, 180  # that follow the class: fewer than there may be connections
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another
_CODE, _ID = 6, 8
_EVENTS = "events.jsonl"
_MOST_BYTES = 64 << 20
_MOST_CALLERS = 5_000
_WINDOW_S = 60.0

T = TypeVar("T")


class Allowance:
    """So many times in a minute, for each who asks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[str, deque[float]] = {}

    def is_used_up(self, who: str) -> bool:
        """Whether there is nothing left."""
        times = self._times.get(who)
        return times is not None and len(times) == self._most and time.monotonic() - times[0] < _WINDOW_S

    def use(self, who: str) -> None:
        """Once more. Of too many who ask, those who came first are forgotten."""
        while len(self._times) >= _MOST_CALLERS and who not in self._times:
            del self._times[next(iter(self._times))]
        self._times.setdefault(who, deque(maxlen=self._most)).append(time.monotonic())


class Followers:
    """The pages of learners that follow the class. Of too many the oldest is let go; if somebody looks at it, their browser comes again."""

    def __init__(self) -> None:
        self._pages: dict[object, str] = {}

    @contextlib.contextmanager
    def page(self, learner: str) -> Iterator[Callable[[], bool]]:
        """One more page, while the body runs; it is given a function that says whether it may still follow."""
        page = object()
        self._pages[page] = learner
        own = [other for other, whose in self._pages.items() if whose == learner]
        for old in (*own[:-MOST_PAGES], *list(self._pages)[:-MOST_PAGES_OF_ALL]):
            self._pages.pop(old, None)
        try:
            yield lambda: page in self._pages
        finally:
            self._pages.pop(page, None)


class Classroom:
    """The class of this user; it goes on until it is ended, however often the lab is closed or killed meanwhile.

    Args:
        folder: of the class.
        secret: what the learners' keys are made from.

    Attributes:
        changes: how often something has changed.
        followers: the learners' pages that are open.

    Raises:
        DataDamaged: the file of the class has something else in it.
        FileError: it cannot be read or written.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._secret = secret
        self._lock = threading.Lock()
        self._path = folder / _EVENTS
        self._wrong, self._repeated, self._newcomers = Allowance(MOST_WRONG_CODES), Allowance(1), Allowance(MOST_NEWCOMERS)
        self._sendings = Allowance(MOST_SENDINGS)
        self.followers = Followers()
        self.changes = 0
        self._journal, self._board = read_class(self._path)
        if not self._board.code:
            self._begin()

    def _begin(self) -> None:
        event = {"what": "begun", "code": _letters(_CODE), "nonce": secrets.token_hex(8), "at": time.time()}
        files.write_atomic(self._path, json.dumps(event) + "\n", mode=0o600)  # in place of the class before, or that one goes on
        self._journal, self._board = read_class(self._path)
        self.changes += 1

    def _add(self, events: Sequence[dict[str, Any]]) -> None:
        self._journal.add(json.dumps(event).encode() for event in events)
        for event in events:
            self._board.apply(event)
        self.changes += 1

    def look(self, at: Callable[[Board], T]) -> T:
        """What a function makes of the class, while nothing changes it."""
        with self._lock:
            return at(self._board)

    @property
    def code(self) -> str:
        """By which one joins."""
        return self.look(lambda board: board.code)

    def admit(self, code: str, caller: str) -> str:
        """The key of somebody who knows the code; a personal code, with an id behind a dash, is for a learner who is there already.

        Args:
            code: as it was typed.
            caller: the address it came from.

        Returns:
            The key; empty if the code is wrong.

        Raises:
            Refused: too many wrong codes came from there. The same one, as from an old link that a whole class opens, is none more.
        """
        if self._wrong.is_used_up(caller):
            raise Refused(429, "Too many wrong codes came from this computer.", "Wait a minute, and look at the code again.")
        given, _, own = code.strip().upper().partition("-")
        board = self._board
        known = own in board.learners if own else True
        if hmac.compare_digest(given.encode(), board.code.encode()) and known:
            return self.key_of(own or _letters(_ID))
        guess = f"{caller} {given[: _CODE + 1]}"
        if not self._repeated.is_used_up(guess):
            self._repeated.use(guess)
            self._wrong.use(caller)
        return ""

    def key_of(self, learner: str) -> str:
        """What proves that somebody is that learner, in this class."""
        proof = hmac.new(self._secret, f"class {self._board.nonce} {learner}".encode(), hashlib.sha256).hexdigest()
        return f"{learner}.{proof}"

    def learner_of(self, key: str) -> str:
        """The id of the learner whose key that is; empty if it is none, or they were sent away."""
        learner = key.partition(".")[0]
        right = hmac.compare_digest(self.key_of(learner).encode(), key.encode())
        return learner if right and learner not in self._board.removed else ""

    def name(self, key: str, name: str, caller: str) -> None:
        """Somebody who was let in says their name, or another one.

        Raises:
            Refused: they are not in the class any more, it is full, or too much comes from there.
        """
        with self._lock:
            learner = self._sender(key)
            if learner not in self._board.learners:
                if len(self._board.learners) >= MOST_LEARNERS:
                    raise Refused(409, f"The class is full: {MOST_LEARNERS} have joined.")
                _use(self._newcomers, caller)
            self._add([{"what": "named", "learner": learner, "name": name, "at": time.time()}])

    def take(self, key: str, events: Sequence[dict[str, Any]]) -> None:
        """What a learner's computer tells; what it told before counts once. It is on the disk when this returns.

        Raises:
            Refused: they are not in the class any more, have not said their name, or too much comes from there.
        """
        with self._lock:
            learner = self._sender(key)
            known = self._board.learners.get(learner)
            if known is None:
                raise Refused(409, "The class does not know you yet.", "Say your name first.")
            if len(known.seen) > MOST_TOLD:
                raise Refused(429, "You have sent too much to this class.", "Your instructor can export it, end it, and begin a new one.")
            new = {event["id"]: {**event, "learner": learner} for event in events if self._board.is_news(known, event)}
            if new:
                self._add(list(new.values()))

    def _sender(self, key: str) -> str:
        """The learner who may send now: while their words came the class may have ended, or they were sent away."""
        learner = self.learner_of(key)
        if not learner:
            raise Refused(401, "You are not in this class any more.", "To join again, open the address that the board shows.")
        _use(self._sendings, learner)
        if self._journal.is_full:  # what the instructor does has room still
            raise Refused(409, "The class's file is full.", "Its instructor can export it, end the class, and begin a new one.")
        return learner

    def tell(self, what: str, **said: Any) -> None:
        """What the instructor does: `opened`, `asked`, `shown`, `helped`, `removed`."""
        with self._lock:
            self._add([{"what": what, **said}])

    def end(self) -> None:
        """Delete all names and results, and begin another class with another code."""
        with self._lock:
            self._begin()


def _use(allowance: Allowance, who: str) -> None:
    if allowance.is_used_up(who):
        raise Refused(429, "That is too much in one minute.", "Wait a moment.")
    allowance.use(who)


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))


def read_class(path: Path) -> tuple[files.Journal, Board]:
    """The file of a class, and what it comes to.

    Raises:
        DataDamaged: there is something else in it.
        FileError: it cannot be read.
    """
    journal, board = files.Journal(path, _MOST_BYTES), Board()
    for number, line in enumerate(journal.lines, start=1):
        try:
            board.apply(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            hint = "Keep the file if you need it; a new class begins after: handlens course class end"
            raise DataDamaged(f"Line {number} of the class cannot be read.", where=str(path), hint=hint) from error
    return journal, board


def class_folder() -> Path:
    """Where the class of this user lies."""
    return platformdirs.user_state_path("handlens", appauthor=False) / "class"


def kept_class() -> Board | None:
    """The class that was begun and has not ended, if there is one."""
    path = class_folder() / _EVENTS
    return read_class(path)[1] if path.exists() else None


@contextlib.contextmanager
def held_class() -> Iterator[Path]:
    """The folder of the class, for one process only.

    Raises:
        RunBusy: another lab has it open.
    """
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(files.lock(class_folder() / "class.lock"))
        except RunBusy as error:
            raise RunBusy("Another lab has the class open.", hint="End it on its page Class, or close that lab with Ctrl-C.") from error
        yield class_folder()


def end_class() -> bool:
    """Delete the names and results of a class that no lab has open, also if they cannot be read. False if there is none.

    Raises:
        RunBusy: a lab has it open; it can be ended on its page Class.
    """
    path = class_folder() / _EVENTS
    if not path.exists():
        return False
    with held_class():
        files.remove(path)
    return True
