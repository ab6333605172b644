"""The local engine: worker processes on this machine, each with a trial at a time; one that dies is replaced and its trial goes on."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from handlens.limits import end_group
from handlens.sweep.trial import Job, write_failure
from handlens.train import Row

Take = Callable[[], Job | None]
"""Gives the next job that can be done now; None if there is none, or none before one that is under way has ended."""

PATIENCE_S = 3600.0
_MOST_DEATHS = 5
_PAUSE_S = 0.5
_PATIENCE_WITH_PIPE_S = 10.0  # only a process that fled from the group could hold it open


@dataclass(frozen=True)
class Event:
    """What happened to a trial: an epoch's row, or (if that is None) its end up to where it was asked for, with the reason if it failed."""

    trial: str
    row: Row | None = None
    reason: str = ""


class Worker:
    """One worker process, and what it is doing."""

    def __init__(self, messages: queue.Queue[tuple[Worker, dict[str, Any] | None]], memory_bytes: int) -> None:
        limits = [str(Path(__file__).parents[1] / "limits.py"), "0", str(memory_bytes), "0"]
        command = [sys.executable, *limits, sys.executable, "-m", "handlens.sweep.worker"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "encoding": "utf-8"}
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self.process = subprocess.Popen(command, env=environment, start_new_session=os.name != "nt", **pipes)
        self.job: Job | None = None
        self.since = time.monotonic()
        self.listener = threading.Thread(target=self._listen, args=(messages,), daemon=True)
        self.listener.start()

    def _listen(self, messages: queue.Queue[tuple[Worker, dict[str, Any] | None]]) -> None:
        assert self.process.stdout
        with self.process.stdout as answers:
            for line in answers:
                with contextlib.suppress(ValueError):  # the last line of one that was killed may be cut
                    messages.put((self, json.loads(line)))
        messages.put((self, None))

    def give(self, job: Job) -> None:
        """Hand it a job. If it is dead, its listener will say so."""
        assert self.process.stdin
        self.job, self.since = job, time.monotonic()
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(asdict(job)) + "\n")
            self.process.stdin.flush()

    def end(self) -> int:
        """Kill it with whatever it has started; what it has saved is saved. Gives its exit status."""
        assert self.process.stdin
        end_group(self.process)
        self.listener.join(_PATIENCE_WITH_PIPE_S)
        with contextlib.suppress(OSError):  # a job that it never read
            self.process.stdin.close()
        return self.process.returncode


class Pool:
    """Worker processes while its `with` lasts.

    Attributes:
        count: how many.
        patience_s: a trial that gives no epoch for so long has failed.
        memory_bytes: what each may use; 0 for no limit.
    """

    def __init__(self, count: int, patience_s: float = PATIENCE_S, memory_bytes: int = 0) -> None:
        self.count = count
        self.patience_s = patience_s
        self.memory_bytes = memory_bytes
        self.workers: list[Worker] = []
        self._messages: queue.Queue[tuple[Worker, dict[str, Any] | None]] = queue.Queue()
        self._again: deque[Job] = deque()
        self._deaths: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self.workers:
            worker.end()

    def run(self, take: Take) -> Iterator[Event]:
        """Do all jobs, each as soon as a worker is free, and tell what happens."""
        while True:
            self._hand_out(take)
            if not any(worker.job for worker in self.workers):
                return
            yield from self._next_events()

    def _hand_out(self, take: Take) -> None:
        free = [worker for worker in self.workers if worker.job is None]
        while free or len(self.workers) < self.count:
            job = self._again.popleft() if self._again else take()
            if job is None:
                return
            if not free:
                self.workers.append(Worker(self._messages, self.memory_bytes))
                free.append(self.workers[-1])
            free.pop().give(job)

    def _next_events(self) -> Iterator[Event]:
        with contextlib.suppress(queue.Empty):
            worker, message = self._messages.get(timeout=_PAUSE_S)
            if worker in self.workers:
                yield from self._died(worker) if message is None else self._said(worker, message)
        for worker in [*self.workers]:
            if worker.job and time.monotonic() - worker.since > self.patience_s:
                yield from self._hangs(worker, worker.job)

    def _said(self, worker: Worker, message: dict[str, Any]) -> Iterator[Event]:
        job = worker.job
        assert job
        worker.since = time.monotonic()
        if "row" in message:
            self._deaths[job.name] = 0
            yield Event(job.name, message["row"])
            return
        worker.job = None
        if message.get("busy"):
            self._again.append(job)
        else:
            yield Event(job.name, reason=message["reason"])

    def _died(self, worker: Worker) -> Iterator[Event]:
        self.workers.remove(worker)
        status, job = worker.end(), worker.job
        if job is None:
            return
        self._deaths[job.name] += 1
        if self._deaths[job.name] < _MOST_DEATHS:
            self._again.append(job)
            return
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        yield self._failed(job, f"Its process died {_MOST_DEATHS} times without an epoch between ({how}); perhaps its memory ran out.")

    def _hangs(self, worker: Worker, job: Job) -> Iterator[Event]:
        self.workers.remove(worker)
        worker.end()
        yield self._failed(job, f"It gave no epoch for {self.patience_s:,.0f} s, and was ended.")

    def _failed(self, job: Job, reason: str) -> Event:
        write_failure(Path(job.folder), job.name, reason)
        return Event(job.name, reason=reason)
