"""A request as a route's function sees it: past the guard, with its body read."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from handlens.errors import UsageError
from handlens.files import printable
from handlens.web.classroom import Allowance, Classroom
from handlens.web.keys import DRAWER, Keys

Strokes = list[list[tuple[float, float]]]
MOST_DRAWN = 3600
"""Drawings that a phone may send in a minute; its page sends one whenever the finger has moved and the last one was answered."""


class Phone:
    """The drawing that is on a phone just now: it is shown on the computer, and kept only there.

    Attributes:
        strokes: lists of points (x, y).
        kept: where the strokes begin that are on the phone before them, and were kept: they are of a drawing that is over.
        changes: how often the strokes have changed.
        run: who answers the phone; empty for the default.
        session: of this lab; changes are counted anew in the next one.
        turn: held while a drawing is looked at: phones have one thread of the lab's, whatever they send.
        sendings: how many drawings an address may send.
    """

    def __init__(self) -> None:
        self.session = secrets.token_hex(4)
        self.turn = asyncio.Lock()
        self.sendings = Allowance(MOST_DRAWN)
        self.strokes: Strokes = []
        self.kept: Strokes = []
        self.changes = 0
        self.run = ""

    def show(self, strokes: Strokes) -> int:
        """All that is on the phone; how many of its strokes are over."""
        if _starts(strokes[: len(self.kept)]) != self.kept:  # the phone has taken them away
            self.kept = []
        if not self.kept or len(strokes) > len(self.kept):
            self.strokes = strokes[len(self.kept) :]
            self.changes += 1
        return len(self.kept)

    def event_id(self) -> str:
        """What the newest change is called."""
        return f"{self.session}.{self.changes}"

    def keep(self, strokes: Strokes) -> None:
        """A drawing was kept. If it is the phone's, the next stroke there begins another one."""
        if strokes and _starts(strokes[:1]) == _starts(self.strokes[:1]):
            self.kept += _starts(self.strokes[: len(strokes)])
            self.strokes = self.strokes[len(strokes) :]


def _starts(strokes: Strokes) -> Strokes:
    return [stroke[:1] for stroke in strokes]


@dataclass(frozen=True)
class Lab:
    """What one running lab knows; all else is on the disk.

    Attributes:
        port: where it listens.
        keys: who may come in.
        run: the run that its user named; empty for the default.
        tell: shows a line in the terminal.
        lan: its address in the local network, where phones may draw; empty: it listens on this machine only.
        phone: what is drawn on a phone.
        classroom: the class whose learners may come by that address, if there is one.
    """

    port: int
    keys: Keys
    run: str
    tell: Callable[[str], None]
    lan: str = ""
    phone: Phone = field(default_factory=Phone)
    classroom: Classroom | None = None

    @property
    def address(self) -> str:
        """Where the lab is."""
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> str:
        """A new address that lets a browser in, once."""
        return f"{self.address}/start?key={self.keys.new_link()}"

    def phone_link(self) -> str:
        """A new address that lets one phone in to draw."""
        return f"http://{self.lan_host}/start?key={self.keys.new_link(DRAWER)}"

    @property
    def lan_host(self) -> str:
        """Where the lab is in the local network."""
        return f"{self.lan}:{self.port}"

    def join_address(self, code: str) -> str:
        """The address by which learners join the class."""
        return f"http://{self.lan_host}/join/{code}"


class Body(BaseModel):
    """The JSON that a route takes: these fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Nothing(Body):
    """No fields."""


B = TypeVar("B", bound=Body)


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        lab: the lab that was asked.
        role: who asks.
        reach: who may come in by the address that was asked: its owner only on this machine, drawers and learners only from the network.
        learner: which one, if it is a learner of the class.
        key: by which that is known.
        caller: the address from which it was asked.
        path: the parts of the address that a route leaves open.
        query: what stands behind its question mark.
        last_event: the id of the last event that a page got before its stream broke off.
        body: the bytes that came.
    """

    lab: Lab
    role: str
    reach: frozenset[str]
    learner: str
    key: str
    caller: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    last_event: str
    body: bytes

    def read(self, kind: type[B]) -> B:
        """The body as what a route takes.

        Raises:
            UsageError: it is something else; says where.
        """
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            raise UsageError(f"The lab does not understand this request: {_first(error)}.") from error


def _first(error: ValidationError) -> str:
    problem: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return printable(f"{place}: {problem['msg']}" if place else str(problem["msg"]))
