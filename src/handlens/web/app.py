"""`ROUTES`: every address of the lab, who may ask it, and the function that answers. Begin here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.responses import JSONResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from handlens.data.offline import offline
from handlens.web import (
    class_page,
    course_page,
    draw,
    errors_page,
    fetching,
    own_digits,
    own_files,
    pages,
    phone,
    runs_page,
    sets,
    sweeps_page,
    trainings,
    units,
)
from handlens.web.asked import Asked, Lab
from handlens.web.guard import Guard, Guarded, Policy, Refused
from handlens.web.keys import DRAWER, LEARNER, OWNER, VIEWER

MOST_SLOW = 12
"""Slow requests at a time: far fewer than there are threads, so that what is quick does not wait for them."""

KIB, MIB = 1 << 10, 1 << 20
BOTH = frozenset({OWNER, VIEWER})

ANYBODY_LET_IN = BOTH | {DRAWER, LEARNER}

WAY_IN = Policy(frozenset(), is_page=True)
TAKES_SEAT = Policy(frozenset(), "json", KIB)
PAGE = Policy(BOTH, is_page=True)
BOARD_PAGE = Policy(frozenset({OWNER}), is_page=True)
PHONE_PAGE = Policy(frozenset({DRAWER}), is_page=True)
LEARNERS_PAGE = Policy(frozenset({LEARNER}), is_page=True)
FILE = Policy(ANYBODY_LET_IN)
LOOK = Policy(BOTH)
ASK = Policy(BOTH, "json", MIB)
ASK_MUCH = Policy(BOTH, "json", MIB, is_slow=True)
ASK_PICTURE = Policy(BOTH, "bytes", 20 * MIB, is_slow=True)
MEASURE = Policy(BOTH, deadline_s=600.0, is_slow=True)
STREAM = Policy(BOTH, deadline_s=None)
PHONE_DRAWS = Policy(frozenset({DRAWER}), "json", 128 * KIB)  # some ten thousand points
TAKES_PART = Policy(frozenset({LEARNER}))
TELLS = Policy(frozenset({LEARNER}), "json", 64 * KIB)
FOLLOWS = Policy(frozenset({LEARNER}), deadline_s=None)
BOARD = Policy(frozenset({OWNER}))
BOARD_LIVE = Policy(frozenset({OWNER}), deadline_s=None)
CHANGE = Policy(frozenset({OWNER}), "json", MIB)
CHECK = Policy(frozenset({OWNER}), "json", MIB, deadline_s=180.0, is_slow=True)
ESTIMATE = Policy(frozenset({OWNER}), "json", MIB, is_slow=True)
CHANGE_MUCH = Policy(frozenset({OWNER}), "json", 20 * MIB)
CHANGE_PICTURE = Policy(frozenset({OWNER}), "bytes", 20 * MIB, deadline_s=300.0, is_slow=True)  # a zip file may hold thousands


class Route(NamedTuple):
    """An address, its method, who may ask it and how, and the function that answers: a dictionary for JSON, or a response."""

    path: str
    method: str
    policy: Policy
    function: Callable[[Asked], Any]


ROUTES = (
    Route("/start", "GET", WAY_IN, pages.start),
    Route("/", "GET", PAGE, pages.shell),
    Route("/train", "GET", PAGE, pages.shell),
    Route("/runs", "GET", PAGE, pages.shell),
    Route("/errors", "GET", PAGE, pages.shell),
    Route("/data", "GET", PAGE, pages.shell),
    Route("/course", "GET", PAGE, pages.shell),
    Route("/class", "GET", BOARD_PAGE, pages.shell),
    Route("/static/{name}", "GET", FILE, pages.static),
    Route("/api/lab", "GET", LOOK, pages.lab),
    Route("/api/code", "GET", LOOK, pages.code),
    # Draw
    Route("/api/models", "GET", LOOK, draw.models),
    Route("/api/answer", "POST", ASK, draw.answer),
    Route("/api/inside", "POST", ASK_MUCH, draw.inside),
    Route("/api/unit", "POST", ASK_MUCH, units.arithmetic),
    Route("/api/photo", "POST", ASK_PICTURE, draw.photo),
    Route("/api/digits", "GET", LOOK, own_digits.counts),
    Route("/api/digits", "POST", CHANGE, own_digits.keep),
    Route("/api/digits/photo/{label}", "POST", CHANGE_PICTURE, own_digits.keep_photo),
    Route("/api/digits/{digit}", "DELETE", CHANGE, own_digits.take_back),
    # Data
    Route("/api/data", "GET", LOOK, sets.known),
    Route("/api/data/{name}", "GET", LOOK, sets.look),
    Route("/api/data/{name}/fetch", "POST", CHANGE, fetching.begin),
    Route("/api/data/{name}/fetch", "GET", LOOK, fetching.how_far),
    Route("/api/augmented", "POST", ASK_MUCH, sets.augmented),
    Route("/api/digits/of/{label}", "GET", LOOK, own_digits.listed),
    Route("/api/digits/{digit}/label", "POST", CHANGE, own_digits.relabel),
    Route("/api/own/delete", "POST", CHANGE, own_digits.delete),
    Route("/api/own/restore", "POST", CHANGE_MUCH, own_digits.restore),
    Route("/api/own/file", "POST", CHANGE_PICTURE, own_files.add),
    Route("/api/own/sheet", "POST", CHANGE_PICTURE, own_files.add_sheet),
    Route("/api/own/sheet.pdf", "GET", LOOK, own_files.sheet),
    Route("/api/own/export/{kind}", "GET", LOOK, own_files.export),
    # a phone as a drawing pad
    Route("/phone", "GET", PHONE_PAGE, pages.phone),
    Route("/api/phone/drawing", "POST", PHONE_DRAWS, phone.draw),
    Route("/api/phone", "POST", CHANGE, phone.invite),
    Route("/api/phone/live", "GET", STREAM, phone.live),
    # Train
    Route("/api/trainings", "GET", LOOK, trainings.what),
    Route("/api/trainings", "POST", CHANGE, trainings.start),
    Route("/api/trainings/{job}/live", "GET", STREAM, trainings.watch),
    Route("/api/trainings/{job}/control", "POST", CHANGE, trainings.control),
    Route("/api/trainings/{job}/resume", "POST", CHANGE, trainings.go_on),
    Route("/api/estimate", "POST", ESTIMATE, trainings.estimate),
    # Runs
    Route("/api/runs", "GET", LOOK, runs_page.table),
    Route("/api/runs/{run}", "GET", LOOK, runs_page.one),
    Route("/api/runs/{run}", "POST", CHANGE, runs_page.change),
    Route("/api/runs/{run}", "DELETE", CHANGE, runs_page.remove),
    Route("/api/runs/{run}/test", "GET", MEASURE, runs_page.test),
    Route("/api/compare", "GET", MEASURE, runs_page.side_by_side),
    Route("/api/trash/{entry}", "POST", CHANGE, runs_page.put_back),
    Route("/api/sweeps", "GET", LOOK, sweeps_page.known),
    Route("/api/sweeps/{sweep}", "GET", LOOK, sweeps_page.one),
    Route("/api/sweeps/{sweep}/findings", "GET", MEASURE, sweeps_page.findings),
    # Errors
    Route("/api/errors", "GET", LOOK, errors_page.choices),
    Route("/api/runs/{run}/errors", "GET", MEASURE, errors_page.overview),
    Route("/api/runs/{run}/images", "GET", MEASURE, errors_page.images),
    Route("/api/runs/{run}/picture", "GET", MEASURE, errors_page.picture),
    Route("/api/runs/{run}/why", "GET", MEASURE, errors_page.why),
    Route("/api/runs/{run}/changed", "GET", MEASURE, errors_page.changed),
    Route("/api/runs/{run}/layout", "GET", MEASURE, errors_page.layout),
    Route("/api/runs/{run}/doubts", "POST", CHANGE, errors_page.mark),
    # Course
    Route("/api/course", "GET", LOOK, course_page.what),
    Route("/api/course/hint/{name}/{level}", "GET", LOOK, course_page.hint),
    Route("/api/course/start", "POST", CHANGE, course_page.start),
    Route("/api/course/check", "POST", CHECK, course_page.check),
    # a class: its learners come from the network, its board is its owner's
    Route("/join/{code}", "GET", WAY_IN, class_page.join),
    Route("/api/learner/seat", "POST", TAKES_SEAT, class_page.seat),
    Route("/learner", "GET", LEARNERS_PAGE, pages.learner),
    Route("/api/learner", "GET", TAKES_PART, class_page.mine),
    Route("/api/learner/live", "GET", FOLLOWS, class_page.mine_live),
    Route("/api/learner/name", "POST", TELLS, class_page.name),
    Route("/api/learner/events", "POST", TELLS, class_page.take),
    Route("/api/class", "GET", BOARD, class_page.invitation),
    Route("/api/class", "POST", CHANGE, class_page.change),
    Route("/api/class/live", "GET", BOARD_LIVE, class_page.live),
    Route("/api/class/export", "GET", BOARD, class_page.export),
)


def make_app(lab: Lab, routes: tuple[Route, ...] = ROUTES) -> ASGIApp:
    """The lab as an ASGI application.

    Raises:
        TypeError: a route does not say who may ask it, or is slow where all other requests would wait for it.
    """
    slots = threading.BoundedSemaphore(MOST_SLOW)
    declared: dict[str, dict[str, Guarded]] = {}
    for route in routes:
        _check(route)
        function = _taking_turns(route.function, slots) if route.policy.is_slow else route.function
        declared.setdefault(route.path, {})[route.method] = Guarded(route.policy, _app(function, lab))
    hosts = {"127.0.0.1": {f"{name}:{lab.port}": BOTH for name in ("127.0.0.1", "localhost", "[::1]")}}
    if lab.lan:
        hosts[lab.lan] = {lab.lan_host: frozenset({DRAWER, LEARNER} if lab.classroom else {DRAWER})}
    patterns = [(compile_path(path)[0], methods) for path, methods in declared.items()]
    return Guard(patterns, lab.keys, hosts, lab.classroom.learner_of if lab.classroom else lambda _key: "")


def _check(route: Route) -> None:
    name = f"{route.method} {route.path}"
    if not isinstance(route.policy, Policy):
        raise TypeError(f"{name} has no policy.")
    if route.policy.is_slow and iscoroutinefunction(route.function):
        raise TypeError(f"{name} is slow and async: all other requests would wait for it. Without async it has a thread of its own.")


def _taking_turns(function: Callable[[Asked], Any], slots: threading.Semaphore) -> Callable[[Asked], Any]:
    """A route's function that is not begun while too many are at work; one for which nobody waits any more is at work until it ends."""

    def answer(asked: Asked) -> Any:
        if not slots.acquire(blocking=False):
            raise Refused(503, "The lab is busy with other questions.", "Try again in a moment.")
        try:
            return function(asked)
        finally:
            slots.release()

    return answer


def _app(function: Callable[[Asked], Any], lab: Lab) -> ASGIApp:
    """A route's function as an application: in a thread, since it may calculate or wait for the disk; if it is async, as it is.

    None of them fetches data over the network: whoever looks at a page has not asked for that.
    """
    is_async = iscoroutinefunction(function)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        query = QueryParams(scope["query_string"])
        asked = Asked(
            lab,
            caller=scope["client"][0] if scope["client"] else "",
            path=scope["path_params"],
            query=query,
            last_event=Headers(scope=scope).get("last-event-id") or query.get("seen", ""),
            **{name: scope[name] for name in ("role", "reach", "learner", "key", "body")},
        )
        with offline():
            answer = await (function(asked) if is_async else run_in_threadpool(function, asked))
        response = answer if isinstance(answer, Response) else JSONResponse(answer)
        await response(scope, receive, send)

    return app
