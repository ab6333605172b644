"""What a training can be continued from: a file of tensors under a new name, then a small pointer that says which file counts.

The pointer is replaced last, in one step, and carries the SHA-256: a reader finds the old checkpoint or the new one, and never a damaged
one without noticing. safetensors and JSON only; nothing that is read can run code.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from handlens import files
from handlens.errors import FileError, RunDamaged, UsageError, nearest
from handlens.files import printable
from handlens.runs.written import MOST_JSON, from_json, read_json, write_json
from handlens.train import Row, State

POINTER = "checkpoint.json"
ROWS = "rows.jsonl"
WHICH = ("last", "best", "previous", "start")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_EPOCHS = 1_000_000
_CLOCK = ("time_s", "images_per_s", "waited_s")
_MOST_TENSORS = 4 << 30
_MOST_NAMES = 10_000
_MOST_NUMBER = 1e300


@dataclass(frozen=True)
class Entry:
    """One file of tensors: its name in the run's folder, its SHA-256, its size in bytes, and the epochs that were done."""

    file: str
    sha256: str
    size: int
    epoch: int


_FIELDS = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Pointer:
    """Which files count. `best` is the epoch with the lowest validation loss; `start` the weights before the first step, if kept."""

    last: Entry
    start: Entry | None = None
    previous: Entry | None = None
    best: Entry | None = None
    finished: bool = False

    @property
    def entries(self) -> list[Entry]:
        """All files that count."""
        return [entry for entry in (self.last, self.start, self.previous, self.best) if entry]

    def pick(self, which: str) -> Entry | None:
        """The entry of that name (one of `WHICH`), if there is one."""
        entry: Entry | None = getattr(self, which)
        return entry

    def entry(self, which: str) -> Entry:
        """The entry of that name.

        Raises:
            UsageError: there is no such name, or nothing of it.
        """
        if which not in WHICH:
            raise UsageError(f"There is no checkpoint '{which}'.", hint=nearest(which, WHICH))
        entry = self.pick(which)
        if entry is None:
            raise UsageError(f"This run has no {which} checkpoint.", hint=f"It has: {', '.join(filter(self.pick, WHICH))}.")
        return entry

    def to_json(self) -> dict[str, Any]:
        """As in `checkpoint.json`: the last entry's fields, then the other entries by name."""
        others = {name: asdict(entry) if entry else None for name in WHICH[1:] for entry in [self.pick(name)]}
        return {**asdict(self.last), **others, "finished": self.finished}


def read_pointer(folder: Path) -> Pointer:
    """The pointer of a run's folder.

    Raises:
        RunDamaged: it is not there, or not what it should be.
    """
    path = folder / POINTER
    content = read_json(path)
    last = {name: content.pop(name, None) for name in _FIELDS}
    finished = content.pop("finished", None)
    if content.keys() != set(WHICH[1:]) or not isinstance(finished, bool):
        raise RunDamaged(f"{POINTER} does not say which files count.", where=str(path))
    others = {name: _entry(value, path) for name, value in content.items() if value is not None}
    return Pointer(_entry(last, path), finished=finished, **others)


def _entry(content: object, path: Path) -> Entry:
    if isinstance(content, dict) and content.keys() == set(_FIELDS):
        file, sha256, size, epoch = (content[name] for name in _FIELDS)
        counted = type(size) is int and type(epoch) is int and size >= 0 and 0 <= epoch < _MOST_EPOCHS
        if counted and file == _file_of(epoch) and isinstance(sha256, str) and _SHA256.fullmatch(sha256):
            return Entry(file, sha256, size, epoch)
    raise RunDamaged(f"{POINTER} does not name a file with its sha256, size and epoch.", where=str(path))


def _file_of(epoch: int) -> str:
    return f"epoch-{epoch:04d}.safetensors"


def pack(tensors: Mapping[str, Tensor], rows: list[Row], **said: str) -> bytes:
    """Tensors and rows as one safetensors file: no name, path or time in it, so that equal trainings give equal bytes.

    `said` is more that the file shall say about itself.
    """
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    timeless = [{name: value for name, value in row.items() if name not in _CLOCK} for row in rows]
    notes = json.dumps({"epoch": len(rows), "rows": timeless}, allow_nan=False)
    return safetensors.torch.save(tensors, metadata={"handlens": notes, **said})


def commit(folder: Path, state: State, *, finished: bool = False) -> Pointer:
    """Make the state the run's last checkpoint; whatever happens on the way, the folder has one that is whole.

    Raises:
        FileError: the disk refuses; it says how many bytes are needed. The previous checkpoint then still counts.
    """
    data = pack(state.tensors(), state.rows)
    entry = Entry(_file_of(state.epoch), files.sha256(data), len(data), state.epoch)
    try:
        files.write_atomic(folder / entry.file, data)
        files.write_atomic(folder / ROWS, "".join(json.dumps(row, allow_nan=False) + "\n" for row in state.rows))
        pointer = _next(folder, entry, state.rows, finished)
        write_json(folder / POINTER, pointer.to_json())
    except FileError as error:
        needed = f"The checkpoint of epoch {state.epoch} needs {len(data):,} bytes."
        raise FileError(error.what, where=error.where, hint=f"{needed} {error.hint}".strip()) from error
    forget_others(folder, pointer)
    return pointer


