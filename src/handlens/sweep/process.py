"""A worker process as the local engine sees it: it is given jobs in lines of JSON, and answers in such lines."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from handlens import files
from handlens.limits import end_group
from handlens.sweep.trial import Job, Message

_MOST_SAID = 2000
_MOST_QUOTED = 200
_KILLED = 9  # SIGKILL, which the system sends when memory runs out; Windows has no name for it
_PATIENCE_WITH_PIPE_S = 10.0  # only a process that fled from the group could hold it open

Messages = queue.Queue[tuple["Worker", Message | None]]
"""What workers say; None when one has ended."""


class Worker:
    """One worker process, and what it is doing.

    Attributes:
        job: what it is at; None if it is free.
        ready: whether it has ever said that it takes jobs.
        since: when it was last heard of, or given a job; by `time.monotonic`.
        said: the end of what it has printed on stderr since it has its job.
    """

    def __init__(self, messages: Messages, memory_bytes: int) -> None:
        limits = [str(Path(__file__).parents[1] / "limits.py"), "0", str(memory_bytes), "0", "0"]
        command = [sys.executable, *limits, sys.executable, "-m", "handlens.sweep.worker"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self.process = subprocess.Popen(command, env=environment, start_new_session=os.name != "nt", **pipes)
        self.job: Job | None = None
        self.ready = False
        self.since = time.monotonic()
        self.said = ""
        listeners = (lambda: self._listen(messages)), self._overhear
        self._threads = [threading.Thread(target=listener, daemon=True) for listener in listeners]
        for thread in self._threads:
            thread.start()

    def _listen(self, messages: Messages) -> None:
        assert self.process.stdout
        with self.process.stdout as answers:
            for line in answers:
                with contextlib.suppress(ValueError):  # the last line of one that was killed may be cut
                    messages.put((self, json.loads(line)))
        messages.put((self, None))

    def _overhear(self) -> None:
        """Keep the end of what it prints, however much that is."""
        assert self.process.stderr
        with self.process.stderr as talk:
            while part := os.read(talk.fileno(), _MOST_SAID):
                self.said = (self.said + part.decode(errors="replace"))[-_MOST_SAID:]

    def give(self, job: Job) -> None:
        """Hand it a job. If it is dead, its listener will say so."""
        assert self.process.stdin
        self.job, self.since, self.said = job, time.monotonic(), ""
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(asdict(job)) + "\n")
            self.process.stdin.flush()

    def end(self) -> str:
        """Kill it with whatever it has started; what it has saved is saved. Gives how it has ended, in words."""
        assert self.process.stdin
        end_group(self.process)
        for thread in self._threads:
            thread.join(_PATIENCE_WITH_PIPE_S)
        with contextlib.suppress(OSError):  # a job that it never read
            self.process.stdin.close()
        return how_ended(self.process.returncode, self.said)


def how_ended(status: int, said: str) -> str:
    """How a process has ended: its exit status or (negative) signal, and the last line that it said."""
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    if status == -_KILLED or "MemoryError" in said or "bad_alloc" in said:
        how += ", perhaps because memory ran out"
    last = [line.strip() for line in said.splitlines() if line.strip()][-1:]
    return "; it said last: ".join([how, *(files.printable(line, _MOST_QUOTED) for line in last)])
