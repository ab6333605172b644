"""The lab as a server on this machine only: a free port, the browser, and a clean end."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from handlens.errors import HandlensError, UsageError
from handlens.web.app import make_app
from handlens.web.asked import Lab
from handlens.web.connection import MOST, Connection
from handlens.web.jobs import end_all
from handlens.web.keys import LEARNER, OWNER, Keys
from handlens.web.lan import lan_address, listening_there, qr_lines
from handlens.web.shelf import ready, run_named

PORT = 8712
_TRIED = 20
_MORE = 64  # connections, while there are none to let go
_GONE_S = 2


def open_lab(
    tell: Callable[[str], None], *, run: str = "", port: int | None = None, read_only: bool = False, browser: bool = True, lan: str = ""
) -> None:
    """Serve the lab until Ctrl-C.

    Args:
        tell: shows a line to the user.
        run: the run that answers; empty for the default.
        port: where to listen; None for the usual one. If it is taken, the next free one is.
        read_only: one may look and draw, but keep and train nothing.
        browser: open it in the user's browser.
        lan: also listen at this address of the machine, for phones that draw; `auto` finds it; empty: do not.

    Raises:
        UsageError: no port is free; or there is no such address.
        RunNotFound, RunDamaged: the run cannot be had.
    """
    if run:
        run_named(run)
    address = lan_address(lan) if lan else ""
    with contextlib.ExitStack() as sockets:
        bound = [sockets.enter_context(listening(port or PORT))]
        found = bound[0].getsockname()[1]
        if address:
            bound.append(sockets.enter_context(listening_there(address, found)))
        if found != (port or PORT):
            tell(f"Port {port or PORT} is taken; the lab takes {found}.")
        lab = Lab(found, Keys(found, LEARNER if read_only else OWNER), run, tell, address)
        warming = threading.Thread(target=warm_up, args=[lab])
        with contextlib.suppress(KeyboardInterrupt):
            tell(f"The lab is open: {lab.link()}")
            tell("The link works once, for your browser. Ctrl-C closes the lab.")
            if address:
                _invite(lab)
            warming.start()
            if browser and _has_screen():
                threading.Thread(target=webbrowser.open, args=[lab.link()], daemon=True).start()
            make_server(lab).run(sockets=bound)
        if warming.is_alive():
            warming.join()  # PyTorch does not bear that Python ends while it is imported
        for name in end_all():
            tell(f"Training {name} was interrupted; to go on: handlens train --resume {name}")
        tell("The lab is closed.")


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
        bound = socket.socket(proto=socket.IPPROTO_TCP)  # only of such does asyncio send small answers at once, not 40 ms later
        try:
            if os.name != "nt":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", candidate))
            bound.listen()
        except OSError:
            bound.close()
        else:
            return bound
    raise UsageError(f"No port from {port} to {port + _TRIED - 1} is free.", hint="Name another: handlens lab --port 9000")


def warm_up(lab: Lab) -> None:
    """Ask once before anybody does: the first question loads the network, and half of PyTorch."""
    with contextlib.suppress(HandlensError):
        ready(lab.run).run.predict([[(0, 0), (1, 2)]])


def _has_screen() -> bool:
    """Whether a browser would be a window: without one, Python would start a browser inside the terminal."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
