"""Programs that start others: sweeps, and trainings in many processes. They end with all that they started, whatever a test does."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any

import psutil

DEADLINE_S = 300.0  # for whatever a test waits for; much more than it takes on a busy machine


@dataclass
class Driver:
    """Such a program, under way. What it says goes into a file: a pipe could be held open by what it started."""

    process: subprocess.Popen[bytes]
    told: IO[bytes]
    orphans: list[psutil.Process] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Of the driver itself."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def said(self) -> str:
        """What it has said up to now."""
        self.told.seek(0)
        return self.told.read().decode(errors="replace")

    def wait(self, timeout_s: float = DEADLINE_S) -> int:
        """Its exit status."""
        return self.process.wait(timeout_s)

    def family(self, word: str = "") -> list[psutil.Process]:
        """The processes that it has started, and those that they have; only such as have this word in their command."""
        try:
            found = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [process for process in found if word in title(process)]

    def workers(self) -> list[psutil.Process]:
        """The worker processes of the local engine."""
        return self.family("handlens.sweep.worker")

    def listening(self) -> list[str]:
        """Where it and its family wait for connections just now: addresses, without ports."""
        members = [psutil.Process(self.pid), *self.family()] if self.is_running else []
        return [one.laddr.ip.removeprefix("::ffff:") for member in members for one in sockets(member) if one.status == psutil.CONN_LISTEN]

    def kill(self) -> None:
        """`kill -9` of the driver alone; what becomes of its family is for the test to see."""
        self.orphans += self.family()
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def end(self) -> None:
        """Kill it with all that it has started."""
        family = [*self.orphans, *self.family()]
        self.process.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait()
        psutil.wait_procs(family, timeout=DEADLINE_S)


def title(process: psutil.Process) -> str:
    """The command of a process, as it calls itself; nothing of one that has just ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def sockets(process: psutil.Process) -> list[Any]:
    """The TCP sockets of a process; none of one that has just ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.net_connections("tcp")
    return []


def driver(*words: str) -> AbstractContextManager[Driver]:
    """`handlens sweep` with these words, while the `with` lasts."""
    return running("-m", "handlens", "sweep", *words)


@contextlib.contextmanager
def running(*words: str) -> Iterator[Driver]:
    """Python with these words, while the `with` lasts."""
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen([sys.executable, *words], stdin=subprocess.DEVNULL, stdout=told, stderr=told)
        found = Driver(process, told)
        try:
            yield found
        finally:
            found.end()


def wait_until(done: Callable[[], object], what: str, timeout_s: float = DEADLINE_S) -> None:
    """Look again and again, for so long at most."""
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s:.0f} s"
        time.sleep(0.02)
