"""Everything that changes a disk, each as a small story: how it was before, what is done, and what must be true whatever goes wrong."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from handlens import files
from handlens.config import Config
from handlens.data import mine
from handlens.data.mine.digits import changing, home, seen
from handlens.optim import make_optimizer
from handlens.runs import Run, scan, to_trash, writing
from handlens.runs import checkpoint as checkpoints
from handlens.runs.about import About, read_about
from handlens.train import State

OLD, NEW = b"old " * 3000, b"new " * 5000
NAMES = {"config.json", "env.json", "run.json", "checkpoint.json", "rows.jsonl", "run.lock"}
MAYBE = {"run.json.lock", "run.json.lock.holder"}  # there once something was noted beside a run


@dataclass(frozen=True)
class Scenario:
    """Attributes:
    prepare: lays out the disk in an empty folder.
    act: does what may be interrupted.
    check: fails if anything is torn; says whether the disk is as `before` or as `after` it.
    """

    prepare: Callable[[Path], None]
    act: Callable[[Path], None]
    check: Callable[[Path], str]


@functools.cache
def states() -> list[State]:
    """A training of a tiny network before its first step, and after each of three."""
    torch.manual_seed(1)
    found = []
    for epochs in range(4):
        model = nn.Linear(3, 2, bias=False)
        with torch.no_grad():
            model.weight.copy_(torch.arange(6.0).reshape(2, 3) + epochs)
        state = State(model, make_optimizer(model, "adam", lr=0.01))
        for epoch in range(1, epochs + 1):
            model(torch.ones(1, 3)).sum().backward()
            state.optimizer.step()
            state.rows.append({"epoch": epoch, "train_loss": 1 / epoch, "val_loss": 1 / epoch, "time_s": 0.1})
            state.epoch = epoch
        found.append(state)
    return found


def loaded_epoch(folder: Path) -> int:
    """The epoch of the last checkpoint, after all that the pointer names was read and found to be exactly what was saved."""
    pointer = checkpoints.read_pointer(folder)
    for entry in pointer.entries:
        saved = states()[entry.epoch].tensors()
        found = checkpoints.read_tensors(folder, entry)
        assert found.keys() == saved.keys()
        assert all(torch.equal(found[name], saved[name]) for name in saved)
    assert [row["epoch"] for row in checkpoints.read_rows(folder, pointer.last)] == [*range(1, pointer.last.epoch + 1)]
    return pointer.last.epoch


def _one_or_other(value: object, before: object, after: object) -> str:
    assert value in (before, after), f"neither old nor new: {value!r:.200}"
    return "after" if value == after else "before"


def _journal(root: Path) -> files.Journal:
    return files.Journal(root / "journal", 1 << 20)


def _add_old(root: Path) -> None:
    _journal(root).add([OLD, OLD])


def _add_new(root: Path) -> None:
    _journal(root).add([NEW])


def _check_added(root: Path, *before: bytes) -> str:
    lines = _journal(root).lines
    _journal(root).add([b"more"])  # what a kill left of a line is in nobody's way
    assert _journal(root).lines == [*lines, b"more"]
    return _one_or_other(lines, [*before], [*before, NEW])


def _write_old(root: Path) -> None:
    (root / "file").write_bytes(OLD)


def _write_new(root: Path) -> None:
    files.write_atomic(root / "file", NEW)


def _check_written(root: Path) -> str:
    files.sweep(root)
    assert [entry.name for entry in root.iterdir()] == ["file"]
    return _one_or_other((root / "file").read_bytes(), OLD, NEW)


def _two_epochs(root: Path) -> None:
    folder = root / "one"
    folder.mkdir()
    _create(folder)
    for state in states()[1:3]:
        checkpoints.commit(folder, state)


def _commit_third(root: Path) -> None:
    checkpoints.commit(root / "one", states()[3])


def _check_commit(root: Path) -> str:
    folder = root / "one"
    found = _one_or_other(loaded_epoch(folder), 2, 3)
    _reopen(folder)
    checkpoints.commit(folder, states()[3])  # what a resumed training does next
    assert loaded_epoch(folder) == 3
    kept = {entry.file for entry in checkpoints.read_pointer(folder).entries}
    assert {entry.name for entry in folder.iterdir()} - NAMES - MAYBE == kept, "something is left over"
    return found


def _create(folder: Path, state: State | None = None) -> None:
    with writing(folder):
        files.sweep(folder)
        Run.create(folder, Config(), {"torch": "x"}, About(id="20260101-000000-000000"), state or states()[0])


def _claim_and_create(root: Path) -> None:
    files.claim_folder(root / "one")
    _create(root / "one")


def _check_created(root: Path) -> str:
    folder = root / "one"
    if (folder / "run.json").exists():
        assert loaded_epoch(folder) == 0
        assert Run(folder).status == "interrupted"
        return "after"
    runs, broken = scan(root)
    assert not runs
    assert {ruin.name for ruin in broken} <= {"one"}  # after a power failure the lock may be missing by which what is half made is known
    files.claim_folder(folder)
    _create(folder, states()[1])  # the same name is free, also for another training
    pointer = checkpoints.read_pointer(folder)
    assert pointer.start == pointer.last
    assert pointer.last.epoch == loaded_epoch(folder) == 1
    assert {entry.name for entry in folder.iterdir()} - MAYBE == NAMES | {Run(folder).pointer.last.file}, "something is left over"
    return "before"


def _rename(root: Path) -> None:
    Run(root / "one").rename("two")


def _check_renamed(root: Path) -> str:
    found = _one_or_other([run.name for run in scan(root)[0]], ["one"], ["two"])
    folder = root / ("two" if found == "after" else "one")
    assert scan(root)[1] == []
    assert loaded_epoch(folder) == 2
    _reopen(folder)
    assert {entry.name for entry in folder.iterdir() if entry.suffix != ".safetensors"} - MAYBE == NAMES
    return found


def _reopen(folder: Path) -> None:
    """What each training does with a folder before anything else."""
    with writing(folder):
        files.sweep(folder)


def _delete(root: Path) -> None:
    to_trash(root, "one")


def _check_deleted(root: Path) -> str:
    runs, broken = scan(root)
    assert not broken
    in_trash = list((root / ".trash").iterdir()) if (root / ".trash").exists() else []
    assert len(runs) + len(in_trash) == 1
    assert loaded_epoch(runs[0].folder if runs else in_trash[0]) == 2
    return "before" if runs else "after"


def _annotate(root: Path) -> None:
    Run(root / "one").annotate(note="a remark", tags=("a", "b"))


def _check_annotated(root: Path) -> str:
    _reopen(root / "one")
    assert {entry.name for entry in (root / "one").iterdir() if entry.suffix != ".safetensors"} - MAYBE == NAMES
    about = read_about(root / "one")
    return _one_or_other((about.note, about.tags), ("", ()), ("a remark", ("a", "b")))


SEVEN, ONE = [[(20, 20), (80, 20), (45, 95)]], [[(50, 20), (48, 95)]]


@contextlib.contextmanager
def _data_in(root: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_DATA", str(root))
        yield


def _keep_one(root: Path) -> None:
    with _data_in(root):
        mine.add(ONE, 1)


def _keep_seven(root: Path) -> None:
    with _data_in(root):
        mine.add(SEVEN, 7)


def _keep_both(root: Path) -> None:
    _keep_one(root)
    _keep_seven(root)


def _mend(root: Path) -> None:
    with _data_in(root):
        mine.relabel(mine.digits()[0].id, 4)


def _forget(root: Path) -> None:
    with _data_in(root):
        mine.remove(mine.digits()[0].id)


def _own_labels(root: Path) -> list[int]:
    """The labels of all own digits, after each picture was read and found to be the one that was kept; nothing else is left over."""
    with _data_in(root):
        labels = [digit.label for digit in mine.digits()]
        assert all(seen(digit).image.any() for digit in mine.digits())
        with changing():  # it sweeps
            pass
        pictures = [entry.suffix for entry in files.entries(home() / "pictures")]
        assert {entry.name for entry in files.entries(home())} <= {"digits.csv", "digits.csv.lock", "digits.csv.lock.holder", "pictures"}
        assert set(pictures) <= {".png", ".json"}
    return labels


SCENARIOS = {
    "keep a digit": Scenario(_keep_one, _keep_seven, lambda root: _one_or_other(_own_labels(root), [1], [1, 7])),
    "keep the first digit": Scenario(lambda root: None, _keep_seven, lambda root: _one_or_other(_own_labels(root), [], [7])),
    "mend a label": Scenario(_keep_both, _mend, lambda root: _one_or_other(_own_labels(root), [1, 7], [4, 7])),
    "forget a digit": Scenario(_keep_both, _forget, lambda root: _one_or_other(_own_labels(root), [1, 7], [7])),
    "begin a journal": Scenario(lambda root: None, _add_new, _check_added),
    "add to a journal": Scenario(_add_old, _add_new, lambda root: _check_added(root, OLD, OLD)),
    "write": Scenario(_write_old, _write_new, _check_written),
    "commit": Scenario(_two_epochs, _commit_third, _check_commit),
    "create": Scenario(lambda root: None, _claim_and_create, _check_created),
    "rename": Scenario(_two_epochs, _rename, _check_renamed),
    "delete": Scenario(_two_epochs, _delete, _check_deleted),
    "annotate": Scenario(_two_epochs, _annotate, _check_annotated),
}
