"""What to know about a data set before one trains on it: how even its classes are, and which images are in it twice."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from handlens.data import duplicates
from handlens.data.dataset import Dataset
from handlens.data.duplicates import Pair
from handlens.errors import UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEAR = 0.985


@dataclass(frozen=True)
class Twin:
    """An image and another one that is equal to it, or nearly.

    Attributes:
        places: the split and the number in it of the first and of the second.
        classes: what the first and the second are said to be.
        correlation: of their pixels; 1 if they are equal byte for byte.
    """

    places: tuple[tuple[str, int], tuple[str, int]]
    classes: tuple[str, str]
    correlation: float

    @property
    def across(self) -> bool:
        """Whether one of them is a test image and the other is not: then the test is easier than it should be."""
        return (self.places[0][0] == "test") != (self.places[1][0] == "test")

    @property
    def contradicts(self) -> bool:
        """Whether they are said to be of two classes: at least one label is wrong."""
        return self.classes[0] != self.classes[1]


@dataclass(frozen=True, repr=False)
class Inspection:
    """What was found in a data set.

    Attributes:
        name, classes: of the data set.
        counts: for each split, how many images each class has.
        means: K,C,H,W `uint8`: the mean of each class's training images; black where there are none.
        exact: images that are equal, each that was there before with the first of its kind.
        near: images that are nearly equal, the most alike first.
        least: the correlation from which on they count as that.
        pictures: M,2,C,H,W `uint8`: the images of the first twins of `exact` and `near`, to be shown.
        unreadable: files that were left out when the data set was imported, and why.
    """

    name: str
    classes: tuple[str, ...]
    counts: dict[str, list[int]]
    means: NDArray[np.uint8]
    exact: tuple[Twin, ...]
    near: tuple[Twin, ...]
    least: float
    pictures: NDArray[np.uint8]
    unreadable: dict[str, str]

    @cached_property
    def imbalance(self) -> float:
        """How many times as many training images the largest class has as the smallest; infinite if that has none."""
        counts = self.counts["train"]
        return max(counts) / min(counts) if min(counts) else float("inf") if max(counts) else 1.0

    @property
    def twins(self) -> tuple[Twin, ...]:
        """All of them, the most alike first; across train and test before others of the same likeness."""
        return tuple(sorted((*self.exact, *self.near), key=lambda twin: (-twin.correlation, not twin.across)))

    def sentences(self) -> list[str]:
        """The findings in words."""
        return [
            self._about_balance(),
            self._about("equal, byte for byte", self.exact),
            self._about(self._nearly, self.near),
            *self._left_out(),
        ]

    @property
    def _nearly(self) -> str:
        return f"nearly equal (correlation of at least {self.least:g})"

    def _about_balance(self) -> str:
        counts = self.counts["train"]
        largest, smallest = (self.classes[counts.index(extreme(counts))] for extreme in (max, min))
        if max(counts) == min(counts):
            return f"Balance: each class has {counted(max(counts), 'training image')}."
        times = f"{self.imbalance:.2f} times as many" if min(counts) else "nothing to learn it from"
        return f"Balance: '{largest}' has {counted(max(counts), 'training image')}, '{smallest}' {min(counts):,}: {times}."

    def _about(self, words: str, twins: tuple[Twin, ...]) -> str:
        if not twins:
            return f"No two images are {words}."
        more = "more than " if len(twins) >= duplicates.MOST_PAIRS else ""
        across, contradicting = sum(twin.across for twin in twins), sum(twin.contradicts for twin in twins)
        pairs = counted(len(twins), "pair of images is", "pairs of images are")
        return f"{more}{pairs} {words}; {across:,} of them across train and test; {contradicting:,} with different labels."

    def _left_out(self) -> list[str]:
        count = len(self.unreadable)
        return [f"{counted(count, 'unreadable file was', 'unreadable files were')} left out when it was imported."] if count else []

    def to_dict(self) -> dict[str, Any]:
        """Everything but the images, as JSON; of twins at most 1,000."""
        return {
            "name": self.name,
            "counts": {split: dict(zip(self.classes, counts, strict=True)) for split, counts in self.counts.items()},
            "imbalance": self.imbalance if np.isfinite(self.imbalance) else None,
            "exact_duplicates": len(self.exact),
            "near_duplicates": len(self.near),
            "near_correlation": self.least,
            "across_train_and_test": sum(twin.across for twin in self.twins),
            "with_different_labels": sum(twin.contradicts for twin in self.twins),
            "duplicates": [asdict(twin) for twin in self.twins[:1000]],
            "unreadable": self.unreadable,
        }

    def plot(self) -> Figure:
        """Balance, mean images and twins as a figure."""
        from handlens import plots

        shown = self.twins[: len(self.pictures)]
        titles = [
            tuple(f"{split} {place}: {label}" for (split, place), label in zip(twin.places, twin.classes, strict=True)) for twin in shown
        ]
        return plots.plot_inspection(self.classes, self.counts, self.means, self.pictures, titles)

    def __repr__(self) -> str:
        return "\n".join(self.sentences())


def inspect(data: Dataset, *, near: float = NEAR, shown: int = 12, unreadable: dict[str, str] | None = None) -> Inspection:
    """Look for what is odd in a data set.

    Args:
        data: the data set, all its splits.
        near: two images count as nearly equal if the correlation of their pixels is at least this.
        shown: of how many twins the images are kept, to be shown.
        unreadable: files that could not be read when it was imported, to be mentioned.

    Raises:
        UsageError: `near` is no correlation.
    """
    if not 0.5 <= near <= 1:
        raise UsageError(f"The correlation of near duplicates cannot be {near}.", hint="It is 0.5 to 1; 0.985 is usual.")
    images = np.concatenate([split.images.cpu().numpy() for split in data.splits.values()])
    exact = duplicates.exact(images)
    alike = duplicates.near(images, near) if len(images) else []
    labelled = _Places(data)
    found = Inspection(
        name=data.name,
        classes=data.classes,
        counts={name: split.counts for name, split in data.splits.items()},
        means=mean_images(data),
        exact=tuple(labelled.twin(pair) for pair in exact),
        near=tuple(labelled.twin(pair) for pair in alike),
        least=near,
        pictures=np.zeros((0, 2, *data.image_shape), np.uint8),
        unreadable=unreadable or {},
    )
    return labelled.with_pictures(found, images, shown)


def mean_images(data: Dataset) -> NDArray[np.uint8]:
    """The mean of each class's training images: K,C,H,W `uint8`; black where there are none."""
    images, labels = data.train.images.cpu().numpy(), data.train.labels.cpu().numpy()
    means = np.zeros((len(data.classes), *data.image_shape), np.uint8)
    for label in np.unique(labels):
        means[label] = np.rint(images[labels == label].mean(axis=0))
    return means


class _Places:
    """From the place of an image among all of a data set to its split and its place in that."""

    def __init__(self, data: Dataset) -> None:
        self.classes = data.classes
        self.labels = np.concatenate([split.labels.cpu().numpy() for split in data.splits.values()])
        self.names = list(data.splits)
        self.starts = np.cumsum([0, *(len(split) for split in data.splits.values())])

    def twin(self, pair: Pair) -> Twin:
        """The pair, with splits and classes."""
        first, second = (self.classes[self.labels[place]] for place in (pair.first, pair.second))
        return Twin((self._place(pair.first), self._place(pair.second)), (first, second), round(pair.correlation, 6))

    def _place(self, place: int) -> tuple[str, int]:
        split = int(np.searchsorted(self.starts, place, side="right")) - 1
        return self.names[split], place - int(self.starts[split])

    def with_pictures(self, found: Inspection, images: NDArray[np.uint8], shown: int) -> Inspection:
        """The inspection with the images of its first twins."""
        chosen = [[int(self.starts[self.names.index(split)]) + place for split, place in twin.places] for twin in found.twins[:shown]]
        return replace(found, pictures=images[np.array(chosen, np.int64)]) if chosen else found
