"""How Ray is started or joined, and what it means when it does not answer."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from handlens import files
from handlens.errors import FailedError, UsageError

KNOCK_S = 10.0
_HEAD_PATIENCE_S = 15.0  # Ray itself ends a process that has not reached the head for 60 s
_PAUSE_S = 1.0
_LEAST_VERSION = (2, 54)
_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # "0" keeps Ray on the loopback address, on Linux too
_NICENESS = "RAY_worker_niceness"  # 15 without it: on a busy machine our trials would hardly ever have a turn
_HERE = ("127.0.0.1", "::1")
_QUIET = {"log_to_driver": False, "logging_level": "ERROR"}
_TOKEN_HINT = "Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN to the cluster's own token; or keep that token in ~/.ray/auth_token."


def import_ray(address: str) -> Any:
    """Ray, imported; if this program has joined a cluster already, it is the one at that address.

    Raises:
        UsageError: it is not installed, or too old to be safe (before 2.54 a web page could reach it); or the cluster is another one.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError("--backend ray needs Ray, which is not installed.", hint='pip install "handlens[ray]"') from error
    if tuple(int(part) for part in ray.__version__.split(".")[:2]) < _LEAST_VERSION:
        raise UsageError(f"Ray {ray.__version__} is too old; 2.54 or newer is needed.", hint='pip install --upgrade "handlens[ray]"')
    if ray.is_initialized() and address not in ("", "auto"):
        joined = ray.get_runtime_context().gcs_address
        if not is_same_place(address, joined, _own_address(ray)):
            hint = f"Leave out the address, or call ray.shutdown() before the sweep. The program's own cluster is at {joined}."
            raise UsageError("This program has joined another Ray cluster already.", where=address, hint=hint)
    return ray


def join(ray: Any, address: str, stack: contextlib.ExitStack) -> None:
    """Join the cluster at that address, or start Ray here if it is empty, until `stack` is closed; where this program is already, it stays.

    Raises:
        FailedError: there is no such cluster, it refuses us, or Ray does not start.
    """
    if ray.is_initialized():
        return
    if address:
        _join_there(ray, address)
    else:
        stack.enter_context(_shut_off(ray))
        _start_here(ray, stack.enter_context(_short_folder()))
    stack.callback(ray.shutdown)


def _start_here(ray: Any, folder: str) -> None:
    """On the loopback only, with a token and without a dashboard; `_shut_off` must stand around it."""
    if not ipaddress.ip_address(here := _own_address(ray)).is_loopback:
        hint = "Try --backend local; or start Ray yourself, before the sweep: ray.init()"
        raise FailedError(f"Ray {ray.__version__} would listen to other machines, at {here}.", hint=hint)
    try:
        ray.init(address="local", include_dashboard=False, _temp_dir=folder, **_QUIET)
    except Exception as error:  # it has no exception of its own for this
        ray.shutdown()
        raise FailedError(f"Ray did not start here: {files.printable(str(error), 300)}", hint="Try --backend local.") from error


def _own_address(ray: Any) -> str:
    """The IP address of the node that this program has joined, or of one that it would start."""
    return str(ray.util.get_node_ip_address())


def _join_there(ray: Any, address: str) -> None:
    try:
        _knock(address, KNOCK_S)
    except (OSError, ValueError, OverflowError) as error:
        hint = "Start one: ray start --head; or leave out --address."
        raise FailedError(f"No Ray cluster answers at '{address}'.", hint=hint) from error
    _read_again(ray)
    try:
        ray.init(address=address, **_QUIET)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:  # it says the same of a wrong token and of no cluster
        raise FailedError(f"No Ray cluster lets us in at '{address}'.", hint=f"Has it a token? {_TOKEN_HINT}") from error


@contextlib.contextmanager
def _shut_off(ray: Any) -> Iterator[None]:
    """The Ray of this program and its processes: it is meanwhile on the loopback address, and whoever speaks to it needs a token.

    Afterwards all is as before, for another Ray.
    """
    constants = ray._private.ray_constants  # it has read the first of the variables when it was imported
    before = {name: os.environ.get(name) for name in (_CLUSTERS, _NICENESS, "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")}
    clusters = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    try:
        constants.ENABLE_RAY_CLUSTER = False
        os.environ |= {_CLUSTERS: "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": before["RAY_AUTH_TOKEN"] or secrets.token_hex(32)}
        os.environ.setdefault(_NICENESS, "0")
        _read_again(ray)
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = clusters
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _read_again(ray)


def _read_again(ray: Any) -> None:
    """Ray reads mode and token once in a process. The mode goes first: with one that wants a token, and none there, it ends the process."""
    ray._raylet.Config.initialize("")
    ray._raylet.AuthenticationTokenLoader.instance().reset_cache()


def wait_for_head(address: str) -> None:
    """Come back as soon as the head of the cluster, the node with its books, takes connections at `HOST:PORT`.

    Raises:
        FailedError: it has taken none for a while.
    """
    deadline = time.monotonic() + _HEAD_PATIENCE_S
    while True:
        try:
            _knock(address, _HEAD_PATIENCE_S / 4)
            return
        except OSError as error:
            if time.monotonic() > deadline:
                said = f"The head of the Ray cluster, {address}, does not answer any more: {last_line(error)}"
                raise FailedError(said, hint="If it is gone, start the cluster again.") from error
        time.sleep(_PAUSE_S)


@contextlib.contextmanager
def talking(ray: Any) -> Iterator[None]:
    """Ask something of the cluster.

    Raises:
        FailedError: it does not answer any more.
    """
    try:
        yield
    except ray.exceptions.AuthenticationError as error:
        raise FailedError("The Ray cluster refused the token.", hint=_TOKEN_HINT) from error
    except (OSError, RuntimeError, ray.exceptions.RayError) as error:
        raise FailedError(f"The Ray cluster does not answer any more: {last_line(error)}") from error


def last_line(error: BaseException) -> str:
    """What an exception says, without the traceback of another process above it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return files.printable(": ".join([type(error).__name__, *lines[-1:]]), 200)


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """For Ray's files. Its sockets lie there too, whose paths may have 107 letters, and macOS has long names for temporary folders."""
    return tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp" if sys.platform == "darwin" else None, ignore_cleanup_errors=True)


def _knock(address: str, patience_s: float) -> None:
    """Ray itself waits minutes for a cluster that is not there.

    Raises:
        OSError: nobody listens at an address `HOST:PORT`.
    """
    host, port = _host_and_port(address)
    if port.isdecimal():
        socket.create_connection((host, int(port)), patience_s).close()


def is_same_place(one: str, other: str, here: str) -> bool:
    """Do two addresses `HOST:PORT` name the same place? A host has several names: `localhost` is also `127.0.0.1`.

    Args:
        one: an address.
        other: another one.
        here: the IP address of this machine's node, which Ray puts in the place of `localhost`.
    """
    return one == other or not _places(one, here).isdisjoint(_places(other, here))


def _places(address: str, here: str) -> set[tuple[str, int]]:
    """The IP addresses and the port that an address stands for; none where it names no host."""
    host, port = _host_and_port(address)
    if not port.isdecimal():
        return set()
    try:
        found = {str(place[0]) for *_, place in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)}
    except (OSError, ValueError, OverflowError):
        return set()
    return {(ip, int(port)) for ip in (found if found.isdisjoint(_HERE) else found | {here})}


def _host_and_port(address: str) -> tuple[str, str]:
    host, _, port = address.rpartition("://")[2].rpartition(":")
    return host.strip("[]"), port
