"""Children that have PyTorch from birth: a server that imports it once and forks one for each job, so that a kill costs little.

    python nursery.py        reads jobs from stdin and says on stdout who was born and who has ended; one JSON object a line

A job is a function of a module in tests/, by name: `jobs:fit`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

HERE = Path(__file__).parent


def slowed(seconds: float) -> float:
    """A time limit on this machine, as busy as it is now: who shares its processors with others waits for them."""
    return seconds * max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass
class Child:
    """One job in a process of its own. What it prints goes into the files `out` and `err`."""

    nursery: Nursery
    pid: int
    out: Path
    err: Path

    def wait(self, timeout_s: float = 60.0) -> int:
        """Its exit status; negative: the signal that ended it."""
        return self.nursery.status(self.pid, timeout_s)

    @property
    def is_alive(self) -> bool:
        """Whether it is still running."""
        return not self.nursery.has_ended(self.pid)

    def send(self, number: int) -> None:
        """Send it a signal, if it is still there to receive one. The server has not let go of its number before we know its end."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> int:
        """`kill -9`, and its exit status: -9 unless it had ended before."""
        self.send(signal.SIGKILL)
        return self.wait()

    @property
    def said(self) -> str:
        """What it has printed up to now, results and remarks."""
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")


class Nursery:
    """The server, seen from the tests."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([p for p in sys.path if p] + [str(HERE), str(HERE / "crash")])}
        self._server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._ended: dict[int, int] = {}
        self._rest = b""
        self._born: list[int] = []
        self._children: list[Child] = []
        self._read_until(lambda: bool(self._born), 120)  # it says a first number when PyTorch is there
        self._born.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.close()
        self._server.wait(10)
        self._server.stdout.close()

    def start(self, job: str, *arguments: Any, log: Path, environment: dict[str, str] | None = None) -> Child:
        """Begin a job; `log` is the beginning of the names of the two files with what it prints."""
        out, err = log.with_name(log.name + ".out"), log.with_name(log.name + ".err")
        for path in (out, err):
            path.write_bytes(b"")
        variables = {name: value for name, value in os.environ.items() if name.startswith(("HANDLENS", "TMPDIR"))}
        order = {"job": job, "arguments": arguments, "environment": variables | (environment or {}), "out": str(out), "err": str(err)}
        order["folder"] = str(Path.cwd())
        assert self._server.stdin
        self._server.stdin.write(json.dumps(order).encode() + b"\n")
        self._server.stdin.flush()
        self._read_until(lambda: bool(self._born), 30)
        self._children.append(Child(self, self._born.pop(), out, err))
        return self._children[-1]

    def run(self, job: str, *arguments: Any, log: Path, environment: dict[str, str] | None = None) -> Child:
        """Do a job to its end, which must be good."""
        child = self.start(job, *arguments, log=log, environment=environment)
        status = child.wait()
        assert status == 0, child.said
        return child

    def kill_all(self) -> None:
        """End the children that a failed test has left running."""
        for child in self._children:
            child.kill()
        self._children.clear()

    def has_ended(self, pid: int) -> bool:
        """Whether a child has ended, as far as the server has noticed."""
        self._read(0)
        return pid in self._ended

    def status(self, pid: int, timeout_s: float) -> int:
        """Wait for a child's exit status."""
        self._read_until(lambda: pid in self._ended, timeout_s)
        return self._ended[pid]

    def _read_until(self, done: Any, timeout_s: float) -> None:
        deadline = time.monotonic() + slowed(timeout_s)
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"A child did not end within {timeout_s} s.")
            self._read(0.5)

    def _read(self, timeout_s: float) -> None:
        assert self._server.stdout
        descriptor = self._server.stdout.fileno()
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return
        data = os.read(descriptor, 1 << 16)
        if not data:
            raise RuntimeError("The nursery's server has ended.")
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "status" in message:
                self._ended[message["pid"]] = message["status"]
            else:
                self._born.append(message["pid"])


def _serve() -> None:
    importlib.import_module("jobs").warm_up()
    wake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    signal.set_wakeup_fd(alarm)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    children: set[int] = set()
    _say(pid=os.getpid())
    rest = b""
    while True:
        ready = select.select([0, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 1 << 10)
            _reap(children)
        if 0 in ready:
            data = os.read(0, 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    _be_born(json.loads(line), (wake, alarm))
                children.add(pid)
                _say(pid=pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _reap(children: set[int]) -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            _say(pid=pid, status=os.waitstatus_to_exitcode(status))


def _say(**message: int) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _be_born(order: dict[str, Any], not_ours: tuple[int, ...]) -> None:
    """In the child: become the job, and end with its exit status."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number in not_ours:
        os.close(number)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    module, _, function = order["job"].partition(":")
    code = 1
    try:
        getattr(importlib.import_module(module), function)(*order["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
