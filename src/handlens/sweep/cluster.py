"""The engine on Ray: the same jobs, as Ray tasks on one machine or many. The only user of ray.

Ray only gives out the jobs. What was done stands in the sweep's folder, which all nodes must see under the same path.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from handlens import files
from handlens.errors import FailedError, UsageError
from handlens.sweep.pool import PATIENCE_S, Event, Take
from handlens.sweep.trial import Job, Message, advance, read_outcome, write_failure
from handlens.sweep.troubles import unfit

if TYPE_CHECKING:
    import ray

_MOST_DEATHS = 5
_PAUSE_S = 1.0
_KNOCK_S = 10.0
_WITHOUT_ROOM_S = 60.0
_LEAST_VERSION = (2, 54)


@dataclass
class Flight:
    """A job that was given to Ray, and when its process was last heard of; None while it waits for a place in the cluster."""

    job: Job
    heard: float | None = None


class RayPool:
    """Ray tasks while its `with` lasts.

    Attributes:
        threads: processors that each trial takes.
        gpus: cards that each trial takes, or the share of one. Ray shows a trial no card that it did not ask for.
        address: of a cluster; `auto` for the one that this machine belongs to; empty to start Ray on this machine, for this sweep only.
        patience_s: a trial that gives no epoch for so long has failed.
        count: how many trials fit at a time.
    """

    def __init__(self, threads: int, address: str = "", patience_s: float = PATIENCE_S, gpus: float = 0) -> None:
        self.threads = threads
        self.gpus = gpus
        self.address = address
        self.patience_s = patience_s
        self.count = 0
        self._ray = _import_ray(own=not address)
        self._stack = contextlib.ExitStack()
        self._deaths: Counter[str] = Counter()
        self._waiting: deque[Job] = deque()
        self._flying: dict[ray.ObjectRefGenerator, Flight] = {}
        self._silent_since = time.monotonic()

    @property
    def words(self) -> str:
        """The options of `handlens sweep` that choose this engine, with a space before each."""
        return " --backend ray" + (f" --address {self.address}" if self.address else "")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._connect(stack)
            stack.callback(self._ray.shutdown)
            self.count = self._room()
            if not self.count:
                raise UsageError(self._no_room(), hint="Ask for less with --threads and --gpus, or add a node that has as much.")
            self._task = self._ray.remote(num_cpus=self.threads, num_gpus=self.gpus, max_retries=0, num_returns="streaming")(_do)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _connect(self, stack: contextlib.ExitStack) -> None:
        """Loopback only and no dashboard, where it is us who start it; its files are gone when `stack` is closed."""
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if not self.address:
            folder = stack.enter_context(_short_folder())
            try:
                self._ray.init(address="local", include_dashboard=False, _temp_dir=folder, **quiet)
            except Exception as error:  # it has no exception of its own for this
                self._ray.shutdown()
                raise FailedError(f"Ray did not start here: {files.printable(str(error), 300)}", hint="Try --backend local.") from error
            return
        try:
            _knock(self.address)
            self._ray.init(address=self.address, **quiet)
        except (OSError, RuntimeError, ValueError) as error:
            raise FailedError(
                f"No Ray cluster answers at '{self.address}'.",
                hint="Start one: ray start --head; or leave out --address.",
            ) from error

    def _room(self) -> int:
        """How many trials fit on the nodes that are alive."""
        return sum(self._fits(processors, cards) for processors, cards in self._nodes())

    def _nodes(self) -> list[tuple[float, float]]:
        """Processors and cards of each node that is alive."""
        resources = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return [(one.get("CPU", 0.0), one.get("GPU", 0.0)) for one in resources]

    def _fits(self, processors: float, cards: float) -> int:
        """How many trials fit on a node. A share of a card is a part of one: three of 0.4 need two cards."""
        by_processors = int(processors // self.threads)
        if not self.gpus:
            return by_processors
        by_cards = int(cards // self.gpus) if self.gpus >= 1 else int(cards) * int(1 / self.gpus)
        return min(by_processors, by_cards)

    def _no_room(self) -> str:
        processors, cards = (max(amounts) for amounts in zip((0.0, 0.0), *self._nodes(), strict=True))
        if not self.gpus:
            return f"No trial fits: each takes {self.threads} processors, and the largest node of the cluster has {processors:g}."
        asked = f"{self.threads} processors and {self.gpus:g} of a card"
        return f"No trial fits: each takes {asked}, and no node of the cluster has more than {processors:g} and {cards:g}."

    def run(self, take: Take) -> Iterator[Event]:
        """Do all jobs, as many at a time as fit, and tell what happens."""
        while True:
            room = self._wait_for_room()
            while len(self._flying) < room and (job := self._waiting.popleft() if self._waiting else take()):
                self._flying[self._task.remote(job)] = Flight(job)
            if not self._flying:
                return
            for stream in self._ready():
                yield from self._hear(stream)
            self._end_those_that_hang()
            self._give_up_if_nothing_begins()

    def _ready(self) -> list[ray.ObjectRefGenerator]:
        """The jobs that have something to say, once any has; none after a moment."""
        if not self._ray.wait([*self._flying], timeout=_PAUSE_S)[0]:
            return []
        return list(self._ray.wait([*self._flying], num_returns=len(self._flying), timeout=0)[0])

    def _wait_for_room(self) -> int:
        """How many trials fit just now, once any does or is under way.

        Raises:
            FailedError: nothing has fitted for a while.
        """
        deadline = time.monotonic() + _WITHOUT_ROOM_S
        while not (room := self._room()) and not self._flying:
            if time.monotonic() > deadline:
                raise FailedError(self._no_room(), hint="What is done is kept: go on with --resume when there are nodes again.")
            time.sleep(_PAUSE_S)
        return room

    def _hear(self, stream: ray.ObjectRefGenerator) -> Iterator[Event]:
        """Take in what a job says: that it has begun, the row of an epoch, or its end."""
        flight = self._flying[stream]
        try:
            message = self._ray.get(next(stream), timeout=_KNOCK_S)
        except (self._ray.exceptions.RayError, StopIteration) as error:
            del self._flying[stream]
            yield from self._died(flight.job, type(error).__name__)
            return
        flight.heard = self._silent_since = time.monotonic()
        if "row" in message:
            self._deaths[flight.job.name] = 0
            yield Event(flight.job.name, message["row"])
        elif "reason" in message:
            del self._flying[stream]
            yield Event(flight.job.name, reason=message["reason"])
        elif "unfit" in message:
            raise unfit(flight.job.name, message)
        elif message.get("busy"):
            del self._flying[stream]
            self._waiting.append(flight.job)

    def _died(self, job: Job, how: str) -> Iterator[Event]:
        """Its process or node is no more: it is to be done again, from its last epoch."""
        self._deaths[job.name] += 1
        outcome = read_outcome(Path(job.folder), job.name)
        if not outcome.failure and self._deaths[job.name] < _MOST_DEATHS:
            self._waiting.append(job)
            return
        reason = outcome.failure or f"Its process died {_MOST_DEATHS} times without an epoch between ({how})."
        write_failure(Path(job.folder), job.name, reason)
        yield Event(job.name, reason=reason)

    def _end_those_that_hang(self) -> None:
        """A trial that says nothing for too long has failed; its process is ended, which is then heard."""
        for stream, flight in self._flying.items():
            if flight.heard is not None and time.monotonic() - flight.heard > self.patience_s:
                flight.heard = None
                write_failure(Path(flight.job.folder), flight.job.name, f"It gave no epoch for {self.patience_s:,.0f} s, and was ended.")
                self._ray.cancel(stream, force=True)

    def _give_up_if_nothing_begins(self) -> None:
        """Others may have taken all processors of a cluster: rather than wait for ever, say so.

        Raises:
            FailedError: nothing has begun for as long as a trial may be silent.
        """
        now = time.monotonic()
        if not self._flying or any(flight.heard is not None for flight in self._flying.values()):
            self._silent_since = now
        elif (silent_s := now - self._silent_since) > max(self.patience_s, _WITHOUT_ROOM_S):
            said = f"For {silent_s:,.0f} s no trial has begun: others have the processors, or the nodes hang."
            raise FailedError(said, hint="What is done is kept: go on with --resume when it is free.")


def _import_ray(*, own: bool) -> Any:
    """Ray. If we are to start it (`own`), then with a token, without which it answers nobody; it asks for that when it is imported.

    Raises:
        UsageError: it is not installed, or too old to be safe (before 2.54 a web page could reach it).
    """
    if own and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ.setdefault("RAY_worker_niceness", "0")  # 15 otherwise: on a busy machine its trials would hardly ever have a turn
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # Ray's only switch that keeps it on the loopback address, on Linux too
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise UsageError("--backend ray needs Ray, which is not installed.", hint='pip install "handlens[ray]"') from error
    if tuple(int(part) for part in ray.__version__.split(".")[:2]) < _LEAST_VERSION:
        raise UsageError(f"Ray {ray.__version__} is too old; 2.54 or newer is needed.", hint='pip install --upgrade "handlens[ray]"')
    return ray


def _short_folder() -> tempfile.TemporaryDirectory[str]:
    """For Ray's files. Its sockets lie there too, whose paths may have 107 letters, and macOS has long names for temporary folders."""
    return tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp" if sys.platform == "darwin" else None, ignore_cleanup_errors=True)


def _knock(address: str) -> None:
    """Ray itself waits minutes for a cluster that is not there.

    Raises:
        OSError: nobody listens at an address `HOST:PORT`.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_S).close()


def _do(job: Job) -> Iterator[Message]:
    """On a node: say that it has begun, then bring the trial on."""
    yield {"begun": True}
    yield from advance(job)
