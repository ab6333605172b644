"""What every request passes before a route sees it, and the headers that every response has.

In this order: the exact host (against DNS rebinding), a route that is declared, the exact origin (against other pages, also those on
other ports of this machine), the role, the kind and size of the body, and a deadline. What is not declared is refused.
"""

from __future__ import annotations

import asyncio
import html
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlens.errors import DataError, HandlensError, RunBusy, RunDamaged, RunNotFound, UsageError
from handlens.web.absent import Absent
from handlens.web.keys import DRAWER, LEARNER, Keys

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_HEADERS = [(name.encode(), text.encode()) for name, text in {"cache-control": "no-store", **HEADERS}.items()]
_RECEIVING_S = 10.0
_TOO_SLOW = 408
_MOST_THROWN_AWAY = 32 << 20
_FRAMES = ("iframe", "frame", "embed", "object", "fencedframe")
_HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>handlens</title>'
)
_STATUS: tuple[tuple[type[HandlensError], int], ...] = (
    (UsageError, 400),
    (DataError, 422),
    (RunNotFound, 404),
    (RunBusy, 409),
    (RunDamaged, 422),
)


@dataclass(frozen=True)
class Policy:
    """Who may ask a route, and what a request may bring.

    Attributes:
        roles: who may; empty: whoever reaches this machine.
        body: `json`, `bytes`, or nothing.
        most_bytes: of the body.
        deadline_s: the answer must have come by then; None for a stream, which may go on.
        is_slow: it may take seconds, so only some are calculated at a time, each in a thread, and the others are told to come again.
        is_page: a link in a mail or on another page may lead here; all else only the lab's own pages ask for.
    """

    roles: frozenset[str]
    body: str = ""
    most_bytes: int = 0
    deadline_s: float | None = 60.0
    is_slow: bool = False
    is_page: bool = False


