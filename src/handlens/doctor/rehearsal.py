"""A training as it should be, short: where the loop is not in doubt, what is seen comes from the network, the loss and the images."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_EPOCHS = 10
_MOST_TESTED = 20


@dataclass(frozen=True)
class Rehearsal:
    """What a training is made of.

    Attributes:
        model: the network.
        loss_fn: what it gives for scores and labels is made small.
        optimizer: holds the network's weights.
        batches: images and labels to learn from.
        tested: the same to test on, or none.
    """

    model: nn.Module
    loss_fn: Callable[[Any, Any], Tensor]
    optimizer: torch.optim.Optimizer
    batches: Iterable[Any]
    tested: Iterable[Any] = ()

    def run(self, steps: int, seconds: float) -> None:
        """Train for so many steps or seconds, or epochs, whatever comes first, and test."""
        until = time.perf_counter() + seconds
        self.model.train()
        for images, labels in itertools.islice(itertools.chain.from_iterable(itertools.repeat(self.batches, _EPOCHS)), steps):
            self.optimizer.zero_grad()
            self.loss_fn(self.model(images), labels).backward()
            self.optimizer.step()
            if time.perf_counter() > until:
                break
        self.test()

    @torch.no_grad()
    def test(self) -> None:
        """Ask it for what it is tested on."""
        self.model.eval()
        for images, _labels in itertools.islice(self.tested, _MOST_TESTED):
            self.model(images)
