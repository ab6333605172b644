"""The local engine: worker processes on this machine, each with a trial at a time; one that dies is replaced and its trial goes on."""

from __future__ import annotations

import contextlib
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from handlens.sweep.process import Messages, Worker
from handlens.sweep.trial import Job, Message, write_failure
from handlens.sweep.troubles import MOST_DEATHS, Troubles, unfit
from handlens.train import Row

Take = Callable[[], Job | None]
"""Gives the next job that can be done now; None if there is none, or none before one that is under way has ended."""

PATIENCE_S = 3600.0
_PAUSE_S = 0.5
_START_S = 300.0  # PyTorch from a slow disk


@dataclass(frozen=True)
class Event:
    """What happened to a trial: an epoch's row, or (if that is None) its end up to where it was asked for, with the reason if it failed."""

    trial: str
    row: Row | None = None
    reason: str = ""


class Pool:
    """Worker processes while its `with` lasts.

    Attributes:
        count: how many.
        patience_s: a trial that gives no epoch for so long has failed.
        memory_bytes: what each may use; 0 for no limit.
        words: the options of `handlens sweep` that choose this engine, with a space before each.
    """

    def __init__(self, count: int, patience_s: float = PATIENCE_S, memory_bytes: int = 0, words: str = "") -> None:
        self.words = words
        self.count = count
        self.patience_s = patience_s
        self.memory_bytes = memory_bytes
        self.workers: list[Worker] = []
        self._messages: Messages = queue.Queue()
        self._again: deque[Job] = deque()
        self._busy: deque[Job] = deque()
        self._troubles = Troubles(patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.workers:
            worker.end()

    def run(self, take: Take) -> Iterator[Event]:
        """Do all jobs, each as soon as a worker is free, and tell what happens.

        Raises:
            FailedError: this machine cannot do them just now, or another process keeps a trial for itself.
        """
        while True:
            self._hand_out(take)
            if not any(worker.job for worker in self.workers):
                return
            yield from self._next_events()

    def _hand_out(self, take: Take) -> None:
        free = [worker for worker in self.workers if worker.job is None]
        while free or len(self.workers) < self.count:
            job = self._next(take)
            if job is None:
                return
            if not free:
                self.workers.append(Worker(self._messages, self.memory_bytes))
                free.append(self.workers[-1])
            free.pop().give(job)

    def _next(self, take: Take) -> Job | None:
        """What a worker had that died, what comes next, and only then what another process has."""
        if self._again:
            return self._again.popleft()
        return take() or (self._busy.popleft() if self._busy else None)

    def _next_events(self) -> Iterator[Event]:
        with contextlib.suppress(queue.Empty):
            worker, message = self._messages.get(timeout=_PAUSE_S)
            if worker in self.workers:
                yield from self._died(worker) if message is None else self._said(worker, message)
        for worker in [*self.workers]:
            if worker.job and time.monotonic() - worker.since > self._patience_with(worker):
                yield from self._hangs(worker, worker.job)

    def _patience_with(self, worker: Worker) -> float:
        return self.patience_s if worker.ready else max(self.patience_s, _START_S)

    def _said(self, worker: Worker, message: Message) -> Iterator[Event]:
        job = worker.job
        assert job
        worker.since = time.monotonic()
        if "ready" in message:
            worker.ready = True
            self._troubles.started()
        elif "row" in message:
            self._troubles.moved(job.name)
            yield Event(job.name, message["row"])
        else:
            worker.job = None
            yield from self._ended(job, message)

    def _ended(self, job: Job, message: Message) -> Iterator[Event]:
        if "unfit" in message:
            raise unfit(job.name, message)
        if "busy" in message:
            self._busy.append(job)
            self._troubles.busy(job.name, message["busy"])
        else:
            self._troubles.moved(job.name)
            yield Event(job.name, reason=message["reason"])

    def _died(self, worker: Worker) -> Iterator[Event]:
        self.workers.remove(worker)
        how, job = worker.end(), worker.job
        if job and worker.ready and self._troubles.died(job.name):
            yield self._failed(job, f"Its process died {MOST_DEATHS} times without an epoch between ({how}).", worker.said)
        elif job:
            self._again.append(job)
        if not worker.ready:
            self._troubles.did_not_start(how)

    def _hangs(self, worker: Worker, job: Job) -> Iterator[Event]:
        self.workers.remove(worker)
        worker.end()
        if worker.ready:
            yield self._failed(job, f"It gave no epoch for {self.patience_s:,.0f} s, and was ended.", worker.said)
        else:
            self._again.append(job)
            self._troubles.did_not_start(f"silent for {self._patience_with(worker):,.0f} s")

    def _failed(self, job: Job, reason: str, said: str) -> Event:
        self._troubles.moved(job.name)
        write_failure(Path(job.folder), job.name, reason, said)
        return Event(job.name, reason=reason)