class Refused(Exception):
    """A request that is not answered: the status, why, and what to do."""

    def __init__(self, status: int, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.hint = hint


Hosts = Mapping[str, Mapping[str, frozenset[str]]]


class Guarded(NamedTuple):
    """What answers one method of an address, and for whom."""

    policy: Policy
    app: ASGIApp


Declared = Sequence[tuple[re.Pattern[str], Mapping[str, Guarded]]]


class Guard:
    """The one layer around the lab's routes.

    Args:
        declared: for each address a pattern, and what answers each of its methods.
        keys: tells the role from the cookie.
        hosts: by the address of this machine at which a request came in, the exact `Host` headers that mean this server there, and
            the roles that may come so.
        learner_of: the id of the learner whose key it is given; empty if it is nobody's.
    """

    def __init__(self, declared: Declared, keys: Keys, hosts: Hosts, learner_of: Callable[[str], str]) -> None:
        self.declared = declared
        self.keys = keys
        self.hosts = hosts
        self.learner_of = learner_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it in words; as an ASGI application."""
        if scope["type"] != "http":  # no websockets, and nothing to do at start and end
            return
        answer = _Answer(send)
        try:
            policy, app = self._check(scope)
            scope["body"] = await _read_body(scope, receive, policy)
            async with asyncio.timeout(policy.deadline_s):
                await app(scope, receive, answer.send)
            await answer.end()
        except asyncio.CancelledError:  # the lab is being closed while it still calculates
            if not answer.begun:
                await _told(Refused(503, "The lab is being closed."), scope)(scope, receive, answer.send)
        except Exception as error:
            if answer.begun:
                raise
            await _told(error, scope)(scope, receive, answer.send)

    def _check(self, scope: Scope) -> Guarded:
        """The route that is asked, if this request may ask it."""
        host = _one_header(scope, b"host")
        reach = self.hosts.get((scope["server"] or ("",))[0], {}).get(host)
        if reach is None:
            raise Refused(421, "This is not the lab's address.", "Open the address that the terminal shows.")
        asked = self._asked(scope)
        policy = asked.policy
        _check_origin(scope, f"http://{host}", policy)
        scope["reach"] = reach
        scope["role"], scope["learner"], scope["key"] = self._who(scope, reach, policy)
        if policy.roles and not scope["role"]:
            raise _unknown(reach)
        if policy.roles and scope["role"] not in policy.roles:
            raise _not_for(scope["role"])
        return asked

    def _who(self, scope: Scope, reach: frozenset[str], policy: Policy) -> tuple[str, str, str]:
        """The role, and which learner it is, by which key; a program of a learner brings its key in place of a cookie."""
        cookie = _one_header(scope, b"cookie")
        role = self.keys.role_of(cookie, reach)
        if LEARNER not in reach:
            return role, "", ""
        brought = _one_header(scope, b"authorization").removeprefix("Bearer ")
        keys = [brought] if brought else self.keys.learner_keys(cookie)
        key = next(filter(self.learner_of, keys), "")
        learner = self.learner_of(key)
        if learner and (not role or LEARNER in policy.roles):
            role = LEARNER
        return role, learner, key

    def _asked(self, scope: Scope) -> Guarded:
        for pattern, methods in self.declared:
            if found := pattern.match(scope["path"]):
                scope["path_params"] = found.groupdict()
                if scope["method"] in methods:
                    return methods[scope["method"]]
                raise Refused(405, "This address does not do that.", f"It takes: {', '.join(methods)}.")
        raise Refused(404, "There is no such page.", "Go back to the lab's first page.")


def _unknown(reach: frozenset[str]) -> Refused:
    if LEARNER in reach:
        return Refused(401, "The class does not know this browser.", "To join, open the whole address, with its code: /join/CODE")
    return Refused(401, "The lab does not know this browser.", "Open the address that the terminal shows: it works once.")


def _not_for(role: str) -> Refused:
    if role == LEARNER:
        return Refused(403, "This is not for learners of the class.", "Your page is /learner.")
    if role == DRAWER:
        return Refused(403, "A phone that was let in to draw may only draw.", "All else is done on the computer.")
    return Refused(403, "Here one may look, but change nothing.", "The lab was started with --read-only.")


def _check_origin(scope: Scope, own: str, policy: Policy) -> None:
    """Refuse what another page asks for. All ports of this machine are one site, so that only the exact origin tells pages apart.

    A frame is opened like a page, and its request brings the cookie: so a frame gets nothing, and another page can only lead to a page.
    """
    site, mode, kind = (_one_header(scope, name) for name in (b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest"))
    opens = policy.is_page and mode == "navigate"
    foreign = kind in _FRAMES or (site in ("same-site", "cross-site") and not opens)
    if foreign or (scope["method"] != "GET" and _one_header(scope, b"origin") != own):
        raise Refused(403, "Another page asked for this, and only the lab's own pages may.")


async def _read_body(scope: Scope, receive: Receive, policy: Policy) -> bytes:
    """The whole body, and never more of it than the policy allows."""
    kind = _one_header(scope, b"content-type").partition(";")[0].strip()
    if policy.body == "json" and kind != "application/json":
        raise Refused(415, "This address takes JSON.", "Send it as application/json.")
    length = _one_header(scope, b"content-length")
    if length.isdecimal() and int(length) > policy.most_bytes:
        raise _too_large(policy)
    body = bytearray()
    try:
        async with asyncio.timeout(_RECEIVING_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused(400, "The request broke off.")  # what came of it may look like a whole one
                body += message.get("body", b"")
                if len(body) > policy.most_bytes:
                    raise _too_large(policy)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError as error:
        raise Refused(_TOO_SLOW, "The request came too slowly.", "Try again.") from error


def _too_large(policy: Policy) -> Refused:
    return Refused(413, f"At most {policy.most_bytes:,} bytes are taken here.", "Send a smaller picture." if policy.body == "bytes" else "")


def _one_header(scope: Scope, name: bytes) -> str:
    """The value of a header; empty if it is not there, or there twice."""
    values = [value for header, value in scope["headers"] if header == name]
    return str(values[0].decode("latin-1")) if len(values) == 1 else ""


def _told(error: Exception, scope: Scope) -> Response:
    """What went wrong, in a sentence: as JSON, or as a page where somebody opened an address."""
    # The rest of a body is waited for only if it said its length and that is not much: else its sender would not read why.
    length = _one_header(scope, b"content-length")
    status, what, hint = _in_words(error)
    waits = length.isdecimal() and int(length) <= _MOST_THROWN_AWAY and status != _TOO_SLOW
    closing = {"connection": "close"} if isinstance(error, Refused) and not waits else None
    if "text/html" in _one_header(scope, b"accept"):
        texts = [html.escape(text) for text in (what, hint)]
        page = f'<!DOCTYPE html><html lang="en">{_HEAD}<main><h1>{texts[0]}</h1><p>{texts[1]}</p></main></html>'
        return HTMLResponse(page, status, closing)
    missing = {"missing": error.names} if isinstance(error, Absent) else {}
    return JSONResponse({"error": what, "what to do": hint, **missing}, status, closing)


def _in_words(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, Refused):
        return error.status, error.what, error.hint
    if isinstance(error, TimeoutError):
        return 503, "This took too long.", "Try again in a moment; a training may be using the processor."
    if isinstance(error, HandlensError):
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        return status, error.what, error.hint
    logging.getLogger("handlens").error("A fault in the lab.", exc_info=error)
    return 500, "The lab has a fault here.", "The terminal shows what happened. Please report it."


class _Answer:
    """Sends a response with the headers that every response has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.ended = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            own = {name for name, _ in message["headers"]}
            message["headers"] += [header for header in _HEADERS if header[0] not in own]
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)

    async def end(self) -> None:
        """End a stream that was broken off since the lab is being closed; else the terminal would show that as a fault."""
        if self.begun and not self.ended:
            await self.send({"type": "http.response.body", "body": b""})
