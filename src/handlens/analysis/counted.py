"""Right answers, counted."""

from __future__ import annotations

from handlens import metrics


class Counted:
    """What everything has that knows how many images it is about, and how many of them are right.

    Attributes:
        n: how many images.
        correct: how many of them are right.
    """

    n: int
    correct: int

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.correct / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on all such images lies with 95 % confidence (Wilson 1927)."""
        return metrics.accuracy_interval(self.correct, self.n)
