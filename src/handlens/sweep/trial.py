"""One trial: an ordinary run in a folder of its own, brought on to an epoch, wherever and however often that is asked for."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handlens import data as datasets
from handlens import files
from handlens.config import make_config
from handlens.data import Dataset
from handlens.errors import DataDamaged, DataMissing, FileError, HandlensError, RunBusy, RunNotFound
from handlens.fit import resuming, starting
from handlens.runs import Run, to_trash
from handlens.sweep.spec import FILE
from handlens.train import Row
from handlens.training import Training
from handlens.transfer import plan_new

Message = dict[str, Any]
FAILURES = "failures"
_PAUSE_S = 0.5
_MOST_SHOWN = 500
_OF_THE_MACHINE = (FileError, DataMissing, DataDamaged, RunNotFound, OSError)
"""What says nothing about a trial: on a machine that is as it should be, it can still be trained."""


@dataclass(frozen=True)
class Job:
    """What a worker is asked: bring this trial to the end of epoch `upto`.

    Attributes:
        folder: the sweep's.
        name: the trial's, which is the name of its run.
        knobs: every knob of its config.
        upto: the number of an epoch.
    """

    folder: str
    name: str
    knobs: dict[str, Any]
    upto: int


@dataclass(frozen=True)
class Outcome:
    """Where a trial stands, as its folder says.

    Attributes:
        rows: one of metrics for each epoch that is done.
        used: the row of the weights that are used; empty if there is none.
        finished: trained to its end, or stopped early.
        failure: why it failed, in words; empty if it did not.
    """

    rows: list[Row] = field(default_factory=list)
    used: Row = field(default_factory=dict)
    finished: bool = False
    failure: str = ""

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return len(self.rows)

    def has_reached(self, upto: int) -> bool:
        """Whether there is nothing left to do up to that epoch."""
        return self.finished or bool(self.failure) or self.epoch >= upto


def read_outcome(folder: Path, name: str) -> Outcome:
    """Where a trial stands; nothing done if it has no run yet."""
    place = folder / name
    failure = _read_failure(folder, name)
    if not (place / "run.json").exists():
        return Outcome(failure=failure)
    try:
        run = Run(place)
        return Outcome(run.rows, run.used_row, run.pointer.finished, failure)
    except HandlensError as error:
        return Outcome(failure=failure or error.what)


def _failure_file(folder: Path, name: str) -> Path:
    return folder / FAILURES / f"{name}.txt"


def _read_failure(folder: Path, name: str) -> str:
    path = _failure_file(folder, name)
    return files.read_bytes(path, 1 << 16).decode(errors="replace").partition("\n")[0].strip() if path.exists() else ""


def write_failure(folder: Path, name: str, reason: str, said: str = "") -> None:
    """Remember why a trial failed, so that it is shown and not tried again; below it what its process has `said` last."""
    lines = [files.printable(line, _MOST_SHOWN) for line in (reason, *said.splitlines())]
    files.write_atomic(_failure_file(folder, name), "\n".join(lines) + "\n")


def forget_failure(folder: Path, name: str) -> None:
    """Let a trial be tried again, from its last epoch; from its beginning, if its run cannot be read any more."""
    files.remove(_failure_file(folder, name))
    if (folder / name / "run.json").exists() and _is_damaged(folder / name):
        to_trash(folder, name)


def _is_damaged(place: Path) -> bool:
    try:
        return Run(place).status == "damaged"
    except HandlensError:
        return True


def advance(job: Job) -> Iterator[Message]:
    """Bring a trial to its epoch, from where its folder says it stands; if it fails, the reason is kept.

    Yields:
        `row` of each epoch, after it was saved; at last one of `reason`, empty if it did not fail; `busy`, who is training it; `unfit`, why
        this machine cannot train it just now, with `where` and `hint`.
    """
    try:
        yield from _advance(job)
    except RunBusy as error:
        time.sleep(_PAUSE_S)  # whoever has it is just ending
        yield {"busy": error.what}
    except _OF_THE_MACHINE as error:
        found = error if isinstance(error, HandlensError) else files.explain(error, Path(str(error.filename or job.folder)))
        yield {"unfit": found.what, "where": found.where, "hint": found.hint}


def _advance(job: Job) -> Iterator[Message]:
    folder, reason = Path(job.folder), ""
    try:
        if not read_outcome(folder, job.name).has_reached(job.upto):
            with _underway(job) as training:
                for row in training:
                    yield {"row": row}
                    if training.unsaved:
                        raise training.unsaved
                    if row["epoch"] >= job.upto:
                        break
    except (RunBusy, *_OF_THE_MACHINE):
        raise
    except Exception as error:
        reason = error.what if isinstance(error, HandlensError) else f"{type(error).__name__}: {error}"
        write_failure(folder, job.name, reason)
    yield {"reason": reason}


@contextlib.contextmanager
def _underway(job: Job) -> Iterator[Training]:
    folder, config = Path(job.folder), make_config(job.knobs)
    _check_there(folder / FILE)
    dataset = _dataset(config.data, config.val, config.with_data)
    if (folder / job.name / "run.json").exists():
        with resuming(Run(folder / job.name), data=dataset) as training:
            yield training
    else:
        if ":" in config.model:
            _check_there(Path(config.model.rpartition(":")[0]))
        with starting(plan_new(config, images=dataset), name=job.name, root=folder) as training:
            yield training


def _check_there(path: Path) -> None:
    """Whether this machine sees a file that all machines of a sweep must see under the same path.

    Raises:
        FileError: it does not.
    """
    if not path.is_file():
        raise FileError("This file is not there.", where=str(path), hint="All machines of a sweep must see it under this path.")


@functools.lru_cache(maxsize=1)
def _dataset(name: str, val: float, added: str) -> Dataset:
    """Read once for all trials of a worker; the images lie in a file that all workers map into their memory."""
    return datasets.with_added(datasets.load(name, val=val), added)
