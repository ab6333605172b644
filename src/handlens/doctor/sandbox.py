"""What a watched program writes goes aside: it may end half-way, and must not leave a half-trained file where a good one was."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from handlens.doctor.overlay import Entry, Listing, Overlay, not_empty

_WRITING = set("wax+")
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_READ = ("stat", "lstat", "access", "readlink", "chdir", "listxattr", "getxattr")
_CHANGED = ("chmod", "utime", "truncate", "setxattr", "removexattr")
_ASKED = {"exists": "path", "lexists": "path", "isfile": "path", "isdir": "s", "islink": "path"}  # on Windows they do not ask `os.stat`

Call = Callable[..., Any]
Wrap = Callable[[Call], Call]


@contextlib.contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """Files that are written go to a folder of their own, and are read from there; the others stay as they are.

    Args:
        folder: where the program stands.
    """
    with tempfile.TemporaryDirectory(prefix="handlens-doctor-") as place, contextlib.ExitStack() as undo:
        overlay, start = Overlay(Path(place).resolve(), folder), os.getcwd()
        undo.callback(os.chdir, start)
        for owner, name, wrap in _patches(overlay):
            if original := getattr(owner, name, None):
                setattr(owner, name, wrap(original))
                undo.callback(setattr, owner, name, original)
        yield Path(place)


def _patches(overlay: Overlay) -> list[tuple[Any, str, Wrap]]:
    import torch

    calls = _Calls(overlay)
    own = ("open", "mkdir", "remove", "rmdir", "rename", "symlink", "listdir", "scandir", "getcwd")
    return [
        (builtins, "open", calls.opening),
        (io, "open", calls.opening),
        (torch, "save", calls.leading(1, "f", writing=True, keep=False)),
        (torch, "load", calls.leading(0, "f")),
        (shutil, "rmtree", calls.rmtree),
        *((os.path, name, calls.leading(0, parameter)) for name, parameter in _ASKED.items()),
        *((os, name, calls.leading(0, "path")) for name in _READ),
        *((os, name, calls.leading(0, "path", writing=True)) for name in _CHANGED),
        *((os, name, getattr(calls, name)) for name in own),
        (os, "unlink", calls.remove),
        (os, "replace", calls.rename),
        (os, "link", calls.link),
    ]


def _with_descriptor(knobs: dict[str, Any]) -> bool:
    """Whether a path begins at an open folder, and not where the program is."""
    return any(knobs.get(name) is not None for name in ("dir_fd", "src_dir_fd", "dst_dir_fd"))


class _Calls:
    """Functions that lead aside: each takes the original and gives what is to be called in its place."""

    def __init__(self, overlay: Overlay) -> None:
        self.overlay = overlay

    def leading(self, place: int, name: str, **how: bool) -> Wrap:
        """A function one of whose arguments is a path, at this place or by this name."""

        def wrap(original: Call) -> Call:
            def call(*args: Any, **knobs: Any) -> Any:
                if not _with_descriptor(knobs):
                    args, knobs = self._led(args, knobs, (place, name), **how)
                return original(*args, **knobs)

            return call

        return wrap

    def opening(self, original: Call) -> Call:
        def open_(*args: Any, **knobs: Any) -> Any:
            mode = str(args[1] if len(args) > 1 else knobs.get("mode", "r"))
            args, knobs = self._led(args, knobs, (0, "file"), writing=bool(_WRITING & set(mode)), keep="w" not in mode)
            return original(*args, **knobs)

        return open_

    def open(self, original: Call) -> Call:
        def open_(*args: Any, **knobs: Any) -> Any:
            flags = args[1] if len(args) > 1 else knobs.get("flags", 0)
            if not _with_descriptor(knobs):
                args, knobs = self._led(args, knobs, (0, "path"), writing=bool(flags & _FLAGS))
            return original(*args, **knobs)

        return open_

    def _led(
        self, args: tuple[Any, ...], knobs: dict[str, Any], which: tuple[int, str], **how: bool
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        place, name = which
        if len(args) > place:
            return (*args[:place], self.overlay.at(args[place], **how), *args[place + 1 :]), knobs
        return args, {**knobs, name: self.overlay.at(knobs[name], **how)} if name in knobs else knobs

    def getcwd(self, _original: Call) -> Call:
        return self.overlay.folder

    def mkdir(self, original: Call) -> Call:
        def make(path: Any, *args: Any, **knobs: Any) -> Any:
            name = self.overlay.name(path)
            if not name or _with_descriptor(knobs):
                return original(path, *args, **knobs)
            return original(self.overlay.at(path, writing=not self.overlay.exists(name)), *args, **knobs)

        return make

    def remove(self, original: Call) -> Call:
        def remove(path: Any, *args: Any, **knobs: Any) -> None:
            name = self.overlay.name(path)
            if not name or _with_descriptor(knobs):
                return original(path, *args, **knobs)  # type: ignore[no-any-return]
            moved = self.overlay.aside(name)
            if moved or self.overlay.is_folder(name) or not self.overlay.exists(name):  # of a folder, and of nothing, it is refused
                original(moved or path, *args, **knobs)
            self.overlay.forget(name)
            return None

        return remove

    def rmdir(self, original: Call) -> Call:
        def remove(path: Any, *args: Any, **knobs: Any) -> None:
            name = self.overlay.name(path)
            if not name or _with_descriptor(knobs) or not self.overlay.is_folder(name):
                return original(self.overlay.at(path), *args, **knobs)  # type: ignore[no-any-return]
            if any(self.overlay.names(name)):
                raise not_empty(path)
            with contextlib.suppress(FileNotFoundError):
                original(self.overlay.moved(name))
            self.overlay.forget(name)
            return None

        return remove

    def rmtree(self, original: Call) -> Call:
        def remove(path: Any, *args: Any, **knobs: Any) -> Any:
            name = self.overlay.name(path)
            if not name or _with_descriptor(knobs) or not self.overlay.is_folder(name):
                return original(self.overlay.at(path), *args, **knobs)
            original(self.overlay.moved(name), ignore_errors=True)
            self.overlay.forget(name)
            return None

        return remove

    def rename(self, original: Call) -> Call:
        def move(source: Any, target: Any, **knobs: Any) -> None:
            name = self.overlay.name(source)
            if _with_descriptor(knobs):
                return original(source, target, **knobs)  # type: ignore[no-any-return]
            if name and self.overlay.is_folder(name):
                return self._move_folder(source, target)
            original(self.overlay.at(source, writing=True), self.overlay.at(target, writing=True, keep=False), **knobs)
            if name:
                self.overlay.forget(name)
            return None

        return _as_posix(move)

    def _move_folder(self, source: Any, target: Any) -> None:
        name = self.overlay.name(target)
        if name and any(self.overlay.names(name)):
            raise not_empty(target)
        shutil.copytree(source, target, dirs_exist_ok=True)
        shutil.rmtree(source)

    def link(self, original: Call) -> Call:
        def link(source: Any, target: Any, **knobs: Any) -> Any:
            if _with_descriptor(knobs):
                return original(source, target, **knobs)
            return original(self.overlay.at(source), self.overlay.at(target, writing=True), **knobs)

        return _as_posix(link)

    def symlink(self, original: Call) -> Call:
        def link(source: Any, target: Any, *args: Any, **knobs: Any) -> Any:
            if _with_descriptor(knobs):
                return original(source, target, *args, **knobs)
            seen = os.path.join(os.path.dirname(target), source)  # from where the link stands
            return original(self.overlay.at(os.path.abspath(seen)), self.overlay.at(target, writing=True), *args, **knobs)

        return _as_posix(link)

    def listdir(self, original: Call) -> Call:
        def names(path: Any = ".") -> Any:
            name = self._folder(path)
            if not name:
                return original(self.overlay.at(path))
            found = [one for part in self.overlay.names(name) for one in part]
            return [os.fsencode(one) for one in found] if isinstance(path, bytes) else found

        return names

    def scandir(self, original: Call) -> Call:
        def entries(path: Any = ".") -> Any:
            name = self._folder(path)
            if not name:
                return original(self.overlay.at(path))
            return Listing(self._entries(original, name, "." if path is None else os.fspath(path)))

        return entries

    def _folder(self, path: Any) -> str:
        """The whole name of a folder in which something may have changed; empty if all is as it was, or it is none."""
        name = self.overlay.name("." if path is None else path) if self.overlay.changed else ""
        return name if name and os.path.isdir(name) else ""

    def _entries(self, original: Call, name: str, given: Any) -> Iterator[Any]:
        for folder, names in zip((name, self.overlay.moved(name)), self.overlay.names(name), strict=True):
            if names:
                with original(os.fsencode(folder) if isinstance(given, bytes) else folder) as found:
                    yield from [Entry(one, os.path.join(given, one.name)) for one in found if os.fsdecode(one.name) in names]


def _as_posix(call: Call) -> Call:
    """With the names that `os` gives its parameters."""

    def named(*args: Any, **knobs: Any) -> Any:
        given = [*args, *(knobs.pop(name) for name in ("src", "dst") if name in knobs)]
        return call(*given, **knobs)

    return named
