"""`Overlay`: a folder that lies over the disk. What is written goes there; what is read or listed is as if it stood where it belongs."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Overlay:
    """Where the paths of a program lead.

    Args:
        place: the folder that lies over the disk.
        folder: where the program stands. What is written below it, or where it was started, always goes aside; elsewhere, caches do not.
    """

    def __init__(self, place: Path, folder: Path) -> None:
        self.place = str(place)
        self.start = os.getcwd()
        self._own = (str(folder), self.start)
        self._never = (self.place, tempfile.gettempdir(), "/dev", "/proc")  # temporary files are this process's own
        home = os.path.expanduser("~")
        caches = (os.path.join(home, name) for name in (".cache", ".config", ".local"))
        self._others = (sys.prefix, *caches, os.environ.get("HANDLENS_DATA", "/dev"))
        self.changed = False  # as long as nothing was written or deleted, all is where it always was
        self._gone: set[str] = set()
        self._stat, self._lstat, self._mkdir, self._listdir, self._getcwd = os.stat, os.lstat, os.mkdir, os.listdir, os.getcwd

    def name(self, path: Any) -> str:
        """The whole name of a path that may lead aside; empty for another one, or what is none."""
        if not path or not isinstance(path, str | bytes | os.PathLike):
            return ""
        name = os.path.normpath(os.path.join(self.folder(), os.fsdecode(path)))
        never = _under(name, *self._never) or (_under(name, *self._others) and not _under(name, *self._own))
        return "" if never else name

    def moved(self, name: str) -> str:
        """Where a whole name leads if it leads aside."""
        return os.path.join(self.place, name.lstrip("/\\").replace(":", ""))

    def at(self, path: Any, *, writing: bool = False, keep: bool = True) -> Any:
        """Where a path leads.

        Args:
            path: as a program hands it over.
            writing: whether it is to be written.
            keep: whether what stands there already is needed.
        """
        name = self.name(path) if writing or self.changed else ""
        if not name:
            return path
        found = self._for_writing(name, keep) if writing else self.aside(name)
        if found is None:
            found = name if _under(self._getcwd(), self.place) else path
        return os.fsencode(found) if isinstance(path, bytes) else found

    def folder(self) -> str:
        """Where the program is, as it sees it."""
        here = self._getcwd()
        if not _under(here, self.place):
            return here
        parts = Path(here).relative_to(self.place).parts
        return os.path.join(f"{parts[0]}:\\" if os.name == "nt" else "/", *parts[1 if os.name == "nt" else 0 :])

    def names(self, name: str) -> tuple[list[str], list[str]]:
        """What is in a folder: what was there and still is, and what the program made."""
        moved = self.moved(name)
        made = self._listdir(moved) if self._is_folder(moved) else []
        there = self._listdir(name) if self._is_folder(name) and not self._hidden(name) else []
        return [one for one in there if one not in made and os.path.join(name, one) not in self._gone], made

    def forget(self, name: str) -> None:
        """What stands there was deleted."""
        self._gone.add(name)
        self.changed = True

    def exists(self, name: str) -> bool:
        """Whether the program sees something there."""
        return _is(self._lstat, self.aside(name) or name)

    def is_folder(self, name: str) -> bool:
        """Whether the program sees a folder there, and no link to one."""
        path = self.aside(name) or name
        return self._is_folder(path) and not stat.S_ISLNK(self._lstat(path).st_mode)

    def aside(self, name: str) -> str | None:
        """Where it is aside if it was written there, or deleted; None if it is where it always was."""
        if not self.changed:
            return None
        moved = self.moved(name)
        both = self._is_folder(moved) and self._is_folder(name)
        return moved if self._hidden(name) or (_is(self._lstat, moved) and not both) else None

    def _for_writing(self, name: str, keep: bool) -> str:
        moved, hidden, there = self.moved(name), self._hidden(name), _is(self._lstat, self.moved(name))
        self.changed = True
        folder = os.path.dirname(name)
        if self._is_folder(self.aside(folder) or folder):  # if there is no such folder, nothing can be written
            self._make_folders(os.path.dirname(moved))
        if not there and not hidden and self._is_folder(name):
            self._make_folders(moved)
        elif keep and not there and not hidden and os.path.isfile(name):
            shutil.copyfile(name, moved)
        return moved

    def _make_folders(self, path: str) -> None:
        if not self._is_folder(path):
            self._make_folders(os.path.dirname(path))
            self._mkdir(path)

    def _hidden(self, name: str) -> bool:
        """Whether what was there is deleted, or a folder around it is."""
        if not self._gone:
            return False
        return name in self._gone or any(str(folder) in self._gone for folder in Path(name).parents)

    def _is_folder(self, path: str) -> bool:
        return _is(self._stat, path) and stat.S_ISDIR(self._stat(path).st_mode)


class Listing:
    """What `os.scandir` gives."""

    def __init__(self, entries: Iterator[Any]) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Any]:
        return self._entries

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._entries = iter(())


class Entry:
    """One thing of it, with the path that the program would see."""

    def __init__(self, entry: os.DirEntry[Any], path: Any) -> None:
        self._entry = entry
        self.name = entry.name
        self.path = path

    def __fspath__(self) -> Any:
        return self.path

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)


def refused(number: int, path: Any) -> OSError:
    """The exception of the system: `errno.EEXIST`, `errno.ENOTEMPTY`."""
    return OSError(number, os.strerror(number), path)


def not_empty(path: Any) -> OSError:
    """A folder has something in it."""
    return refused(errno.ENOTEMPTY, path)


def _under(name: str, *folders: str) -> bool:
    return any(name == folder or name.startswith(folder.rstrip("/\\") + os.sep) for folder in folders)


def _is(look: Any, path: str) -> bool:
    try:
        look(path)
    except (OSError, ValueError):
        return False
    return True
