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
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from handlens.errors import FailedError, RunBusy, UsageError
from handlens.sweep.pool import PATIENCE_S, Event
from handlens.sweep.trial import Job, advance, read_outcome, write_failure
from handlens.train import Row

if TYPE_CHECKING:
    import ray

_MOST_DEATHS = 5
_PAUSE_S = 1.0
_KNOCK_S = 10.0
_WITHOUT_ROOM_S = 60.0
_LEAST_VERSION = (2, 54)


@dataclass(frozen=True)
class Flight:
    """A job that was given to Ray, how far its trial was then, and when that was."""

    job: Job
    epoch: int
    since: float = field(default_factory=time.monotonic)


class RayPool:
    """Ray tasks while its `with` lasts.

    Attributes:
        threads: processors that each trial takes.
        address: of a cluster; `auto` for the one that this machine belongs to; empty to start Ray on this machine, for this sweep only.
        patience_s: a trial that gives no epoch for so long has failed.
        count: how many trials fit at a time.
    """

    def __init__(self, threads: int, address: str = "", patience_s: float = PATIENCE_S) -> None:
        self.threads = threads
        self.address = address
        self.patience_s = patience_s
        self.count = 0
        self._ray = _import_ray(own=not address)
        self._stack = contextlib.ExitStack()
        self._deaths: Counter[tuple[str, int]] = Counter()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._connect(stack)
            stack.callback(self._ray.shutdown)
            self.count = self._room()
            if not self.count:
                raise UsageError(self._no_room(), hint="Take fewer --threads, or add a node with more processors.")
            self._task = self._ray.remote(num_cpus=self.threads, max_retries=0, max_calls=0)(_do)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _connect(self, stack: contextlib.ExitStack) -> None:
        """Loopback only and no dashboard, where it is us who start it; its files are gone when `stack` is closed."""
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if not self.address:
            folder = stack.enter_context(_short_folder())
            self._ray.init(address="local", include_dashboard=False, _temp_dir=folder, **quiet)
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
        nodes = [node["Resources"].get("CPU", 0.0) for node in self._ray.nodes() if node["Alive"]]
        return sum(int(processors // self.threads) for processors in nodes)

    def _no_room(self) -> str:
        most = max((node["Resources"].get("CPU", 0.0) for node in self._ray.nodes() if node["Alive"]), default=0.0)
        return f"No trial fits: each takes {self.threads} processors, and the largest node of the cluster has {most:g}."

    def run(self, jobs: Iterator[Job]) -> Iterator[Event]:
        """Do all jobs, as many at a time as fit, and tell what happens."""
        waiting: deque[Job] = deque()
        flying: dict[ray.ObjectRef[Any], Flight] = {}
        without_room = 0.0
        while True:
            room = self._room()
            without_room = 0.0 if room else without_room + _PAUSE_S
            if without_room > _WITHOUT_ROOM_S:
                raise FailedError(self._no_room(), hint="What is done is kept: go on with --resume when there are nodes again.")
            while len(flying) < room and (job := waiting.popleft() if waiting else next(jobs, None)):
                flying[self._task.remote(job)] = Flight(job, read_outcome(Path(job.folder), job.name).epoch)
            if not flying and room:
                return
            if not flying:
                time.sleep(_PAUSE_S)
                continue
            done, _ = self._ray.wait([*flying], timeout=_PAUSE_S)
            for task in done:
                yield from self._landed(task, flying.pop(task).job, waiting)
            self._end_those_that_hang(flying)

    def _end_those_that_hang(self, flying: dict[ray.ObjectRef[Any], Flight]) -> None:
        """A trial that has come no epoch further for too long has failed; its process is ended."""
        for task, flight in [*flying.items()]:
            if time.monotonic() - flight.since < self.patience_s:
                continue
            epoch = read_outcome(Path(flight.job.folder), flight.job.name).epoch
            if epoch > flight.epoch:
                flying[task] = Flight(flight.job, epoch)
            else:
                write_failure(Path(flight.job.folder), flight.job.name, f"It gave no epoch for {self.patience_s:,.0f} s, and was ended.")
                self._ray.cancel(task, force=True)

    def _landed(self, task: ray.ObjectRef[Any], job: Job, waiting: deque[Job]) -> Iterator[Event]:
        """What became of a job: done, or to be done again because its process or node is no more."""
        try:
            busy, reason, rows = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            outcome = read_outcome(Path(job.folder), job.name)
            if outcome.failure:
                yield Event(job.name, reason=outcome.failure)
                return
            self._deaths[job.name, epoch := outcome.epoch] += 1
            if self._deaths[job.name, epoch] < _MOST_DEATHS:
                waiting.append(job)
                return
            reason = f"Its process died {_MOST_DEATHS} times without an epoch between ({type(error).__name__})."
            write_failure(Path(job.folder), job.name, reason)
            busy, rows = False, []
        if busy:
            waiting.append(job)
            return
        yield from (Event(job.name, row) for row in rows)
        yield Event(job.name, reason=reason)


def _import_ray(*, own: bool) -> Any:
    """Ray. If we are to start it (`own`), then with a token, without which it answers nobody; it asks for that when it is imported.

    Raises:
        UsageError: it is not installed, or too old to be safe (before 2.54 a web page could reach it).
    """
    if own and "ray" not in sys.modules:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
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


def _do(job: Job) -> tuple[bool, str, list[Row]]:
    """On a node: bring a trial on. Gives whether another process has it, the reason if it failed, and the rows of the epochs done."""
    rows: list[Row] = []
    with contextlib.suppress(RunBusy):
        return False, advance(job, rows.append), rows
    time.sleep(_PAUSE_S)
    return True, "", []
