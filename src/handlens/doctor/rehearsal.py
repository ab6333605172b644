"""A training as it should be, short: where the loop is not in doubt, what is seen comes from the network, the loss and the images."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

import torch
from torch import Tensor, nn

from handlens.errors import UsageError

_EPOCHS = 10
_MOST_TESTED = 20
_PAIRS = "Batches of two are needed: for images, labels in loader. With others, put the training itself under: with hl.doctor():"


@dataclass(frozen=True)
class Rehearsal:
    """What a training is made of.

    Attributes:
        model: the network.
        loss_fn: what it gives for scores and labels is made small.
        optimizer: holds the network's weights.
        train_loader: images and labels to learn from, batch by batch.
        test_loader: the same to test on; None to test nothing.
    """

    model: nn.Module
    loss_fn: Callable[[Any, Any], Tensor]
    optimizer: torch.optim.Optimizer
    train_loader: Iterable[Any]
    test_loader: Iterable[Any] | None = None

    def run(self, steps: int, seconds: float) -> None:
        """Train for so many steps or seconds, or epochs, whatever comes first, and test.

        Raises:
            UsageError: a loader gives no batches, or none of images and labels, or only once.
        """
        until = time.perf_counter() + seconds
        self.model.train()
        for images, labels in itertools.islice(_pairs("train_loader", self.train_loader, _EPOCHS), steps):
            if isinstance(self.optimizer, torch.optim.LBFGS):
                self._step_of_several(images, labels)
            else:
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
        if self.test_loader is not None:
            for images, _labels in itertools.islice(_pairs("test_loader", self.test_loader), _MOST_TESTED):
                self.model(images)

    def _step_of_several(self, images: Any, labels: Any) -> None:
        """A step of an optimizer that asks for the loss again and again."""

        def loss() -> Tensor:
            self.optimizer.zero_grad()
            value = self.loss_fn(self.model(images), labels)
            value.backward()
            return value

        self.optimizer.step(loss)  # type: ignore[arg-type]  # a tensor does too

    @classmethod
    def code(cls) -> list[CodeType]:
        """The functions that stand in place of the learner's own."""
        return [cls.run.__code__, cls.test.__code__, cls._step_of_several.__code__]


def _pairs(name: str, loader: Iterable[Any], epochs: int = 1) -> Iterator[tuple[Any, Any]]:
    """Images and labels, batch by batch, for so many epochs."""
    if isinstance(loader, Iterator):
        raise UsageError(f"{name} can be gone through only once.", hint="Give a DataLoader, or a list of batches: list(...).")
    if not isinstance(loader, Iterable) or isinstance(loader, Tensor | dict):
        raise UsageError(f"{name} is {_what(loader)}, and gives no batches.", hint=_PAIRS)
    batch = None
    for batch in itertools.chain.from_iterable(itertools.repeat(loader, epochs)):
        if not isinstance(batch, list | tuple) or len(batch) != 2:
            raise UsageError(f"A batch of {name} is {_what(batch)}.", hint=_PAIRS)
        yield batch[0], batch[1]
    if batch is None:
        raise UsageError(
            f"{name} gives no batch.", hint="Look at how many images its data set has, and whether drop_last takes the only batch."
        )


def _what(one: object) -> str:
    if isinstance(one, Tensor):
        return f"a tensor of shape {tuple(one.shape)}"
    if isinstance(one, dict):
        return f"a dict with {', '.join(map(str, list(one)[:5]))}"
    return f"a {type(one).__name__}" + (f" of {len(one)}" if isinstance(one, list | tuple) else "")
