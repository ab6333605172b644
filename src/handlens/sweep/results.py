"""What came of a sweep: a row for each point, and the winner."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handlens import files, metrics
from handlens.errors import FileError, UsageError
from handlens.runs import Run
from handlens.runs.written import from_json
from handlens.sweep.folder import MOST_EPOCHS, Trials
from handlens.sweep.halving import Halving
from handlens.sweep.spec import TrialName
from handlens.sweep.trial import Outcome

_TEST = "test.json"


@dataclass(frozen=True)
class Best:
    """The point that won on the validation images, and what it then reached on the test images, measured once.

    Attributes:
        number: its number.
        point: its knobs.
        runs: its trials, one for each seed.
        val_accuracy: the mean over them.
        test_accuracies: of each; none if the sweep has not come to its end.
    """

    number: int
    point: dict[str, Any]
    runs: tuple[Run, ...]
    val_accuracy: float
    test_accuracies: tuple[float, ...] = ()


class Results:
    """What the trials of a sweep have reached.

    Attributes:
        trials: its trials, as the folder has them.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials

    @property
    def name(self) -> str:
        """What it is called: the folder's name."""
        return self.trials.folder.name

    @property
    def axes(self) -> list[str]:
        """The knobs that differ."""
        return [axis.name for axis in self.trials.spec.axes]

    @cached_property
    def table(self) -> list[dict[str, Any]]:
        """One row for each point: its number, its knobs, and over its seeds validation accuracy and loss, epochs, time in s, its status.

        Of several seeds these are means, and `low` and `high` the 95 % interval of the mean accuracy.
        """
        return [self._row(number) for number in range(1, len(self._now.points) + 1)]

    @cached_property
    def _now(self) -> Trials:
        return self.trials.as_now()

    def _row(self, number: int) -> dict[str, Any]:
        outcomes = self._now.outcomes(number)
        scored = [outcome for outcome in outcomes if "val_accuracy" in outcome.used and not outcome.failure]
        accuracies = [outcome.used["val_accuracy"] for outcome in scored]
        low, high = accuracy_interval(accuracies)
        return {
            "point": number,
            **self._now.points[number - 1],
            "val_accuracy": _mean(accuracies),
            "low": low,
            "high": high,
            "val_loss": _mean([outcome.used["val_loss"] for outcome in scored]),
            "val_accuracies": accuracies,
            "epochs": max(outcome.epoch for outcome in outcomes),
            "time_s": sum(row.get("time_s", 0.0) for outcome in outcomes for row in outcome.rows),
            "status": self._status(number, outcomes),
        }

    def _status(self, number: int, outcomes: list[Outcome]) -> str:
        failures = [outcome.failure for outcome in outcomes if outcome.failure]
        if failures:
            return f"failed: {failures[0]}"
        if all(outcome.finished for outcome in outcomes):
            return "complete"
        if self._is_pruned(number):
            return f"pruned after epoch {min(outcome.epoch for outcome in outcomes)}"
        return "under way" if any(outcome.epoch for outcome in outcomes) else "waiting"

    def _is_pruned(self, number: int) -> bool:
        """Whether a point that has not come to its end never will. Without rungs that wait, this is known when all is over."""
        return self._is_over if self._now.spec.asynchronous else number not in self._going_on

    @cached_property
    def _is_over(self) -> bool:
        return Halving(self._now).take() is None

    @cached_property
    def _going_on(self) -> set[int]:
        """The points that no rung has ended: each rung is decided once all that came to it have reached it."""
        going = {*range(1, len(self._now.points) + 1)}
        for rung, after in zip(self._now.spec.rungs, [*self._now.spec.rungs[1:], MOST_EPOCHS], strict=False):
            if not all(outcome.has_reached(rung) for number in going for outcome in self._now.outcomes(number)):
                break
            going = {*self._now.alive(after)}
        return going

    @property
    def compared_after(self) -> int:
        """The epoch after which points are compared: the first rung, which all of them reach; 0, their end, without rungs."""
        return self.trials.spec.rungs[0] if self.trials.spec.rungs else 0

    @cached_property
    def compared(self) -> list[dict[str, Any]]:
        """The rows of points that trained for equally long: with their accuracies at the first rung, or at their end."""
        if not self.compared_after:
            return [row for row in self.table if row["status"] == "complete" and row["val_accuracies"]]
        found = []
        for row in self.table:
            outcomes = self._now.outcomes(row["point"])
            if all(outcome.epoch >= self.compared_after and not outcome.failure for outcome in outcomes):
                scores = [outcome.rows[self.compared_after - 1]["val_accuracy"] for outcome in outcomes]
                found.append({**row, "val_accuracy": _mean(scores), "val_accuracies": scores})
        return found

    def sorted(self, by: str = "val_accuracy") -> list[dict[str, Any]]:
        """The table, the best rows first: by one of its columns, falling for accuracies, else rising; empty cells last.

        Raises:
            UsageError: there is no such column.
        """
        if self.table and by not in self.table[0]:
            raise UsageError(f"The table has no column '{files.printable(by)}'.", hint=f"It has: {', '.join(self.columns)}.")
        sign = -1 if by.endswith("accuracy") or by in ("low", "high") else 1
        known = [row for row in self.table if row[by] is not None]
        numbers = all(isinstance(row[by], int | float) for row in known)
        known.sort(key=lambda row: (sign * row[by], row["point"]) if numbers else (str(row[by]), row["point"]))
        return known + [row for row in self.table if row[by] is None]

    @property
    def columns(self) -> list[str]:
        """The headings of the table, in order."""
        return ["point", *self.axes, "val_accuracy", "low", "high", "val_loss", "epochs", "time_s", "status"]

    @property
    def done(self) -> int:
        """How many points will be trained no further."""
        return sum(row["status"] not in ("under way", "waiting") for row in self.table)

    @property
    def asked(self) -> int:
        """How many points there will be; TPE chooses them one after the other."""
        return self.trials.spec.count if self.trials.spec.method == "tpe" else len(self.trials.points)

    @property
    def is_balanced(self) -> bool:
        """Whether every point that did not fail can be compared. Before that, what a knob does is mixed up with what was trained first."""
        failed = [row for row in self.table if row["status"].startswith("failed")]
        return len(self.compared) + len(failed) == self.asked

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to be trained."""
        return self.done == self.asked

    @property
    def ranked(self) -> list[dict[str, Any]]:
        """The rows of the points that are complete, the best first: by validation accuracy, then by the lower loss, then the first."""
        done = [row for row in self.table if row["status"] == "complete" and row["val_accuracy"] is not None]
        return sorted(done, key=lambda row: (-row["val_accuracy"], row["val_loss"], row["point"]))

    @property
    def best(self) -> Best | None:
        """The point that is complete and best on the validation images; None if there is none."""
        if not (ranked := self.ranked):
            return None
        row = ranked[0]
        names = [str(TrialName(row["point"], seed)) for seed in self.trials.spec.seeds]
        runs = tuple(Run(self.trials.folder / name) for name in names)
        return Best(row["point"], self.trials.points[row["point"] - 1], runs, row["val_accuracy"], self._tested(row["point"]))

    def _tested(self, number: int) -> tuple[float, ...]:
        """What was measured of a point on the test images; nothing where it was not, or cannot be read: it is measured again then."""
        try:
            content = from_json(files.read_bytes(self.trials.folder / _TEST, 1 << 20))
            return tuple(map(float, content["accuracies"])) if content["point"] == number else ()
        except (FileError, ValueError, RecursionError, TypeError, KeyError):
            return ()

    def measure(self) -> None:
        """Measure the winner on the test images, if that was not done and the sweep is at its end."""
        best = self.best
        if not best or best.test_accuracies or not self.is_complete:
            return
        accuracies = [run.evaluate("test").accuracy for run in best.runs]
        files.write_atomic(self.trials.folder / _TEST, json.dumps({"point": best.number, "accuracies": accuracies}) + "\n")

    def cells(self, by: str = "val_accuracy") -> list[list[str]]:
        """The table as text."""
        return [[shown(name, row[name]) for name in self.columns] for row in self.sorted(by)]

    def to_csv(self, by: str = "val_accuracy") -> str:
        """The table as CSV for a program: numbers in full, sizes of layers as 128-64."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([[_plain(row[name]) for name in self.columns] for row in self.sorted(by)])
        return text.getvalue()

    def to_markdown(self, by: str = "val_accuracy") -> str:
        """The table as Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.cells(by)]
        return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def accuracy_interval(accuracies: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """The 95 % interval of the mean, of which no more is told than an accuracy can be, 0 to 1; none of one accuracy."""
    low, high = metrics.mean_interval(accuracies)
    return (None, None) if low is None or high is None else (max(low, 0.0), min(high, 1.0))


def _mean(numbers: list[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def _plain(value: Any) -> Any:
    return "-".join(map(str, value)) if isinstance(value, tuple) else value


def shown(name: str, value: Any) -> str:
    """A cell as people read it."""
    if value is None:
        return ""
    if name in ("val_accuracy", "low", "high"):
        return f"{value:.2%}"
    if isinstance(value, float):
        return f"{value:.1f}" if name == "time_s" else f"{value:.4f}" if name == "val_loss" else f"{value:g}"
    return str(_plain(value))
