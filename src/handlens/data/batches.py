"""Batches from tensors in memory: no worker processes, no work for each single image."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from handlens import seeds
from handlens.data.augment import Change
from handlens.data.dataset import Split
from handlens.errors import UsageError


class Batches:
    """What `batches` returns: one pass over it is one epoch, in an order that depends on `(seed, epoch)` alone.

    Each new `for` goes on to the next epoch, as with a `DataLoader`; `set_epoch(n)` chooses it, as in PyTorch's `DistributedSampler`.
    """

    def __init__(self, split: Split, batch_size: int, seed: int, *, shuffle: bool = True, change: Change | None = None) -> None:
        self.split = split
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.change = change
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose order the next `for` takes."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = self.split.images, self.split.labels
        if self.shuffle:
            # One gather an epoch, of bytes, is far cheaper than one a batch, of floats.
            chosen = order(len(self.split), self.seed, self.epoch).to(images.device)
            images, labels = images.index_select(0, chosen), labels.index_select(0, chosen)
        generator = seeds.generator("augment", self.seed, self.epoch)
        self.epoch += 1
        for start in range(0, len(labels), self.batch_size):
            some = slice(start, start + self.batch_size)
            batch = images[some].div(255), labels[some]
            yield self.change(*batch, generator) if self.change else batch


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
    return Batches(split.to(device), batch_size, seed, shuffle=shuffle, change=change)
