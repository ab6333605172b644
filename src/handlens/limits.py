"""Run a program in a process of its own, with limits on its time, memory and files.

    python -m handlens.limits SECONDS MEMORY FILE_SIZE PARENT PROGRAM [ARGUMENT ...]     (0: no limit, no parent)

sets the limits on itself and then becomes PROGRAM; `run_limited` calls it that way, so that nothing of ours runs between fork and exec. On
Linux it ends with the process PARENT, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

_OUTPUT_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1  # of Linux's prctl.h


@dataclass(frozen=True)
class Finished:
    """How a limited program ended: exit status (negative: the signal), what it printed (at most 1 MiB each), and time in s."""

    returncode: int
    stdout: str
    stderr: str
    time_s: float
    timed_out: bool


@dataclass(frozen=True)
class Limits:
    """What a program may use. Zero means no limit. Memory is limited on Linux alone, the size of each file not on Windows."""

    time_s: float = 10.0
    memory_bytes: int = 0
    file_bytes: int = 0


def run_limited(
    command: Sequence[str], limits: Limits, *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run `command` until it ends or its time is up; then it and all its children are gone.

    If we are killed it ends too, on Linux, though not what it has started.

    Args:
        command: the program and its arguments.
        limits: what it may use; `time_s` counts by the clock on the wall.
        folder: where it runs; here if None.
        environment: its environment variables; ours if None.
    """
    numbers = (int(limits.time_s) + 1 if limits.time_s else 0, limits.memory_bytes, limits.file_bytes, os.getpid())
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), *map(str, numbers), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env=environment,
            start_new_session=os.name != "nt",
        )
        timed_out = False
        try:
            process.wait(limits.time_s or None)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            end_group(process)
        texts = [_read(file) for file in (out, err)]
    return Finished(process.returncode, texts[0], texts[1], time.monotonic() - start, timed_out)


def physical_memory() -> int:
    """The machine's memory in bytes; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def usable_memory(root: Path = Path("/")) -> int:
    """The memory in bytes that this process may use: the machine's, or less where its control group (a container, a batch job) has less.

    0 where the system does not tell.

    Args:
        root: the folder in which the system shows `proc` and `sys`.
    """
    return min(filter(None, (physical_memory(), *_group_limits(root))), default=0)


def _group_limits(root: Path) -> Iterator[int]:
    """What the control groups that this process is in allow, and those around them; in a container the outermost is the container's."""
    with contextlib.suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, kinds, name = line.split(":", 2)
            mounted, file = ("memory", "memory.limit_in_bytes") if "memory" in kinds.split(",") else ("", "memory.max")
            if kinds and not mounted:  # of version 1, and about something else
                continue
            group = PurePosixPath(name.lstrip("/"))
            for folder in (group, *group.parents):
                with contextlib.suppress(OSError, ValueError):  # outside the container, or "max"
                    yield int((root / "sys/fs/cgroup" / mounted / folder / file).read_text())


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill a program and whatever it started; it was begun as its own session, so the group is exactly that."""
    try:
        if os.name == "nt":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_OUTPUT_BYTES).decode(errors="replace")


def _become(seconds: int, memory: int, file_size: int, parent: int, command: list[str]) -> None:
    if parent and sys.platform == "linux":
        _end_with(parent)
    try:
        import resource
    except ImportError:  # Windows
        raise SystemExit(subprocess.run(command).returncode) from None
    for kind, limit in (
        (resource.RLIMIT_CPU, seconds * (os.cpu_count() or 1)),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_size),
    ):
        if limit:
            with contextlib.suppress(ValueError, OSError):  # macOS limits no memory; and where less is allowed already, that holds
                resource.setrlimit(kind, (limit, limit))
    os.execvp(command[0], command)


def _end_with(parent: int) -> None:
    """Let the system kill this process, and what it becomes, when the thread of its parent is gone that started it."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before
        raise SystemExit(1)


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
