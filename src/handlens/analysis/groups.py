"""Accuracy in groups of images: by how thick, slanted and large they are written, and by who wrote them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlens import metrics
from handlens.analysis.counted import Counted
from handlens.errors import UsageError
from handlens.evaluation import Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = ("thickness", "slant", "size")


@dataclass(frozen=True)
class Group(Counted):
    """Images that have something in common.

    Attributes:
        name: what.
        n: how many.
        correct: how many of them are right.
        example: the place of one in the middle of the group.
    """

    name: str
    n: int
    correct: int
    example: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"group": self.name, "n": self.n, "correct": self.correct, "accuracy": self.accuracy, "interval": list(self.interval)}


def accuracy_by_measure(evaluation: Evaluation, values: NDArray[np.float64], unit: str = "", bins: int = 5) -> list[Group]:
    """The images in groups of equal number, from the lowest to the highest value; where many are equal, fewer groups.

    Args:
        evaluation: of N images.
        values: N, of each image; those that are NaN are left out.
        unit: of the values, for the names of the groups.
        bins: how many groups.

    Raises:
        UsageError: there is not one value for each image, none is a number, or `bins` is below 1.
    """
    if values.shape != (evaluation.n,) or bins < 1 or not np.isfinite(values).any():
        raise UsageError(f"{evaluation.n:,} images cannot be put into {bins} groups by values of shape {values.shape}.")
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, bins + 1)))
    place = np.searchsorted(edges[1:-1], values, side="right")
    place[~np.isfinite(values)] = -1
    pairs = itertools.pairwise(edges) if len(edges) > 1 else [(edges[0], edges[0])]
    names = [f"{low:.1f} to {high:.1f} {unit}".strip() for low, high in pairs]
    groups = [(name, np.flatnonzero(place == number)) for number, name in enumerate(names)]
    return [_group(evaluation, name, members, values) for name, members in groups if members.size]


def _group(evaluation: Evaluation, name: str, members: NDArray[np.int64], values: NDArray[np.float64]) -> Group:
    example = members[np.argsort(values[members], kind="stable")[len(members) // 2]]
    return Group(name, len(members), int(evaluation.correct[members].sum()), int(example))


def accuracy_by_stroke(evaluation: Evaluation, bins: int = 5) -> dict[str, list[Group]]:
    """Accuracy by thickness (px), slant (degrees to the right) and size (px) of what is written; see `metrics.measure_strokes`.

    Raises:
        DataError: the images are not grey.
    """
    strokes = metrics.measure_strokes(evaluation.images)
    return {name: accuracy_by_measure(evaluation, getattr(strokes, name), strokes.units[name], bins) for name in MEASURES}


def accuracy_by_writer(evaluation: Evaluation, writers: Sequence[int] | NDArray[np.int64]) -> list[Group]:
    """Accuracy on each writer's images, the writer with the lowest first.

    Args:
        evaluation: of N images.
        writers: N, the number of who wrote each.

    Raises:
        UsageError: there is not one writer for each image.
    """
    who = np.asarray(writers)
    if who.shape != (evaluation.n,):
        raise UsageError(f"There are {evaluation.n:,} images, but writers of shape {who.shape}.")
    order = np.arange(evaluation.n, dtype=np.float64)
    groups = [_group(evaluation, f"writer {writer}", np.flatnonzero(who == writer), order) for writer in np.unique(who)]
    return sorted(groups, key=lambda group: (group.accuracy, -group.n))


def plot_strokes(evaluation: Evaluation, groups: Mapping[str, list[Group]]) -> Figure:
    """Accuracy by each measure, with an image from the middle of each group."""
    from handlens import plots

    panels = [
        plots.Panel(
            name,
            [group.name for group in found],
            [group.accuracy for group in found],
            [group.interval for group in found],
            evaluation.images[[group.example for group in found]],
        )
        for name, found in groups.items()
    ]
    about, level = next(iter(groups.values()))[0].n, f"{evaluation.accuracy * 100:.1f} %"
    note = f"each group has about {about:,} images; bars: 95 % intervals; dashed: all images, {level}"
    return plots.plot_panels(panels, "Accuracy by how it is written", note, level=evaluation.accuracy)
