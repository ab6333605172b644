"""Asynchronous successive halving: a point goes on as soon as it is among the best third of those that have come as far.

No worker waits for the others of a rung. Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from handlens.sweep.folder import Trials
from handlens.sweep.spec import ETA, TrialName, survivors
from handlens.sweep.trial import Job


class Halving:
    """Gives out the jobs of such a sweep. What was done is read from the folder when it begins, so a sweep that was killed goes on.

    A point has reached level 1 when all its seeds have come to the end of the first rung, and so on; the last level is the end.

    Attributes:
        trials: of the sweep.
        ends: the last epoch of each level.
        reached: the level that each point has reached.
        asked: the level that each point was brought on to, or is being.
    """

    def __init__(self, trials: Trials) -> None:
        self.trials = trials
        self.ends = (0, *trials.spec.rungs, trials.spec.base.epochs)
        numbers = range(1, len(trials.points) + 1)
        self._failed = {number for number in numbers if self._has_failed(number)}
        self.reached = {number: self._level(number) for number in numbers}
        self.asked = {number: self._level_begun(number) for number in numbers}
        self._scores: dict[tuple[int, int], float] = {}
        self._waiting: deque[Job] = deque(job for number in self._under_way() for job in self._jobs(number))

    def take(self) -> Job | None:
        """The next job: what was begun, else points that may go on, else a new point. None if there is nothing just now."""
        for number in self._under_way():
            if self._has_reached(number, self.asked[number]):
                self.reached[number] = self.asked[number]
                if self._has_failed(number):
                    self._failed.add(number)
        if not self._waiting:
            for number in self._promoted(lambda count: count // ETA) or self._new() or self._last():
                self.asked[number] += 1
                self._waiting += self._jobs(number)
        return self._waiting.popleft() if self._waiting else None

    def _under_way(self) -> list[int]:
        return [number for number, level in self.asked.items() if level > self.reached[number]]

    def _has_reached(self, number: int, level: int) -> bool:
        return all(outcome.has_reached(self.ends[level]) for outcome in self.trials.outcomes(number))

    def _has_failed(self, number: int) -> bool:
        return any(outcome.failure for outcome in self.trials.outcomes(number))

    def _level(self, number: int) -> int:
        if number in self._failed:
            return 1  # it is not tried again, and goes nowhere
        return max(level for level in range(len(self.ends)) if self._has_reached(number, level))

    def _level_begun(self, number: int) -> int:
        """The level before, or the next one if a seed is on the way to it."""
        level = self._level(number)
        return level + any(outcome.epoch > self.ends[level] for outcome in self.trials.outcomes(number))

    def _jobs(self, number: int) -> list[Job]:
        """What is left to do for the level that a point was asked for."""
        names = [TrialName(number, seed) for seed in self.trials.spec.seeds]
        jobs = [(self.trials.job(name, self.ends[self.asked[number]]), self.trials.outcome(name)) for name in names]
        return [job for job, outcome in jobs if not outcome.has_reached(job.upto)]

    def _new(self) -> list[int]:
        return [number for number, level in self.asked.items() if level == 0][:1]

    def _last(self) -> list[int]:
        """When all is at rest: the share of each rung is rounded up, so that at least one point comes to the end."""
        return [] if self._under_way() else self._promoted(survivors)

    def _promoted(self, share: Callable[[int], int]) -> list[int]:
        """The points that may leave the highest rung that any may leave."""
        for level in range(len(self.ends) - 2, 0, -1):
            there = [number for number, reached in self.reached.items() if reached >= level]
            ranked = sorted(there, key=lambda number: (-self._score(number, level), number))[: share(len(there))]
            if going := [number for number in ranked if self.asked[number] == level and self._score(number, level) >= 0]:
                return going
        return []

    def _score(self, number: int, level: int) -> float:
        """Of a point that has reached the level, whose rows up to there change no more, so they are read once."""
        if number in self._failed:
            return -1.0
        if (number, level) not in self._scores:
            self._scores[number, level] = self.trials.score(number, self.ends[level])
        return self._scores[number, level]
