"""What a disk may look like after a power failure, worked out from the calls that were made (as ALICE does; Pillai et al., OSDI 2014).

The contents of a file last from its fsync on; before that they may be there, half there, or absent. A name in a folder lasts from the
folder's fsync on; before that each of the changes made to it may have reached the disk or not. A rename is one change, even between two
folders.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash.faults import Call


@dataclass
class File:
    """A file's bytes now, those that are sure to last, and how many of the first were not taken away since: what is added to keeps them."""

    now: bytes = b""
    lasting: bytes = b""
    kept: int = 0

    @property
    def versions(self) -> list[bytes]:
        """What may be found after a power failure."""
        half = (self.kept + len(self.now)) // 2
        return list(dict.fromkeys([self.lasting, self.now[: self.kept], self.now[:half], self.now]))


@dataclass(eq=False)
class Folder:
    """The names that are sure to last."""

    lasting: dict[str, File | Folder] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What a call does to the names of one folder: a name goes, or comes, or both."""

    folder: Folder
    goes: str
    comes: str
    what: File | Folder | None


Change = tuple[Step, ...]  # what reaches the disk as a whole: a rename between two folders has two steps


def names_of(folder: Folder, changes: Iterable[Change]) -> dict[str, File | Folder]:
    """The names in a folder after some changes."""
    names = dict(folder.lasting)
    for step in itertools.chain(*changes):
        if step.folder is folder:
            names.pop(step.goes, None)
            if step.what is not None:
                names[step.comes] = step.what
    return names


class Model:
    """The disk below `root`, as it is while the calls are made one after the other. What is there at the start lasts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = _read(root)
        self.open: dict[int, File | Folder] = {}
        self.pending: list[Change] = []

    def now(self, folder: Folder) -> dict[str, File | Folder]:
        """The names in a folder as a running program sees them."""
        return names_of(folder, self.pending)

    def find(self, path: str | Path) -> Folder:
        """The folder at a path."""
        here = self.top
        for name in Path(path).relative_to(self.root).parts:
            inner = self.now(here)[name]
            assert isinstance(inner, Folder)
            here = inner
        return here

    def make(self, call: Call) -> None:
        """Do one call."""
        if call.result is None:
            return
        if call.name in ("write", "fsync", "close"):
            self._use(call)
            return
        path = Path(os.fsdecode(call.arguments[0]))
        if call.name == "open":
            self._open(path, call.arguments[1], call.result)
        elif call.name == "mkdir":
            self.pending.append((Step(self.find(path.parent), "", path.name, Folder()),))
        elif call.name in ("unlink", "rmdir"):
            self.pending.append((Step(self.find(path.parent), path.name, "", None),))
        else:
            self._rename(path, Path(os.fsdecode(call.arguments[1])))

    def _use(self, call: Call) -> None:
        opened = self.open[call.arguments[0]]
        if call.name == "write":
            assert isinstance(opened, File)
            opened.now += bytes(call.arguments[1])[: call.result]
        elif call.name == "close":
            del self.open[call.arguments[0]]
        elif isinstance(opened, File):
            opened.lasting, opened.kept = opened.now, len(opened.now)
        else:
            self._sync(opened)

    def _sync(self, folder: Folder) -> None:
        """All changes of a folder's names last; with them, what they did to other folders."""
        lasting = [change for change in self.pending if any(step.folder is folder for step in change)]
        for other in {step.folder for change in lasting for step in change}:
            other.lasting = names_of(other, lasting)
        self.pending = [change for change in self.pending if change not in lasting]

    def _open(self, path: Path, flags: int, descriptor: int) -> None:
        if path == self.root or isinstance(self.now(self.find(path.parent)).get(path.name), Folder):
            self.open[descriptor] = self.find(path)
            return
        folder = self.find(path.parent)
        if path.name not in self.now(folder):
            self.pending.append((Step(folder, "", path.name, File()),))
        file = self.now(folder)[path.name]
        assert isinstance(file, File)
        if flags & os.O_TRUNC:
            file.now, file.kept = b"", 0
        self.open[descriptor] = file

    def _rename(self, source: Path, target: Path) -> None:
        here, there = self.find(source.parent), self.find(target.parent)
        what = self.now(here)[source.name]
        if here is there:
            self.pending.append((Step(here, source.name, target.name, what),))
        else:
            self.pending.append((Step(here, source.name, "", None), Step(there, "", target.name, what)))

    def states(self) -> Iterator[dict[str, bytes | None]]:
        """Each disk that a power failure now may leave: the bytes of each file by its path, None for a folder."""
        seen = set()
        for count in range(len(self.pending) + 1):
            for chosen in itertools.combinations(self.pending, count):
                for state in _states(self.top, "", chosen):
                    key = tuple(sorted(state.items()))
                    if key not in seen:
                        seen.add(key)
                        yield state


def _states(folder: Folder, prefix: str, changes: Sequence[Change]) -> Iterator[dict[str, bytes | None]]:
    choices: list[list[dict[str, bytes | None]]] = []
    for name, what in names_of(folder, changes).items():
        path = prefix + name
        if isinstance(what, File):
            choices.append([{path: version} for version in what.versions])
        else:
            choices.append([{path: None, **inner} for inner in _states(what, path + "/", changes)])
    for chosen in itertools.product(*choices):
        yield {path: content for part in chosen for path, content in part.items()}


def _read(path: Path) -> Folder:
    names: dict[str, File | Folder] = {}
    for entry in path.iterdir():
        names[entry.name] = _read(entry) if entry.is_dir() else _file(entry.read_bytes())
    return Folder(names)


def _file(content: bytes) -> File:
    return File(content, content, len(content))


def lay_out(state: dict[str, bytes | None], root: Path) -> Path:
    """Write a state to a real, empty folder."""
    root.mkdir()
    for path, content in sorted(state.items()):
        if content is None:
            (root / path).mkdir()
        else:
            (root / path).write_bytes(content)
    return root
