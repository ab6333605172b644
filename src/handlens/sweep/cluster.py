"""The engine on Ray: the same jobs, as Ray tasks on one machine or many. With `joining`, the only user of ray.

Ray only gives out the jobs. What was done stands in the sweep's folder, which all nodes must see under the same path.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import socket
import time
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch

from handlens import __version__
from handlens.errors import FailedError, UsageError
from handlens.sweep.capacity import TRIAL_MEMORY
from handlens.sweep.joining import KNOCK_S, import_ray, join, last_line, talking, wait_for_head
from handlens.sweep.needs import Needs, Resources
from handlens.sweep.pool import PATIENCE_S, Event, Take
from handlens.sweep.trial import Job, Message, advance, read_outcome, write_failure
from handlens.sweep.troubles import MOST_DEATHS, TELL_AFTER_S, Troubles, unfit
from handlens.words import counted

if TYPE_CHECKING:
    import ray

_PAUSE_S = 1.0
_WITHOUT_ROOM_S = 60.0
_NODE = "ray.io/node-id"  # a label that each node has


@dataclass
class Flight:
    """A job that was given to Ray.

    Attributes:
        job: the job.
        node: the id of the node where it is done; empty while it waits for a place in the cluster.
        host: the name of that node.
        heard: when its process was last heard of; None while it waits, and when it was told to end.
    """

    job: Job
    node: str = ""
    host: str = ""
    heard: float | None = None


class RayPool:
    """Ray tasks while its `with` lasts.

    Attributes:
        needs: what each trial takes. Ray shows a trial no card that it did not ask for.
        address: of a cluster; `auto` for the one that this machine belongs to; empty to start Ray on this machine, for this sweep only.
        patience_s: a trial that gives no epoch for so long has failed.
        words: the options of `handlens sweep` that choose this engine, with a space before each.
        count: how many trials fit at a time.
    """

    def __init__(self, needs: Needs, address: str = "", patience_s: float = PATIENCE_S, words: str = "") -> None:
        self.needs = needs
        self.words = words
        self.address = address
        self.patience_s = patience_s
        self.count = 0
        self._ray = import_ray(address)
        self._stack = contextlib.ExitStack()
        self._troubles = Troubles(patience_s)
        self._waiting: deque[Job] = deque()
        self._busy: deque[Job] = deque()
        self._flying: dict[ray.ObjectRefGenerator, Flight] = {}
        self._alive: list[dict[str, Any]] = []
        self._asked = -math.inf
        self._head = ""
        self._unfit: set[str] = set()
        self._silent_since = time.monotonic()
        self._told = False

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            join(self._ray, self.address, stack)
            self._head = self._ray.get_runtime_context().gcs_address
            nodes = self._nodes()
            if nodes and all("memory" in node for node in nodes):
                self.needs = dataclasses.replace(self.needs, memory=TRIAL_MEMORY)
            self.count = self._room()
            if not self.count:
                hint = "Ask for less with --threads and --gpus, or add a node that has as much."
                raise UsageError(self.needs.no_room(nodes), hint=hint)
            amounts = {"num_cpus": self.needs.threads, "num_gpus": self.needs.gpus, "memory": self.needs.memory or None}
            self._task = self._ray.remote(max_retries=0, num_returns="streaming", **amounts)(_do)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _nodes(self) -> list[Resources]:
        """What each node has that is alive and fit; asked once a second at most, and never of a head that is gone, where Ray would wait.

        Raises:
            FailedError: the head does not answer any more.
        """
        if time.monotonic() - self._asked > _PAUSE_S:
            wait_for_head(self._head)
            with talking(self._ray):
                self._alive = [node for node in self._ray.nodes() if node["Alive"]]
            self._asked = time.monotonic()
        return [node["Resources"] for node in self._alive if node["NodeID"] not in self._unfit]

    def _room(self) -> int:
        """How many trials fit on these nodes."""
        return sum(map(self.needs.fits, self._nodes()))

    def run(self, take: Take) -> Iterator[Event]:
        """Do all jobs, as many at a time as fit, and tell what happens.

        Raises:
            FailedError: the cluster does not answer, has no place, or cannot do them; or another process keeps a trial for itself.
        """
        while True:
            room = self._wait_for_room()
            while len(self._flying) < room and (job := self._next(take)):
                self._flying[self._start(job)] = Flight(job)
            if not self._flying:
                return
            for stream in self._ready():
                yield from self._hear(stream)
            self._end_those_that_hang()
            self._watch_whether_anything_begins()

    def _next(self, take: Take) -> Job | None:
        """What was begun, what comes next, and only then what another process has."""
        if self._waiting:
            return self._waiting.popleft()
        return take() or (self._busy.popleft() if self._busy else None)

    def _start(self, job: Job) -> ray.ObjectRefGenerator:
        selector = {"label_selector": {_NODE: f"!in({','.join(sorted(self._unfit))})"}} if self._unfit else {}
        with talking(self._ray):
            return self._task.options(**selector).remote(job, _versions())

    def _ready(self) -> list[ray.ObjectRefGenerator]:
        """The jobs that have something to say, once any has; none after a moment."""
        with talking(self._ray):
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
                raise FailedError(self.needs.no_room(self._nodes()))
            time.sleep(_PAUSE_S)
        return room

    def _hear(self, stream: ray.ObjectRefGenerator) -> Iterator[Event]:
        """Take in what a job says: where it has begun, the row of an epoch, or its end."""
        flight = self._flying[stream]
        try:
            message: Message = self._ray.get(next(stream), timeout=KNOCK_S)
        except (self._ray.exceptions.RayError, StopIteration) as error:
            del self._flying[stream]
            yield from self._died(flight, error)
            return
        flight.heard = self._silent_since = time.monotonic()
        if "node" in message:
            flight.node, flight.host = message["node"], message["host"]
            self._troubles.started()
        elif "row" in message:
            self._troubles.moved(flight.job.name)
            yield Event(flight.job.name, message["row"])
        else:
            del self._flying[stream]
            yield from self._ended(flight, message)

    def _ended(self, flight: Flight, message: Message) -> Iterator[Event]:
        job = flight.job
        if "unfit" in message:
            self._waiting.append(job)
            self._leave_out(flight, message)
        elif "busy" in message:
            self._busy.append(job)
            self._troubles.busy(job.name, message["busy"])
        else:
            self._troubles.moved(job.name)
            yield Event(job.name, reason=message["reason"])

    def _leave_out(self, flight: Flight, message: Message) -> None:
        """Use a node no more that cannot do a job for reasons of its own.

        Raises:
            FailedError: there is no other one.
        """
        self._unfit.add(flight.node)
        if not self._room():
            raise unfit(flight.job.name, message)
        warnings.warn(f"The sweep does not use node {flight.host} any more: {message['unfit']}", stacklevel=2)

    def _died(self, flight: Flight, error: Exception) -> Iterator[Event]:
        """Its process or node is no more: it is to be done again, from its last epoch. That a node is lost is no fault of the trial."""
        job, how = flight.job, last_line(error)
        reason = read_outcome(Path(job.folder), job.name).failure
        lost = isinstance(error, self._ray.exceptions.NodeDiedError)
        if not reason and not lost and flight.node and self._troubles.died(job.name):
            reason = f"Its process died {MOST_DEATHS} times without an epoch between ({how})."
            write_failure(Path(job.folder), job.name, reason)
        if reason:
            self._troubles.moved(job.name)
            yield Event(job.name, reason=reason)
            return
        self._waiting.append(job)
        if not lost and not flight.node:
            self._troubles.did_not_start(how)

    def _end_those_that_hang(self) -> None:
        """A trial that says nothing for too long has failed; its process is ended, which is then heard."""
        for stream, flight in self._flying.items():
            if flight.heard is not None and time.monotonic() - flight.heard > self.patience_s:
                flight.heard = None
                write_failure(Path(flight.job.folder), flight.job.name, f"It gave no epoch for {self.patience_s:,.0f} s, and was ended.")
                with talking(self._ray):
                    self._ray.cancel(stream, force=True)

    def _watch_whether_anything_begins(self) -> None:
        """Others may have taken all places of a cluster: rather than wait in silence, or for ever, say so.

        Raises:
            FailedError: nothing has begun for as long as a trial may be silent.
        """
        now = time.monotonic()
        if not self._flying or any(flight.heard is not None for flight in self._flying.values()):
            self._silent_since = now
        elif (silent_s := now - self._silent_since) > max(self.patience_s, _WITHOUT_ROOM_S):
            raise FailedError(f"For {silent_s:,.0f} s no trial has begun: {self._why_nothing_begins()}.")
        elif silent_s > TELL_AFTER_S and not self._told:
            self._told = True
            many = counted(len(self._flying), "trial is", "trials are")
            warnings.warn(f"Waiting for a place: {many} asked for, and {self._why_nothing_begins()}.", stacklevel=2)

    def _why_nothing_begins(self) -> str:
        with talking(self._ray):
            lacking = self.needs.lacking(self._ray.available_resources())
        return f"too little is free of the {' and the '.join(lacking)}" if lacking else "no node begins them"


def _versions() -> dict[str, str]:
    """What decides the bits; not how PyTorch was built, because a machine without a card may well have another build."""
    return {"handlens": __version__, "torch": torch.__version__.partition("+")[0]}


def _do(job: Job, wanted: dict[str, str]) -> Iterator[Message]:
    """On a node: say which one it is, then bring the trial on."""
    import ray

    yield {"node": ray.get_runtime_context().get_node_id(), "host": socket.gethostname()}
    yield from _advance_with(wanted, job)


def _advance_with(wanted: dict[str, str], job: Job) -> Iterator[Message]:
    """Bring a trial on where these versions are; elsewhere say which are there."""
    here = _versions()
    others = [
        f"{name} {here[name]} is there, and {version} where the sweep was begun"
        for name, version in wanted.items()
        if version != here[name]
    ]
    if others:
        yield {"unfit": f"{others[0]}.", "where": "", "hint": "Install the same versions everywhere."}
    else:
        yield from advance(job)
