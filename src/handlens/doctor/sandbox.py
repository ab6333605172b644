"""What a watched program writes goes aside: it may end half-way, and must not leave a half-trained file where a good one was."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_WRITING = set("wax+")


@contextlib.contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """Files that are written go to a folder of their own, and are read from there; the others stay as they are.

    Args:
        folder: where the program stands.
    """
    with tempfile.TemporaryDirectory(prefix="handlens-doctor-") as place:
        overlay = _Overlay(Path(place), folder)
        undo = overlay.install()
        try:
            yield Path(place)
        finally:
            for one in undo:
                one()


class _Overlay:
    def __init__(self, place: Path, folder: Path) -> None:
        self.place = place
        self.own = (str(folder), os.getcwd())
        home = os.path.expanduser("~")
        caches = (".cache", ".config", ".local")
        self.others = (
            tempfile.gettempdir(),
            sys.prefix,
            *(os.path.join(home, name) for name in caches),
            os.environ.get("HANDLENS_DATA", "/dev/"),
        )

    def at(self, path: Any, *, writing: bool = False) -> Any:
        """Where a path leads: aside if it is written, or was."""
        if isinstance(path, int) or not isinstance(path, str | bytes | os.PathLike):
            return path
        name = os.path.abspath(os.fsdecode(path))
        if name.startswith((str(self.place), "/dev/", "/proc/")) or (name.startswith(self.others) and not name.startswith(self.own)):
            return path
        moved = self.place / name.lstrip("/\\").replace(":", "")
        if not writing:
            return str(moved) if moved.exists() else path
        moved.parent.mkdir(parents=True, exist_ok=True)
        if not moved.exists() and os.path.isfile(name):
            shutil.copyfile(name, moved)
        return str(moved)

    def install(self) -> list[Callable[[], None]]:
        import torch

        def opening(original: Callable[..., Any]) -> Callable[..., Any]:
            def open_(file: Any, mode: str = "r", *args: Any, **knobs: Any) -> Any:
                return original(self.at(file, writing=bool(_WRITING & set(mode))), mode, *args, **knobs)

            return open_

        def writing(place: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
            def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
                def write(*args: Any, **knobs: Any) -> Any:
                    moved = [self.at(one, writing=True) if number == place else one for number, one in enumerate(args)]
                    return original(*moved, **knobs)

                return write

            return wrap

        def reading(original: Callable[..., Any]) -> Callable[..., Any]:
            def read(file: Any, *args: Any, **knobs: Any) -> Any:
                return original(self.at(file), *args, **knobs)

            return read

        undo: list[Callable[[], None]] = []

        def patch(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
            original = getattr(owner, name)
            setattr(owner, name, wrap(original))
            undo.append(lambda: setattr(owner, name, original))

        patch(builtins, "open", opening)
        patch(io, "open", opening)
        patch(torch, "save", writing(1))
        patch(torch, "load", reading)
        patch(os, "mkdir", self._making)
        for name in ("remove", "unlink", "rmdir"):
            patch(os, name, self._harmless)
        for name in ("rename", "replace"):
            patch(os, name, self._moving)
        return undo

    def _harmless(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def change(path: Any, *args: Any, **knobs: Any) -> Any:
            return original(self.at(path, writing=True), *args, **knobs)

        return change

    def _making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def make(path: Any, *args: Any, **knobs: Any) -> Any:
            moved = path if os.path.exists(path) else self.at(path, writing=True)
            return None if moved != path and os.path.isdir(moved) else original(moved, *args, **knobs)

        return make

    def _moving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def move(source: Any, target: Any, *args: Any, **knobs: Any) -> Any:
            return original(self.at(source, writing=True), self.at(target, writing=True), *args, **knobs)

        return move
