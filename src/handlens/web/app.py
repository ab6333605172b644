"""`ROUTES`: every address of the lab, who may ask it, and the function that answers. Begin here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path
from starlette.routing import Router, compile_path
from starlette.types import ASGIApp

from handlens.web import course_page, draw, own_digits, pages, trainings
from handlens.web.asked import Asked, Lab
from handlens.web.guard import Guard, Policy
from handlens.web.keys import LEARNER, OWNER

KIB, MIB = 1 << 10, 1 << 20
BOTH = frozenset({OWNER, LEARNER})

WAY_IN = Policy(frozenset())
LOOK = Policy(BOTH)
ASK = Policy(BOTH, "json", MIB)
ASK_PICTURE = Policy(BOTH, "bytes", 20 * MIB)
STREAM = Policy(BOTH, deadline_s=None)
CHANGE = Policy(frozenset({OWNER}), "json", MIB)
CHANGE_PICTURE = Policy(frozenset({OWNER}), "bytes", 20 * MIB)


class Route(NamedTuple):
    """An address, its method, who may ask it and how, and the function that answers: a dictionary for JSON, or a response."""

    path: str
    method: str
    policy: Policy
    function: Callable[[Asked], Any]


ROUTES = (
    Route("/start", "GET", WAY_IN, pages.start),
    Route("/", "GET", LOOK, pages.shell),
    Route("/train", "GET", LOOK, pages.shell),
    Route("/runs", "GET", LOOK, pages.shell),
    Route("/errors", "GET", LOOK, pages.shell),
    Route("/data", "GET", LOOK, pages.shell),
    Route("/course", "GET", LOOK, pages.shell),
    Route("/static/{name}", "GET", LOOK, pages.static),
    Route("/api/lab", "GET", LOOK, pages.lab),
    Route("/api/code", "GET", LOOK, pages.code),
    # Draw
    Route("/api/models", "GET", LOOK, draw.models),
    Route("/api/answer", "POST", ASK, draw.answer),
    Route("/api/inside", "POST", ASK, draw.inside),
    Route("/api/photo", "POST", ASK_PICTURE, draw.photo),
    Route("/api/digits", "GET", LOOK, own_digits.counts),
    Route("/api/digits", "POST", CHANGE, own_digits.keep),
    Route("/api/digits/photo/{label}", "POST", CHANGE_PICTURE, own_digits.keep_photo),
    Route("/api/digits/{digit}", "DELETE", CHANGE, own_digits.take_back),
    # Train
    Route("/api/trainings", "GET", LOOK, trainings.what),
    Route("/api/trainings", "POST", CHANGE, trainings.start),
    Route("/api/trainings/{job}/live", "GET", STREAM, trainings.watch),
    Route("/api/trainings/{job}/control", "POST", CHANGE, trainings.control),
    Route("/api/trainings/{job}/resume", "POST", CHANGE, trainings.go_on),
    Route("/api/estimate", "POST", CHANGE, trainings.estimate),
    # Course
    Route("/api/course", "GET", LOOK, course_page.what),
    Route("/api/course/hint/{name}/{level}", "GET", LOOK, course_page.hint),
    Route("/api/course/start", "POST", CHANGE, course_page.start),
    Route("/api/course/check", "POST", CHANGE, course_page.check),
)


def make_app(lab: Lab, routes: tuple[Route, ...] = ROUTES) -> ASGIApp:
    """The lab as an ASGI application.

    Raises:
        TypeError: a route does not say who may ask it.
    """
    declared: dict[str, dict[str, Policy]] = {}
    for route in routes:
        if not isinstance(route.policy, Policy):
            raise TypeError(f"{route.method} {route.path} has no policy.")
        declared.setdefault(route.path, {})[route.method] = route.policy
    router = Router([Path(route.path, _endpoint(route.function, lab), methods=[route.method]) for route in routes], redirect_slashes=False)
    names = ("127.0.0.1", "localhost", "[::1]")
    hosts = frozenset(f"{name}:{lab.port}" for name in names)
    return Guard(router, [(compile_path(path)[0], methods) for path, methods in declared.items()], lab.keys, hosts)


def _endpoint(function: Callable[[Asked], Any], lab: Lab) -> Callable[[Request], Awaitable[Response]]:
    """A route's function as Starlette calls it: in a thread, since it may calculate or wait for the disk."""

    async def endpoint(request: Request) -> Response:
        asked = Asked(lab, request.scope["role"], request.path_params, request.query_params, request.scope["body"])
        answer = await run_in_threadpool(function, asked)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return endpoint
