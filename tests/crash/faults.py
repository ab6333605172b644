"""The system calls by which `handlens.files` changes a disk: each can be counted, fail, kill the process, or be written down."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

CHANGING = ("open", "write", "fsync", "close", "replace", "rename", "unlink", "mkdir", "rmdir")
ERRORS = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT)
KILL = 0


def needs_room(name: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a call cannot be done on a full disk."""
    return name in ("write", "mkdir") or (name == "open" and bool(arguments[1] & os.O_CREAT))


@dataclass(frozen=True)
class Fault:
    """What goes wrong at the call number `at` (from 1; 0: nothing).

    Attributes:
        error: the number of the error that the call gives; KILL ends the process there, as `kill -9` does.
        lasting: from then on each call that needs room fails too, as on a disk that stays full.
        torn: if the call is a write, half of it is done before.
    """

    at: int = 0
    error: int = KILL
    lasting: bool = False
    torn: bool = False


@dataclass(frozen=True)
class Call:
    """One system call: its name, what it was given, and what it returned (None if it failed)."""

    name: str
    arguments: tuple[Any, ...]
    result: Any = None


@dataclass
class Disk:
    """While its `with` lasts, every call that changes something below `root` goes through here."""

    root: Path
    fault: Fault = Fault()
    log: list[Call] = field(default_factory=list)
    struck: bool = False

    def __enter__(self) -> Self:
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in CHANGING}
        self._descriptors: set[int] = set()
        for name in CHANGING:
            setattr(os, name, self._watched(name))
        return self

    def __exit__(self, *_error: object) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)

    def _watched(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*arguments: Any, **options: Any) -> Any:
            if not self._concerns_us(arguments[0]):
                return real(*arguments, **options)
            position = len(self.log)
            self.log.append(Call(name, arguments))
            if self._is_due(name, arguments):
                self._strike(name, arguments)
            result = real(*arguments, **options)
            if name == "open":
                self._descriptors.add(result)
            elif name == "close":
                self._descriptors.discard(arguments[0])
            self.log[position] = Call(name, arguments, result if result is not None else True)
            return result

        return call

    def _concerns_us(self, target: Any) -> bool:
        if isinstance(target, int):
            return target in self._descriptors
        path = Path(os.fsdecode(target)).absolute()
        return path == self.root or self.root in path.parents

    def _is_due(self, name: str, arguments: tuple[Any, ...]) -> bool:
        if not self.fault.at:
            return False
        count = len(self.log)
        return count == self.fault.at or (self.fault.lasting and count > self.fault.at and needs_room(name, arguments))

    def _strike(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.struck = True
        if self.fault.torn and name == "write":
            descriptor, data = arguments
            self._real["write"](descriptor, bytes(data)[: len(data) // 2])
        if self.fault.error == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if name == "close":  # the descriptor is gone also when close reports an error
            self._real["close"](arguments[0])
            self._descriptors.discard(arguments[0])
        raise OSError(self.fault.error, os.strerror(self.fault.error), str(arguments[0]))
