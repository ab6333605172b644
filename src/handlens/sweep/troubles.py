"""What goes wrong around the trials, and when it is enough: the same on this machine and on a cluster."""

from __future__ import annotations

import time
import warnings
from collections import Counter

from handlens.errors import FailedError
from handlens.sweep.trial import Message

MOST_DEATHS = 5
TELL_AFTER_S = 60.0


class Troubles:
    """What has happened to each trial since its last epoch.

    Attributes:
        patience_s: for so long another process may hold a trial that is to be trained.
    """

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self._deaths: Counter[str] = Counter()
        self._busy_since: dict[str, float] = {}
        self._told_busy: set[str] = set()
        self._starts_failed = 0

    def started(self) -> None:
        """A process was ready for work."""
        self._starts_failed = 0

    def did_not_start(self, how: str) -> None:
        """A process died, or was silent, before it was ready: no trial can be blamed for that.

        Raises:
            FailedError: one after the other does so.
        """
        self._starts_failed += 1
        if self._starts_failed >= MOST_DEATHS:
            raise FailedError(f"No process of the sweep starts: {MOST_DEATHS} in a row died before they were ready ({how}).")

    def moved(self, trial: str) -> None:
        """A trial has an epoch more, or has ended."""
        self._deaths.pop(trial, None)
        self._busy_since.pop(trial, None)

    def died(self, trial: str) -> bool:
        """The process of a trial died: whether that was once too often."""
        self._deaths[trial] += 1
        return self._deaths[trial] >= MOST_DEATHS

    def busy(self, trial: str, who: str) -> None:
        """Another process has the trial; after a while this is said.

        Args:
            trial: its name.
            who: one sentence, or two.

        Raises:
            FailedError: it has had it for too long.
        """
        waited_s = time.monotonic() - self._busy_since.setdefault(trial, time.monotonic())
        if waited_s > self.patience_s:
            raise FailedError(f"Trial {trial} was not free for {waited_s:,.0f} s. {who}", hint="Wait until it has ended, or end it.")
        if waited_s > TELL_AFTER_S and trial not in self._told_busy:
            self._told_busy.add(trial)
            warnings.warn(f"Trial {trial} waits. {who}", stacklevel=2)


def unfit(trial: str, message: Message) -> FailedError:
    """What a machine said that could not train a trial, as an error."""
    what = f"The sweep has stopped, and trial {trial} waits: {message['unfit']}"
    return FailedError(what, where=message["where"], hint=message["hint"])
