"""The routes of a class: learners join and tell, and their instructor sees the board."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from pydantic import Field, model_validator
from sse_starlette import EventSourceResponse
from starlette.responses import RedirectResponse, Response

from handlens.course.plan import EXERCISES
from handlens.course.questions import questions
from handlens.errors import UsageError
from handlens.files import printable
from handlens.web.asked import Asked, Body
from handlens.web.board import Board
from handlens.web.classroom import Classroom
from handlens.web.guard import Refused
from handlens.web.keys import LEARNER
from handlens.web.lan import qr_picture
from handlens.web.projector import overview, own_view, table

LONGEST_NAME, LONGEST_TEXT, LONGEST_SENTENCE = 40, 200, 300
MOST_AT_ONCE = 50
_LOOK_S = 0.1
_OLDEST_S = 7 * 86400.0
_COOKIE_S = 30 * 86400
_FIELDS = {"check": {"task", "passed", "cause", "sentence"}, "stuck": {"text"}, "done": set[str](), "answer": {"question", "letter"}}
_TASKS = {exercise.name for exercise in EXERCISES}


class Name(Body):
    """A name or nickname; empty for none."""

    name: str = Field("", max_length=LONGEST_NAME)


class Code(Body):
    """The class's code; with an id behind a dash it is a learner's own."""

    code: str = Field(max_length=64)


class Told(Body):
    """One thing that a learner's computer tells.

    Attributes:
        id: of its own, so that it counts once.
        what: a check's result, a raised hand, a hand that is down again, an answer.
        ago_s: how long ago it was, by the computer's own clock.
        task, passed, cause, sentence: of a check: the exercise, whether it passed, or the mistake that it named.
        text: what the learner says.
        question, letter: of an answer.
    """

    id: str = Field(pattern=r"^[0-9a-f-]{8,64}$")
    what: Literal["check", "stuck", "done", "answer"]
    ago_s: float = Field(0.0, ge=0)
    task: str = Field("", max_length=64)
    passed: bool = False
    cause: str = Field("", max_length=64)
    sentence: str = Field("", max_length=LONGEST_SENTENCE)
    text: str = Field("", max_length=LONGEST_TEXT)
    question: str = Field("", max_length=64)
    letter: str = Field("", max_length=1)

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Told:
        if self.what == "check" and self.task not in _TASKS:
            raise ValueError("there is no such exercise")
        if self.what == "answer" and (self.question not in questions() or self.letter not in questions()[self.question].options):
            raise ValueError("there is no such question, or no such answer")
        return self


class Report(Body):
    """What was gathered, the oldest first."""

    events: list[Told] = Field(max_length=MOST_AT_ONCE)


class Wish(Body):
    """What the instructor wants: ask a question or show its answer, take a hand down, send a learner away, end the class."""

    do: Literal["ask", "show", "helped", "remove", "end"]
    question: str = Field("", max_length=64)
    number: int = Field(0, ge=0)


def classroom(asked: Asked) -> Classroom:
    """The class of this lab.

    Raises:
        UsageError: there is none.
    """
    if asked.lab.classroom is None:
        raise UsageError("There is no class here.", hint="Begin one: handlens lab --class")
    return asked.lab.classroom


# Learners


def join(asked: Asked) -> Response:
    """Let a browser in that has the code, as a learner of its own; one who is in already goes on."""
    code = asked.path["code"]
    if "-" in code:  # else whoever gives away such a link is who opens it
        raise Refused(401, "A code of one's own is for the terminal.", "Type: handlens course join, with the address and --code")
    answer = RedirectResponse("/learner", 303)
    answer.set_cookie(
        asked.lab.keys.learner_name, _key(asked, code), httponly=True, samesite="lax", max_age=_COOKIE_S
    )  # lax: for links in mails
    return answer


def seat(asked: Asked) -> dict[str, str]:
    """The same for a learner's program, which may be who a browser is, by a code of that learner's own."""
    return {"key": _key(asked, asked.read(Code).code)}


def _key(asked: Asked, code: str) -> str:
    if LEARNER not in asked.reach:
        raise Refused(404, "No class can be joined at this address.", "The board of the class shows the right one.")
    room = classroom(asked)
    key = room.key_of(asked.learner) if asked.learner and "-" not in code else room.admit(code, asked.caller)
    if not key:
        raise Refused(401, "That is not the code of this class.", "Look at it again: six letters and digits, at the end of the address.")
    return key


def name(asked: Asked) -> dict[str, Any]:
    """Say one's name, or another one."""
    words = printable(" ".join(asked.read(Name).name.split()), LONGEST_NAME)
    classroom(asked).name(asked.key, words, asked.caller)
    return mine(asked)


