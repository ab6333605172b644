"""The routes of a phone as a drawing pad: it is let in by a QR code, and what is drawn on it shows up on the computer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from handlens.errors import UsageError
from handlens.web.asked import Asked, Body, Phone
from handlens.web.draw import Drawing, answered
from handlens.web.guard import Refused
from handlens.web.keys import INVITED_S
from handlens.web.lan import qr_picture

_LOOK_S = 0.04


class Invitation(Body):
    """Whom the phone shall be answered by: a run's name; empty for the default."""

    run: str = Field("", max_length=64)


def invite(asked: Asked) -> dict[str, Any]:
    """A link that lets one phone in to draw, once, within two minutes."""
    run = asked.read(Invitation).run
    _check_lan(asked)
    asked.lab.phone.run = run
    link = asked.lab.phone_link()
    return {"address": link, "picture": qr_picture(link), "seconds": INVITED_S}


async def draw(asked: Asked) -> dict[str, Any]:
    """What is on the phone's pad now; what the network says of it, and how many of the strokes were kept and can go."""
    sendings = asked.lab.phone.sendings
    if sendings.is_used_up(asked.caller):
        raise Refused(429, "The phone sends too much.", "Wait a moment, and draw on.")
    sendings.use(asked.caller)
    async with asked.lab.phone.turn:
        return await run_in_threadpool(_drawn, asked)


def _drawn(asked: Asked) -> dict[str, Any]:
    phone, drawing = asked.lab.phone, asked.read(Drawing)
    over = phone.show(drawing.strokes)
    said = answered(asked, drawing.model_copy(update={"run": phone.run, "off": {}, "strokes": drawing.strokes[over:]}))
    return {**said, "kept": over}


def live(asked: Asked) -> EventSourceResponse:
    """What is drawn on the phone, whenever it changes."""
    _check_lan(asked)
    return EventSourceResponse(_events(asked.lab.phone, asked.last_event))


def _check_lan(asked: Asked) -> None:
    if not asked.lab.lan:
        raise UsageError("This lab listens on this machine only.", hint="For a phone, start it so: handlens lab --lan")


async def _events(phone: Phone, last_event: str) -> AsyncIterator[dict[str, str]]:
    """A page that comes for the first time knows what it shows; one that comes back is told what it has missed."""
    told = last_event if last_event.startswith(phone.session) else phone.event_id()
    yield {"event": "begun", "id": told, "data": ""}
    while True:
        if phone.event_id() != told:
            told = phone.event_id()
            yield {"event": "drawing", "id": told, "data": json.dumps(phone.strokes)}
        await asyncio.sleep(_LOOK_S)
