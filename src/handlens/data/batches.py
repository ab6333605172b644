"""Batches from tensors in memory: no worker processes, no work for each single image."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from handlens import seeds
from handlens.data.augment import Change
from handlens.data.dataset import Split
from handlens.data.distort import move
from handlens.errors import UsageError


@dataclass
class Batches:
    """What `batches` returns: one pass over it is one epoch, in an order that depends on `(seed, epoch)` alone.

    Each new `for` goes on to the next epoch, as with a `DataLoader`; `set_epoch(n)` chooses it, as in PyTorch's `DistributedSampler`.

    Attributes:
        split, batch_size, seed, shuffle, change: see `batches`.
        part: the share of the images that one epoch takes; the next one goes on where it ended, so that all come equally often.
        shift: each image is moved by up to so many pixels along each side. Done to the bytes of a whole epoch at once, it costs little.
        epoch: the one that comes next.
    """

    split: Split
    batch_size: int
    seed: int
    shuffle: bool = True
    change: Change | None = None
    part: float = 1.0
    shift: int = 0
    epoch: int = 0

    def __len__(self) -> int:
        return math.ceil(self.size / self.batch_size)

    @property
    def size(self) -> int:
        """Images in an epoch."""
        return max(1, round(self.part * len(self.split))) if len(self.split) else 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose order the next `for` takes."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = self.split.images, self.split.labels
        if self.shuffle or self.part < 1:
            # One gather an epoch, of bytes, is far cheaper than one a batch, of floats.
            chosen = self._chosen().to(images.device)
            images, labels = images.index_select(0, chosen), labels.index_select(0, chosen)
        if self.shift:
            images = move(images, self.shift, seeds.generator("shift", self.seed, self.epoch))
        generator = seeds.generator("augment", self.seed, self.epoch)
        self.epoch += 1
        for start in range(0, len(labels), self.batch_size):
            some = slice(start, start + self.batch_size)
            batch = images[some].div(255), labels[some]
            yield self.change(*batch, generator) if self.change else batch

    def _chosen(self) -> Tensor:
        """The images of this epoch: a stretch of one pass over all of them after another."""
        count, size = len(self.split), self.size
        first = self.epoch * size
        passes = range(first // count, (first + size - 1) // count + 1) if size else range(0)
        row = [order(count, self.seed, number) if self.shuffle else torch.arange(count) for number in passes]
        return torch.cat([torch.empty(0, dtype=torch.int64), *row])[first % max(1, count) :][:size]


def order(count: int, seed: int, epoch: int) -> Tensor:
    """The order in which `count` images come in one epoch: `int64` of that length, a pure function of its arguments."""
    return torch.randperm(count, generator=seeds.generator("order", seed, epoch))


def batches(
    split: Split,
    batch_size: int = 64,
    *,
    seed: int = 42,
    shuffle: bool = True,
    device: str | torch.device = "cpu",
    change: Change | None = None,
) -> Batches:
    """Batches of a split for an ordinary `for`: images as `float32` N,C,H,W in [0, 1], labels as `int64` N.

    Args:
        split: the images and labels.
        batch_size: images in a batch; the last one of an epoch may be smaller.
        seed: decides the order, and what `change` draws, together with the number of the epoch.
        shuffle: False takes the images as they lie.
        device: where the batches are made; the whole split is moved there once.
        change: what is done to each batch, as `augment.make_change` gives it; its labels may be probabilities N,K.

    Raises:
        UsageError: the batch size is not positive.
    """
    if batch_size < 1:
        raise UsageError(f"The batch size is {batch_size}.", hint="It must be 1 or more.")
    return Batches(split.to(device), batch_size, seed, shuffle, change)