def take(asked: Asked) -> dict[str, int]:
    """Results, raised hands and answers; whatever was told before counts once."""
    report, now = asked.read(Report), time.time()
    events = [
        {**told.model_dump(include={"id", "what"} | _FIELDS[told.what]), "at": now - min(told.ago_s, _OLDEST_S)} for told in report.events
    ]
    classroom(asked).take(asked.key, events)
    return {"taken": len(events)}


def mine(asked: Asked) -> dict[str, Any]:
    """What a learner is shown."""
    return classroom(asked).look(lambda board: own_view(board, asked.learner))


def mine_live(asked: Asked) -> EventSourceResponse:
    """The same whenever it changes, until the class ends or the learner is sent away."""
    return EventSourceResponse(_own_events(classroom(asked), asked.learner, asked.key))


async def _own_events(room: Classroom, learner: str, key: str) -> AsyncIterator[dict[str, str]]:
    with room.followers.page(learner) as may_follow:
        async for event in _events(room, lambda board: own_view(board, learner), lambda: may_follow() and bool(room.learner_of(key))):
            yield event
        if may_follow():
            yield {"event": "over", "data": ""}


# The instructor


def live(asked: Asked) -> EventSourceResponse:
    """The board, now and whenever something changes."""
    return EventSourceResponse(_events(classroom(asked), overview, lambda: True))


async def _events(room: Classroom, view: Callable[[Board], dict[str, Any]], may_see: Callable[[], bool]) -> AsyncIterator[dict[str, str]]:
    told, text = -1, ""
    while may_see():
        if room.changes != told:
            told, before = room.changes, text
            text = json.dumps(await asyncio.to_thread(room.look, view))
            if text != before:
                yield {"event": "class", "data": text}
        await asyncio.sleep(_LOOK_S)


def invitation(asked: Asked) -> dict[str, Any]:
    """How one joins, and the questions there are."""
    room = classroom(asked)
    address = asked.lab.join_address(room.code)
    asks = [{"name": one.name, "lesson": one.lesson, "text": one.text} for one in questions().values()]
    return {"address": address, "host": asked.lab.lan_host, "code": room.code, "picture": qr_picture(address), "questions": asks}


def change(asked: Asked) -> dict[str, str]:
    """Do what the instructor wants."""
    wish, room = asked.read(Wish), classroom(asked)
    if wish.do == "end":
        room.end()
    elif wish.do == "ask":
        if wish.question and wish.question not in questions():
            raise UsageError("There is no such question.")
        room.tell("asked", question=wish.question)
    elif wish.do == "show":
        room.tell("shown")
    else:
        learner = room.look(lambda board: next((key for key, one in board.learners.items() if one.number == wish.number), ""))
        if not learner:
            raise UsageError("Nobody in the class has this number.")
        room.tell({"helped": "helped", "remove": "removed"}[wish.do], learner=learner)
    return {"code": room.code}


def export(asked: Asked) -> Response:
    """The class as CSV, with names."""
    text = classroom(asked).look(table)
    headers = {"content-disposition": f'attachment; filename="class-{time.strftime("%Y-%m-%d")}.csv"'}
    return Response("\ufeff" + text, media_type="text/csv", headers=headers)
