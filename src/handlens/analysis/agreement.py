"""Several runs on the same images: which are wrong every time, and which only once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlens.errors import UsageError
from handlens.evaluation import Evaluation
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Agreement:
    """What several runs say to the same images.

    Attributes:
        evaluations: one for each of R runs.
        wrong: N, how many of the runs are wrong about each image.
    """

    evaluations: tuple[Evaluation, ...]
    wrong: NDArray[np.int64]

    @property
    def counts(self) -> list[int]:
        """R + 1: how many images are wrong in 0, 1, ... R of the runs."""
        return [int((self.wrong == times).sum()) for times in range(len(self.evaluations) + 1)]

    @property
    def by_chance(self) -> list[float]:
        """R + 1: the same, to be expected if each run made its number of mistakes on images drawn by lot."""
        chances = np.ones(1)
        for evaluation in self.evaluations:
            chances = np.convolve(chances, [evaluation.accuracy, 1 - evaluation.accuracy])
        return (chances * len(self.wrong)).tolist()

    def indices(self, times: int, count: int | None = None) -> NDArray[np.int64]:
        """The images that are wrong in exactly so many runs, the highest loss over all runs first."""
        found = np.flatnonzero(self.wrong == times)
        losses = sum(evaluation.losses[found] for evaluation in self.evaluations)
        return np.asarray(found[np.argsort(-np.asarray(losses), kind="stable")][:count], dtype=np.int64)

    def wrong_answers(self, index: int) -> Counter[str]:
        """What the runs that are wrong say to an image, and how many of them."""
        said = (evaluation.select(np.array([index])) for evaluation in self.evaluations)
        return Counter(one.predicted[0] for one in said if one.predicted != one.true)

    def named(self, times: int) -> str:
        """So many of the runs, in words."""
        runs = len(self.evaluations)
        return f"all {runs} runs" if times == runs else f"{times or 'none'} of {runs} runs"

    def plot(self, count: int = 12) -> Figure:
        """A row of images for each number of runs that are wrong, down from all of them."""
        from handlens import plots

        runs = len(self.evaluations)
        rows = [self._row(times, count) for times in range(runs, 0, -1) if self.counts[times]]
        note = "below each image: its label → the commonest wrong answer"
        return plots.plot_rows(rows, f"Wrong in how many of {runs} runs", note)

    def _row(self, times: int, count: int) -> Any:
        from handlens import plots

        first, indices = self.evaluations[0], self.indices(times, count)
        heading = f"{counted(self.counts[times], 'image')} wrong in {self.named(times)}"
        captions = [
            f"{first.classes[first.labels[index]]} → {self.wrong_answers(index).most_common(1)[0][0]}" for index in indices.tolist()
        ]
        return plots.ImageRow(heading, f"{self.by_chance[times]:,.1f} if mistakes fell by lot", first.images[indices], captions)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: how many images are wrong in 0, 1, ... R runs, and the places of those that are wrong in all."""
        always = self.indices(len(self.evaluations)).tolist()
        return {"runs": len(self.evaluations), "wrong_in": self.counts, "by_chance": self.by_chance, "always_wrong": always}


def agreement(evaluations: Sequence[Evaluation]) -> Agreement:
    """Put what several runs say to the same images side by side.

    Args:
        evaluations: two or more, of the same images in the same order.

    Raises:
        UsageError: there is only one, or they are of different images.
    """
    if len(evaluations) < 2:
        raise UsageError("Which images are always wrong, only two runs or more can say.")
    first = evaluations[0]
    if any(not np.array_equal(first.images, other.images) or not np.array_equal(first.labels, other.labels) for other in evaluations):
        raise UsageError("The runs were measured on different images.", hint="Runs of one data set have the same test images.")
    return Agreement(tuple(evaluations), np.sum([~evaluation.correct for evaluation in evaluations], axis=0))