def _next(folder: Path, entry: Entry, rows: list[Row], finished: bool) -> Pointer:
    if not (folder / POINTER).exists():
        return Pointer(last=entry, start=entry)
    old = read_pointer(folder)
    if old.last == entry:
        return replace(old, finished=finished)
    known = [row["val_loss"] for row in rows if "val_loss" in row]
    best = entry if known and known[-1] == min(known) else old.best
    previous = old.last if old.last.epoch < entry.epoch else old.previous
    return Pointer(last=entry, start=old.start, previous=_before(entry, previous), best=_before(entry, best), finished=finished)


def _before(entry: Entry, other: Entry | None) -> Entry | None:
    """The other one, unless it is of a later epoch, or of the same epoch of a training that then went another way."""
    return other if other and (other == entry or other.epoch < entry.epoch) else None


def forget_others(folder: Path, pointer: Pointer) -> None:
    """Delete the checkpoints that do not count any more, or never did because a kill came between."""
    kept = {entry.file for entry in pointer.entries}
    for path in folder.glob("epoch-*.safetensors"):
        if path.name not in kept:
            files.remove(path)


def read_tensors(folder: Path, entry: Entry) -> dict[str, Tensor]:
    """The tensors of a checkpoint, if the file is byte for byte the one that was written.

    Raises:
        RunDamaged: it is not there, or has changed.
    """
    return _parse(folder, entry)[0]


def read_rows(folder: Path, entry: Entry) -> list[Row]:
    """The rows of a checkpoint, with the times of `rows.jsonl` where that has them.

    Raises:
        RunDamaged: the checkpoint is not there, or has changed.
    """
    rows = _parse(folder, entry)[1]
    timed = {row.get("epoch"): row for row in read_row_file(folder)}
    return [{**{name: timed.get(row["epoch"], {})[name] for name in _CLOCK if name in timed.get(row["epoch"], {})}, **row} for row in rows]


def read_row_file(folder: Path) -> list[Row]:
    """The rows in `rows.jsonl` as far as they can be read: it is for people and for other programs; the checkpoint has its own."""
    try:
        lines = files.read_bytes(folder / ROWS, MOST_JSON).decode(errors="replace").splitlines()
    except FileError:
        return []
    return list(_numbers(lines))


def _numbers(lines: Iterable[str]) -> Iterable[Row]:
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            yield _row(from_json(line))


def _row(content: object) -> Row:
    """A row as it is written: numbers by name, among them a whole `epoch`.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(content, dict) or type(content.get("epoch")) is not int:
        raise ValueError("this is no row")
    if not all(isinstance(value, int | float) and abs(value) < _MOST_NUMBER for value in content.values()):
        raise ValueError("a row has numbers only")
    return content


def read_checked(folder: Path, entry: Entry) -> bytes:
    """The bytes of a checkpoint file, after their size and SHA-256 were compared with the pointer's.

    Raises:
        RunDamaged: it is not there, or has changed.
    """
    path = folder / entry.file
    try:
        data = files.read_bytes(path, min(entry.size, _MOST_TENSORS))
    except FileError as error:
        raise RunDamaged(f"The checkpoint of epoch {entry.epoch} cannot be read: {error.what}", where=str(path)) from error
    found = files.sha256(data)
    if found != entry.sha256 or len(data) != entry.size:
        raise RunDamaged(
            f"The checkpoint of epoch {entry.epoch} is damaged: sha256 {found[:12]}… instead of {entry.sha256[:12]}….", where=str(path)
        )
    return data


def whole_one(folder: Path, pointer: Pointer, damaged: str) -> str:
    """Which of the other checkpoints is whole, as advice to a user."""
    for which in WHICH:
        entry = pointer.pick(which)
        if entry and which != damaged:
            with contextlib.suppress(RunDamaged):
                read_checked(folder, entry)
                return f"The {which} checkpoint (epoch {entry.epoch}) is whole: add --checkpoint {which}"
    return "No other checkpoint of this run is whole: train again."


def _parse(folder: Path, entry: Entry) -> tuple[dict[str, Tensor], list[Row]]:
    tensors, rows, _ = unpack(read_checked(folder, entry), folder / entry.file)
    if len(rows) != entry.epoch:
        raise RunDamaged("This is no checkpoint of handlens: it is of another epoch.", where=str(folder / entry.file))
    return tensors, rows


def unpack(data: bytes, where: Path) -> tuple[dict[str, Tensor], list[Row], dict[str, str]]:
    """What `pack` packed: tensors and rows, and all that the file says about itself.

    Raises:
        RunDamaged: it is no such file; `where` says which one.
    """
    try:
        header = from_json(data[8 : 8 + int.from_bytes(data[:8], "little")])
        notes = from_json(header["__metadata__"]["handlens"])
        rows = [_row(row) for row in notes["rows"]]
        if notes["epoch"] != len(rows) or [row["epoch"] for row in rows] != [*range(1, len(rows) + 1)]:
            raise ValueError("it is of another epoch")
        if len(header) > _MOST_NAMES:
            raise ValueError("it has too many tensors")
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError, RuntimeError) as error:
        raise RunDamaged(f"This is no checkpoint of handlens: {printable(str(error))}.", where=printable(str(where))) from error
    return tensors, rows, header["__metadata__"]
