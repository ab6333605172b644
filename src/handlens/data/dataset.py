"""A data set is two or three splits; a split is two tensors."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from handlens import seeds
from handlens.data.say import images_in_words
from handlens.errors import DataDamaged, DataError, UsageError
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_SHOWN = 1000
_MOST_TIMES = 100
_ADDED = 0.1  # what images that were added are at least of an epoch: 70 own digits among 54,000 others would teach nothing


class Split(torch.utils.data.Dataset[tuple[Tensor, int]]):
    """Images and their labels, whole in memory (or memory-mapped from the cache).

    It is also an ordinary `torch.utils.data.Dataset`: `split[i]` is one image as `float32` C,H,W in [0, 1] and its label, what
    `ToTensor` gives, so that it fits any `DataLoader`.

    Attributes:
        images: `uint8` N,C,H,W.
        labels: `int64` N, in 0 .. number of classes - 1.
        classes: the name of each class.
        name: `train`, `val`, `test`, or what the user calls it.
        writers: `int64` N, a number for who wrote each image, where that is known (QMNIST): an honest split has no writer on both sides.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, classes: tuple[str, ...], name: str = "train", writers: Tensor | None = None
    ) -> None:
        if images.ndim == 3:
            images = images.unsqueeze(1)
        _check(images, labels, classes, name)
        self.images = images
        self.labels = labels.long()
        self.classes = classes
        self.name = name
        self.writers = writers

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.images[index].float() / 255, int(self.labels[index])

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def counts(self) -> list[int]:
        """How many images each class has."""
        return torch.bincount(self.labels, minlength=len(self.classes)).tolist()

    def subset(self, indices: Tensor, name: str | None = None) -> Split:
        """The images at `indices` (`int64`, any order), as a split of their own."""
        writers = None if self.writers is None else self.writers[indices]
        return Split(self.images.index_select(0, indices), self.labels[indices], self.classes, name or self.name, writers)

    def joined(self, other: Split) -> Split:
        """The images of both, under the name of this one."""
        writers = None if self.writers is None or other.writers is None else torch.cat([self.writers, other.writers])
        return Split(torch.cat([self.images, other.images]), torch.cat([self.labels, other.labels]), self.classes, self.name, writers)

    def named(self, name: str) -> Split:
        """The same images under another name."""
        return Split(self.images, self.labels, self.classes, name, self.writers)

    def to(self, device: torch.device | str) -> Split:
        """The same split in the memory of `device`."""
        return Split(self.images.to(device), self.labels.to(device), self.classes, self.name, self.writers)

    def show(self, count: int = 16) -> Figure:
        """The first `count` images with their classes, as a figure.

        Raises:
            UsageError: fewer than one, or more than 1,000.
        """
        from handlens import plots

        if not 1 <= count <= _MOST_SHOWN:
            raise UsageError(f"{count} images cannot be shown.", hint=f"Choose from 1 to {_MOST_SHOWN:,}.")

        names = [self.classes[label] for label in self.labels[:count].tolist()]
        return plots.plot_samples(self.images[:count].cpu().numpy(), names)

    def __repr__(self) -> str:
        return f"Split({self.name}: {counted(len(self), 'image')} {_shape(self)}, {counted(len(self.classes), 'class', 'classes')})"


def _check(images: Tensor, labels: Tensor, classes: tuple[str, ...], name: str) -> None:
    """Refuse at once what would fail much later, with the numbers."""
    if images.ndim != 4 or images.dtype != torch.uint8:
        raise DataError(
            f"The {name} images are {str(images.dtype).removeprefix('torch.')} of shape {tuple(images.shape)}.",
            hint="They must be uint8 (0 to 255) of shape N,H,W or N,C,H,W. From [0, 1]: (images * 255).round().byte().",
        )
    if labels.ndim != 1 or labels.is_floating_point():
        raise DataError(
            f"The {name} labels are {str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)}.",
            hint="They must be whole numbers, one an image.",
        )
    if len(images) != len(labels):
        raise DataDamaged(f"The {name} split has {counted(len(images), 'image')} but {counted(len(labels), 'label')}.")
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(classes):
        low, high = int(labels.min()), int(labels.max())
        raise DataDamaged(
            f"The {name} labels go from {low} to {high}, but there are {len(classes)} classes.",
            hint=f"Labels must be 0 to {len(classes) - 1}" + (": subtract 1 (labels - 1)." if (low, high) == (1, len(classes)) else "."),
        )


