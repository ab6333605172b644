"""How well a network generalises to the user's own hand: accuracy on their digits beside that on its test images, before and after."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from handlens import data, metrics
from handlens.data.catalog import MINE
from handlens.errors import UsageError
from handlens.evaluation import Evaluation
from handlens.runs import Run, load_run
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEW = 50


@dataclass(frozen=True)
class OwnHand:
    """What `own_hand` found.

    Attributes:
        runs: one or two runs, the earlier first.
        mine: each of them on the same digits of the user's.
        tests: each on its own test images.
        apart: only digits that were kept apart were measured on, as a run has learned from the others.
    """

    runs: tuple[Run, ...]
    mine: tuple[Evaluation, ...]
    tests: tuple[Evaluation, ...]
    apart: bool

    @property
    def change(self) -> metrics.McNemar | None:
        """Of two runs, how many of the user's digits only one of them has right, and whether that is luck (McNemar's test)."""
        return metrics.mcnemar(*(found.correct for found in self.mine)) if len(self.mine) == 2 else None

    @property
    def sentences(self) -> list[str]:
        """What was found, in words, and how far it can be believed."""
        count = self.mine[0].n
        digits = counted(count, "digit of yours", "digits of yours")
        which = "kept apart from what was learned" if self.apart else "all there are; none was learned"
        said = [f"Measured on {digits}, {which}.", *(self._gap(place) for place in range(len(self.runs)))]
        if self.change:
            said.append(self._change(self.change))
        if count < _FEW:
            said.append("So few say little: the intervals are wide. More digits make it surer.")
        return said

    def _gap(self, place: int) -> str:
        """How far a run is from what it reaches on its test images."""
        run, mine, test = self.runs[place], self.mine[place], self.tests[place]
        low, high = mine.interval
        scores = f"{run.name} reads {mine.accuracy:.1%} of them ({low:.1%} to {high:.1%}), and {test.accuracy:.1%} of its test images"
        if high < test.accuracy:
            return f"{scores}: your hand is harder for it."
        if low > test.accuracy:
            return f"{scores}: your hand is easier for it."
        return f"{scores}: no difference is shown."

    def _change(self, found: metrics.McNemar) -> str:
        before, after = (run.name for run in self.runs)
        counts = f"{found.only_second} that only {after} has right, {found.only_first} that only {before} has"
        counts = f"{counts} (McNemar's test, p = {found.p:.2g})"
        lost = self.tests[1].accuracy - self.tests[0].accuracy
        rest = f"On its test images {after} is {abs(lost) * 100:.2f} points {'worse' if lost < 0 else 'better'}."
        if found.p >= 0.05:
            return f"On your digits neither is shown to be better: {counts}. {rest}"
        better = after if found.only_second > found.only_first else before
        return f"On your digits {better} is better: {counts}. {rest}"

    def table(self) -> tuple[dict[str, str], list[tuple[str, ...]]]:
        """Digit by digit: the columns with their side, and the rows, of which the last is of all digits."""
        columns = {"digit": "left", "yours": "right"}
        for run in self.runs:
            columns |= {f"{run.name}: yours right": "right", f"{run.name}: test": "right"}
        rows = []
        for place, name in enumerate(self.mine[0].classes):
            rights = [int(found.confusion_matrix[place, place]) for found in self.mine]
            shares = [found.per_class[place].recall for found in self.tests]
            rows.append((name, f"{self.mine[0].per_class[place].support:,}", *_cells(rights, shares)))
        totals = [int(found.correct.sum()) for found in self.mine]
        return columns, [*rows, ("all", f"{self.mine[0].n:,}", *_cells(totals, [found.accuracy for found in self.tests]))]

    def plot(self) -> Figure:
        """Accuracy by digit, on the user's digits and on the test images, with 95 % intervals."""
        from handlens import plots

        names = [run.name for run in self.runs]
        yours = "Your digits, those that were kept apart" if self.apart else "Your digits"
        theirs = " and ".join(dict.fromkeys(run.config.data for run in self.runs))
        panels = [(yours, _shares(self.mine)), (f"The test images of {theirs}", _shares(self.tests))]
        return plots.plot_hand(panels, names, self.mine[0].classes)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        change = vars(self.change) if self.change else None
        runs = [
            {"run": run.name, "mine": mine.to_dict(), "test": test.to_dict()}
            for run, mine, test in zip(self.runs, self.mine, self.tests, strict=True)
        ]
        return {"n": self.mine[0].n, "kept_apart": self.apart, "runs": runs, "change": change, "sentences": self.sentences}

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def _cells(rights: list[int], shares: list[float]) -> list[str]:
    return [cell for right, share in zip(rights, shares, strict=True) for cell in (f"{right:,}", f"{share:.1%}")]


def _shares(found: tuple[Evaluation, ...]) -> list[list[Any]]:
    """For each evaluation what is right: of all images, then of each class."""
    rights = [[int(one.correct.sum()), *np.diag(one.confusion_matrix).tolist()] for one in found]
    counts = [[one.n, *one.confusion_matrix.sum(axis=1).tolist()] for one in found]
    return [[_share(*pair) for pair in zip(right, count, strict=True)] for right, count in zip(rights, counts, strict=True)]


def _share(right: int, count: int) -> Any:
    from handlens import plots

    return plots.Share(right / count, *metrics.accuracy_interval(right, count), count) if count else plots.Share(0, 0, 1, 0)


def own_hand(*references: str | os.PathLike[str] | Run) -> OwnHand:
    """Measure one or two runs on the user's own digits: all of them, or, if a run has learned from some, those that were kept apart.

    Args:
        references: a run, or two, such as before and after training with the digits: runs, or what `load_run` takes.

    Raises:
        UsageError: not one or two runs; or a run does not tell digits apart, or no digit was kept apart.
        DataMissing: there are no digits yet.
        RunNotFound: a run is not there.
    """
    if len(references) not in (1, 2):
        raise UsageError(f"One run or two can be looked at, and here are {len(references)}.", hint="handlens mine compare BEFORE AFTER")
    runs = tuple(one if isinstance(one, Run) else load_run(one) for one in references)
    learned = {name for run in runs for name in run.about.learned}
    mine = tuple(Evaluation.measure(run.model(), data.find_split(run.dataset(), MINE, learned)) for run in runs)
    return OwnHand(runs, mine, tuple(run.evaluate("test") for run in runs), MINE in learned)
