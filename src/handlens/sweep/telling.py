"""What is said of a sweep while it is under way: a line for each trial."""

from __future__ import annotations

from handlens.sweep.findings import in_words
from handlens.sweep.folder import Trials
from handlens.sweep.pool import Event
from handlens.sweep.spec import Spec, TrialName
from handlens.train import Row
from handlens.words import counted


def name_of(trial: str) -> TrialName:
    """The trial of that name."""
    number, seed = trial.split("-")
    return TrialName(int(number), int(seed))


def knobs_in_words(trials: Trials, number: int) -> str:
    """What is special about a point."""
    return ", ".join(f"{name} {in_words(value)}" for name, value in trials.points[number - 1].items())


def points_in_words(count: int, spec: Spec) -> str:
    """So many points of a sweep, and how many trainings they are if each has several seeds."""
    seeds = len(spec.seeds)
    return f"{counted(count, 'point')}" + (f" with {seeds} seeds each, {count * seeds:,} trainings" if seeds > 1 else "")


def epoch_in_words(row: Row) -> str:
    """What an epoch has reached."""
    split = "val" if "val_accuracy" in row else "train"
    return f"epoch {int(row['epoch'])}  {split} acc {row[f'{split}_accuracy']:.2%}"


def end_in_words(trials: Trials, event: Event, reached: str) -> str:
    """A trial that has come to its end, or has failed: which, with what knobs, and how far."""
    how = f"failed: {event.reason}" if event.reason else reached
    return f"{event.trial}  {knobs_in_words(trials, name_of(event.trial).number)}  {how}"


class Lines:
    """Prints a line for each trial that ends."""

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self._reached: dict[str, str] = {}

    def see(self, event: Event) -> None:
        """Take in what happened to a trial."""
        if event.row is not None:
            self._reached[event.trial] = epoch_in_words(event.row)
        else:
            print(end_in_words(self.trials, event, self._reached.pop(event.trial, "")), flush=True)
