"""The lab as a server on this machine only: a free port, the browser, and a clean end."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn

from handlens.errors import HandlensError, UsageError
from handlens.prediction import predict
from handlens.web.app import make_app
from handlens.web.asked import Lab
from handlens.web.classroom import Classroom, held_class
from handlens.web.connection import MOST, Connection
from handlens.web.jobs import end_all
from handlens.web.keys import OWNER, VIEWER, Keys, kept_secret
from handlens.web.lan import ANY, bound_to, lan_address, listening_there, qr_lines
from handlens.web.shelf import ready, run_named

PORT = 8712
_TRIED = 20
_MORE = 64  # connections, while there are none to let go
_GONE_S = 2


@dataclass(frozen=True)
class Opening:
    """How a lab is opened.

    Attributes:
        run: the run that answers; empty for the default.
        port: where to listen; None for the usual one. If it is taken, the next free one is.
        read_only: one may look and draw, but keep and train nothing.
        browser: open it in the user's browser.
        lan: also listen at this address of the machine, for phones that draw and for learners; `auto` finds it; empty: do not.
        in_class: learners may join, by that address.
    """

    run: str = ""
    port: int | None = None
    read_only: bool = False
    browser: bool = True
    lan: str = ""
    in_class: bool = False


def open_lab(tell: Callable[[str], None], opening: Opening) -> None:
    """Serve the lab until Ctrl-C.

    Args:
        tell: shows a line to the user.
        opening: how.

    Raises:
        UsageError: no port is free; or there is no such address.
        RunNotFound, RunDamaged: the run cannot be had.
        RunBusy: another lab has the class open.
    """
    if opening.run:
        run_named(opening.run)
    if opening.in_class and opening.read_only:
        raise UsageError("A class needs a lab that can be changed.", hint="Leave --read-only away: learners see their own page only.")
    lan = opening.lan or (ANY if opening.in_class else "")
    address = lan_address(lan) if lan else ""
    with contextlib.ExitStack() as stack:
        secret = kept_secret()
        room = Classroom(stack.enter_context(held_class()), secret) if opening.in_class else None
        port = opening.port or (room and _port_before(room)) or PORT
        bound = [stack.enter_context(listening(port))]
        found = bound[0].getsockname()[1]
        if address:
            bound.append(stack.enter_context(listening_there(address, found)))
        if found != port:
            tell(f"Port {port} is taken; the lab takes {found}.")
        keys = Keys(found, VIEWER if opening.read_only else OWNER, secret)
        _serve(Lab(found, keys, opening.run, tell, address, classroom=room), bound, opening.browser)


def _serve(lab: Lab, bound: list[socket.socket], browser: bool) -> None:
    warming = threading.Thread(target=warm_up, args=[lab])
    with contextlib.suppress(KeyboardInterrupt):
        lab.tell(f"The lab is open: {lab.link()}")
        lab.tell("The link works once, for your browser. Ctrl-C closes the lab.")
        if lab.classroom:
            _tell_class(lab, lab.classroom)
        elif lab.lan:
            _invite(lab)
        warming.start()
        if browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=[lab.link()], daemon=True).start()
        make_server(lab).run(sockets=bound)
    if warming.is_alive():
        warming.join()  # PyTorch does not bear that Python ends while it is imported
    for name in end_all():
        lab.tell(f"Training {name} was interrupted; to go on: handlens train --resume {name}")
    lab.tell("The lab is closed." + (" The class goes on when it is opened again with --class." if lab.classroom else ""))


def _port_before(room: Classroom) -> int:
    """Where the class was before, so that learners find it again; 0 for a new one."""
    return int(room.look(lambda board: board.host).rpartition(":")[2] or 0)


def _tell_class(lab: Lab, room: Classroom) -> None:
    learners, began, before = room.look(lambda board: (len(board.learners), board.began, board.host))
    address = lab.join_address(room.code)
    lab.tell(f"{qr_lines(address)}\nThe class: {address}")
    lab.tell(f"Class code: {room.code}. Learners open that address, or type: handlens course join {lab.lan_host} --code {room.code}")
    if learners:
        lab.tell(f"It is the class of {time.strftime('%d %B, %H:%M', time.localtime(began))}; {learners} have joined.")
        lab.tell("For a new one end it first: the button on its page, or, with the lab closed: handlens course class end")
    if learners and before != lab.lan_host:
        lab.tell(f"It was at {before} before: tell the class the new address.")
    if before != lab.lan_host:
        room.tell("opened", host=lab.lan_host)
    lab.tell("Whoever can read this network can read what learners send: names, results, questions.")


def _invite(lab: Lab) -> None:
    link = lab.phone_link()
    lab.tell(f"{qr_lines(link)}\nA phone in the same network may draw: {link}")
    lab.tell("That works once, within two minutes; the page Draw shows another. Whoever can read this network can read what is drawn.")


def make_server(lab: Lab) -> uvicorn.Server:
    """The server, not yet running. It keeps no log of addresses: the link is one."""
    config = uvicorn.Config(
        make_app(lab),
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        http=Connection,
        ws="none",
        limit_concurrency=MOST + _MORE,
        timeout_graceful_shutdown=_GONE_S,
    )
    return uvicorn.Server(config)


def listening(port: int) -> socket.socket:
    """A socket on this machine's own address, at the port or the next free one; 0 for any.

    Raises:
        UsageError: none is free.
    """
    for candidate in range(port, min(port + _TRIED, 1 << 16)):
        with contextlib.suppress(OSError):
            return bound_to("127.0.0.1", candidate)
    raise UsageError(f"No port from {port} to {port + _TRIED - 1} is free.", hint="Name another: handlens lab --port 9000")


def warm_up(lab: Lab) -> None:
    """Ask once before anybody does: the first question loads the network, and half of PyTorch."""
    with contextlib.suppress(HandlensError):
        chosen = ready(lab.run)
        with chosen.answering.use({}) as model:
            predict(model, chosen.run.about.classes, chosen.preparation, [[(0, 0), (1, 2)]])


def _has_screen() -> bool:
    """Whether a browser would be a window: without one, Python would start a browser inside the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