@dataclass(frozen=True, repr=False)
class Dataset:
    """What a training needs: images to learn from, to choose by, and to be measured on once.

    Attributes:
        name: its name in the catalogue, or the user's.
        train: the images to learn from.
        val: the images to watch and choose by; empty when the validation share is 0.
        test: the images that are looked at once, at the end.
        ink: bright strokes on black, as in MNIST, so that own drawings are prepared the same way.
        added: how many images at the end of `train` were added from another data set; see `with_images`.
    """

    name: str
    train: Split
    val: Split
    test: Split
    ink: bool = False
    added: int = 0

    @property
    def classes(self) -> tuple[str, ...]:
        """The name of each class."""
        return self.train.classes

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of each image."""
        return self.train.image_shape

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "val": self.val, "test": self.test}

    def few(self, count: int) -> Dataset:
        """The same with at most `count` training images: equally many of each class as far as there are, the same ones each time.

        The images of a smaller number are among those of a larger one, so that what a curve over numbers shows is the number. Of 0, and of
        more than there are, all are left; and so are images that were added.
        """
        own = len(self.train) - self.added
        if not 0 < count < own:
            return self
        shuffled = torch.randperm(own, generator=seeds.generator("few examples"))
        labels = self.train.labels.cpu()[shuffled]
        turn = torch.empty(len(labels), dtype=torch.int64)  # the how-many-th of its class each image is
        for label in range(len(self.classes)):
            mine = labels == label
            turn[mine] = torch.arange(int(mine.sum()))
        chosen = shuffled[turn.argsort(stable=True)[:count]].sort().values
        return dataclasses.replace(self, train=self.train.subset(torch.cat([chosen, torch.arange(own, len(self.train))])))

    def with_images(self, other: Split) -> Dataset:
        """The same with more images to learn from, behind its own; what it is watched and tested by stays.

        Raises:
            DataError: they are of another shape, or of other classes.
        """
        if (other.image_shape, other.classes) != (self.image_shape, self.classes):
            raise DataError(
                f"{images_in_words(other.image_shape).capitalize()} of the classes {', '.join(other.classes)} cannot be "
                f"added to {self.name}: it has {images_in_words(self.image_shape)} of the classes {', '.join(self.classes)}.",
            )
        return dataclasses.replace(self, train=self.train.joined(other), added=len(other))

    @property
    def epoch(self) -> Split:
        """The images that one epoch of a training goes through: those to learn from; few that were added are repeated to be a tenth."""
        own = len(self.train) - self.added
        times = min(_MOST_TIMES, math.ceil(own * _ADDED / (1 - _ADDED) / self.added)) if self.added else 1
        if times <= 1:
            return self.train
        return self.train.subset(torch.cat([torch.arange(own), torch.arange(own, len(self.train)).repeat(times)]))

    @property
    def fingerprint(self) -> str:
        """It differs when others are learned from: of all training labels, the first thousand images, and all that were added."""
        shape = (tuple(self.train.images.shape), len(self.val))
        digest = hashlib.sha256(repr(shape).encode())
        digest.update(self.train.labels.cpu().numpy().tobytes())
        digest.update(self.train.images[:1000].cpu().numpy().tobytes())
        digest.update(self.train.images[len(self.train) - self.added :].cpu().numpy().tobytes())
        return digest.hexdigest()

    def show(self, count: int = 16) -> Figure:
        """The first `count` training images with their classes, as a figure."""
        return self.train.show(count)

    def describe(self) -> str:
        """A table in plain text: how many images each class has in each split."""
        width = max(len(name) for name in (*self.classes, "class"))
        lines = [f"{'class':<{width}}" + "".join(f"{name:>9}" for name in self.splits)]
        counts = [split.counts for split in self.splits.values()]
        lines += [f"{name:<{width}}" + "".join(f"{count[label]:>9,}" for count in counts) for label, name in enumerate(self.classes)]
        lines.append(f"{'all':<{width}}" + "".join(f"{len(split):>9,}" for split in self.splits.values()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(split):,} {name}" for name, split in self.splits.items())
        return f"Dataset({self.name}: {sizes}; images {_shape(self)}, {counted(len(self.classes), 'class', 'classes')})"

    def _repr_html_(self) -> str:
        from handlens import plots

        picture = plots.img_tag(self.show(16), alt=f"16 images of {self.name}", width=480)
        return f"<p><b>{html.escape(repr(self))}</b></p>{picture}<pre>{html.escape(self.describe())}</pre>"


def _shape(images: Split | Dataset) -> str:
    return "x".join(str(size) for size in images.image_shape)
