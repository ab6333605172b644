"""A fence around the learner's code: it may write in one folder, and start no other program.

An audit hook of Python's, which nothing in the process can take away again, and which processes that it forks have too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGING = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "os.utime"}
_STARTING = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "subprocess.Popen"}


class Fenced(PermissionError):
    """What the code wanted to do outside of its folder."""


def _paths(event: str, arguments: tuple[object, ...]) -> list[object]:
    """The paths of an event; those that stand in an open folder, by its number, in full."""
    two = event in ("os.rename", "os.link")
    named = arguments[: 2 if two or event == "os.symlink" else 1]
    folders = [one for one in arguments[len(named) :] if isinstance(one, int)][-len(named) if two else -1 :]
    return [_in_folder(path, number) for path, number in zip(named, [*folders, -1, -1], strict=False)]


def _in_folder(path: object, number: int) -> object:
    if number < 0 or not isinstance(path, str | bytes | os.PathLike) or os.path.isabs(os.fsdecode(path)):
        return path
    try:
        return os.path.join(os.readlink(f"/proc/self/fd/{number}"), os.fsdecode(path))
    except OSError:  # another system: what cannot be told is taken for outside
        return os.path.join(os.sep, os.fsdecode(path))


def _is_devnull(path: object) -> bool:
    """Whether it is the file that keeps nothing, by the name that it is given: on Windows, realpath makes another name of it."""
    return isinstance(path, str | bytes | os.PathLike) and os.path.normcase(os.fsdecode(path)) == os.devnull


def close(folder: Path) -> None:
    """From now on, only what lies in `folder` can be written or removed; no program can be started and no other process ended."""
    inside = str(folder.resolve())

    def stays_inside(path: object) -> bool:
        if isinstance(path, int) or not isinstance(path, str | bytes | os.PathLike):
            return True
        name = os.path.realpath(os.fsdecode(path))
        return name == inside or name.startswith(inside + os.sep)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if writes and not _is_devnull(arguments[0]) and not stays_inside(arguments[0]):
            raise Fenced(f"writes to {arguments[0]}")
        if event in _CHANGING and not all(stays_inside(path) for path in _paths(event, arguments)):
            raise Fenced(f"{event} of {arguments[0]}")
        if event in _STARTING:
            raise Fenced("starts another program")
        if event in ("os.kill", "os.killpg") and arguments[0] != os.getpid():
            raise Fenced("ends another process")

    sys.addaudithook(watch)
