"""A sweep's folder: `sweep.json`, and a run for each trial. What it says is all that is known of a sweep."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from handlens import files
from handlens.errors import FileError, RunBusy, RunDamaged, RunNotFound, UsageError, nearest
from handlens.runs import SWEEPS, new_place, runs_folder
from handlens.runs.written import from_json
from handlens.sweep.space import Point
from handlens.sweep.spec import FILE, Spec, TrialName, read_spec, survivors, write_spec
from handlens.sweep.trial import Job, Outcome, forget_failure, read_outcome

_POINTS = "points.json"
_LOCK = "sweep.lock"
_MOST_BYTES = 1 << 26
MOST_EPOCHS = 1 << 30  # more than any trial has: to its end


class Trials:
    """The trials of a sweep, as its folder has them.

    Attributes:
        folder: the sweep's.
        spec: what it tries.
        points: what is tried, in order; of TPE, what has been asked for up to now.

    Raises:
        RunDamaged: the folder does not say it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec: Spec = read_spec(folder)
        self.points: list[Point] = self._asked() if self.spec.method == "tpe" else self.spec.points()
        self._known: dict[str, Outcome] = {}
        self._may_change = True  # by others, while we look on

    def as_now(self) -> Trials:
        """The trials as they stand just now: each is read once at most, as that takes a whole checkpoint."""
        now = Trials(self.folder)
        now._known, now._may_change = dict(self._known), False
        return now

    def _asked(self) -> list[Point]:
        path = self.folder / _POINTS
        if not path.exists():
            return []
        try:
            asked = from_json(files.read_bytes(path, _MOST_BYTES))
            return [{axis.name: _knob(point[axis.name]) for axis in self.spec.axes} for point in asked]
        except (FileError, ValueError, RecursionError, TypeError, KeyError) as error:
            raise RunDamaged(f"'{_POINTS}' does not say which points were tried.", where=str(path)) from error

    def add(self, point: Point) -> None:
        """Remember a point before it is tried."""
        files.write_atomic(self.folder / _POINTS, json.dumps([*self.points, point], allow_nan=False) + "\n")
        self.points.append(point)

    @property
    def names(self) -> list[TrialName]:
        """All trials: point by point, seed by seed."""
        return [TrialName(number, seed) for number in range(1, len(self.points) + 1) for seed in self.spec.seeds]

    def outcome(self, name: TrialName) -> Outcome:
        """Where a trial stands now."""
        if str(name) not in self._known:
            found = read_outcome(self.folder, str(name))
            if self._may_change and not found.finished and not found.failure:
                return found
            self._known[str(name)] = found
        return self._known[str(name)]

    def forget(self, trial: str) -> None:
        """Read a trial of that name again when it is asked for."""
        self._known.pop(trial, None)

    def forget_failures(self) -> None:
        """Let all trials that have failed be tried again, from their last epoch."""
        for name in self.names:
            if self.outcome(name).failure:
                forget_failure(self.folder, str(name))
                self.forget(str(name))

    def outcomes(self, number: int) -> list[Outcome]:
        """Those of a point, seed by seed."""
        return [self.outcome(TrialName(number, seed)) for seed in self.spec.seeds]

    def job(self, name: TrialName, upto: int) -> Job:
        """What a worker is asked in order to bring a trial to an epoch."""
        config = self.spec.config(self.points[name.number - 1], name.seed)
        return Job(str(self.folder.absolute()), str(name), config.model_dump(mode="json"), min(upto, config.epochs))

    def alive(self, upto: int) -> list[int]:
        """The points that are to be trained beyond the rungs before `upto`: a pure function of the rows up to those."""
        numbers = list(range(1, len(self.points) + 1))
        for rung in self.spec.rungs:
            if rung < upto:
                ranked = sorted(numbers, key=lambda number: (-self.score(number, rung), number))
                numbers = sorted(ranked[: survivors(len(numbers))])
        return numbers

    def score(self, number: int, epoch: int) -> float:
        """The mean validation accuracy of a point after an epoch (or its last one, if it stopped early); -1 if a trial failed."""
        rows = [outcome.rows[:epoch] for outcome in self.outcomes(number) if not outcome.failure]
        if len(rows) < len(self.spec.seeds) or not all(rows):
            return -1.0
        return sum(some[-1].get("val_accuracy", some[-1]["train_accuracy"]) for some in rows) / len(rows)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the right to give out trials of this sweep.

        Nobody else changes them meanwhile, so each is kept as it was read, until `forget`.

        Raises:
            RunBusy: another process has it.
        """
        try:
            with files.lock(self.folder / _LOCK, wait_s=0.5), self._kept():
                yield
        except RunBusy as error:
            if error.where != str(self.folder):
                raise
            raise RunBusy(f"Sweep '{self.folder.name}' is under way. {error.what}", where=error.where) from error

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        self._known, self._may_change = {}, False
        try:
            yield
        finally:
            self._known = {name: outcome for name, outcome in self._known.items() if outcome.finished or outcome.failure}
            self._may_change = True


def _knob(value: Any) -> Any:
    """A value as a point has it: JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def sweeps_folder() -> Path:
    """Where sweeps are kept: `sweeps` in the folder of the runs."""
    return runs_folder() / SWEEPS


def new_folder(name: str, spec: Spec) -> Path:
    """The folder of a sweep of that name: a new one, or one of exactly this sweep, which then goes on.

    Raises:
        UsageError: it cannot be a name, or there is another sweep of that name.
    """
    folder = new_place(sweeps_folder(), name)
    if not (folder / FILE).exists():
        files.make_folder(folder)
        write_spec(folder, spec)
    elif read_spec(folder) != spec:
        raise UsageError(f"There is another sweep '{name}' already.", where=str(folder), hint="Choose another --name.")
    return folder


def find_folder(name: str) -> Path:
    """The folder of a sweep: by its name, or `latest`.

    Raises:
        RunNotFound: there is none.
    """
    known = {path.name: path for path in files.entries(sweeps_folder()) if (path / FILE).is_file()}
    if not known:
        raise RunNotFound("There are no sweeps yet.", where=str(sweeps_folder()), hint="Make one: handlens sweep lr=0.1,0.01 --epochs 1")
    if name == "latest":
        return max(known.values(), key=lambda path: ((path / FILE).stat().st_mtime_ns, path.name))
    if name not in known:
        raise RunNotFound(f"There is no sweep '{files.printable(name)}'.", where=str(sweeps_folder()), hint=nearest(name, known))
    return known[name]
