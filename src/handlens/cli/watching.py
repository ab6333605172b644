"""What is seen of a sweep while it is under way."""

from __future__ import annotations

import sys
import time
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from handlens.cli.terminal import err, plain, say
from handlens.sweep import Event, Trials
from handlens.sweep.spec import TrialName, survivors
from handlens.sweep.telling import end_in_words, epoch_in_words, knobs_in_words, name_of
from handlens.words import counted

_MOST_SHOWN = 12
_PIPED_EVERY_S = 30.0


class Watch:
    """The live table on stderr while its `with` lasts: what is under way, how far all is, the best so far.

    Piped: a line for each trial, and now and then one that says how far all is.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.epochs = {str(name): trials.outcome(name).epoch for name in trials.names}
        self.begun_with = sum(self.epochs.values())
        self.best = Best(trials)
        self.start = time.monotonic()
        self.said = -_PIPED_EVERY_S
        self.most = (0, 0)
        columns = (TextColumn("epochs of all trainings"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
        self.progress = Progress(*columns)
        self.task = self.progress.add_task("", total=self._most(), completed=self.begun_with, left="")
        self.now: dict[str, str] = {}
        self.live = Live(console=err(), transient=True, refresh_per_second=4) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.live:
            self.live.stop()

    def _most(self) -> int:
        """The epochs of all trials, if none stops early or fails. It is reckoned again when there are more points."""
        if not self.most[0] == len(self.trials.points) > 0:
            self.most = len(self.trials.points), epochs_of(self.trials)
        return max(self.most[1], sum(self.epochs.values()))

    def see(self, event: Event) -> None:
        """Take in what happened to a trial."""
        if event.row is not None:
            self._see_epoch(event.trial, event.row)
        else:
            self._see_end(event)
        if self.live:
            self.live.update(self._picture())
        elif event.row is None and time.monotonic() - self.said >= _PIPED_EVERY_S:
            self.said = time.monotonic()
            say(", ".join(filter(None, [f"{sum(self.epochs.values()):,} of {counted(self._most(), 'epoch')}", self._left(), self._best()])))

    def _see_epoch(self, trial: str, row: dict[str, float]) -> None:
        self.epochs[trial] = int(row["epoch"])
        score = row.get("val_accuracy", row["train_accuracy"])
        self.best.take(name_of(trial), score)
        self.now[trial] = epoch_in_words(row)
        self.progress.update(self.task, completed=sum(self.epochs.values()), total=self._most(), left=self._left())

    def _see_end(self, event: Event) -> None:
        self.best.look(name_of(event.trial))
        ended = self.now.pop(event.trial, "")
        line = end_in_words(self.trials, event, ended)
        if self.live and event.reason:
            self.live.console.print(Text(plain(line)))
        elif not self.live:
            say(line)

    def _left(self) -> str:
        """How long the rest takes, if it goes on as since the beginning."""
        done = sum(self.epochs.values())
        if done == self.begun_with:
            return ""
        left_s = (time.monotonic() - self.start) / (done - self.begun_with) * max(0, self._most() - done)
        return f"about {_duration(left_s)} left"

    def _best(self) -> str:
        number, score = self.best.point()
        seeds = len(self.trials.spec.seeds)
        over = f" (mean of {seeds} seeds)" if seeds > 1 else ""
        return f"best so far {knobs_in_words(self.trials, number)} with {score:.2%}{over}" if number else ""

    def _picture(self) -> Group:
        table = Table(box=None, pad_edge=False, show_header=False)
        for trial in list(self.now)[-_MOST_SHOWN:]:
            table.add_row(trial, plain(knobs_in_words(self.trials, name_of(trial).number)), self.now[trial])
        return Group(table, Text(plain(self._best()), style="bold"), self.progress)


class Best:
    """The point that is best so far: of those that have an accuracy with each seed the one with the best mean, as in the table."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.scores: dict[TrialName, float] = {}
        self.means: dict[int, float] = {}
        for name in trials.names:
            self.look(name)

    def look(self, name: TrialName) -> None:
        """Take the accuracy of a trial from its folder: that of the weights that are used; none if it failed."""
        outcome = self.trials.outcome(name)
        self.take(name, None if outcome.failure else outcome.used.get("val_accuracy"))

    def take(self, name: TrialName, score: float | None) -> None:
        """Take in what a trial has reached."""
        self.scores.pop(name, None)
        if score is not None:
            self.scores[name] = score
        seeds = self.trials.spec.seeds
        known = [self.scores[one] for one in (TrialName(name.number, seed) for seed in seeds) if one in self.scores]
        self.means.pop(name.number, None)
        if len(known) == len(seeds):
            self.means[name.number] = sum(known) / len(known)

    def point(self) -> tuple[int, float]:
        """Its number and its mean; 0 if there is none yet."""
        number = max(self.means, key=self.means.__getitem__, default=0)
        return number, self.means.get(number, 0.0)


def epochs_of(trials: Trials) -> int:
    """The epochs of all trials of a sweep, if none stops early or fails; with rungs, of those that its rungs let go on."""
    spec, count = trials.spec, len(trials.points)
    if not spec.rungs:
        unknown = max(0, spec.count - count) * spec.base.epochs if spec.method == "tpe" else 0
        return (sum(spec.config(point, spec.seeds[0]).epochs for point in trials.points) + unknown) * len(spec.seeds)
    total, before = 0, 0
    for end in (*spec.rungs, spec.base.epochs):
        total += (end - before) * count
        before, count = end, survivors(count)
    return total * len(spec.seeds)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
