"""Demonstrations of the mistakes: the lines of each, the right ones, and what either gives, on a few made-up images."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from dataclasses import dataclass

import torch

_WIDEST = 100  # letters of what a demo gives
NAMES = "images, labels: 200 made-up pictures of ten kinds. net() makes a network for them, learn(model) trains it."
_BEGIN = """
import copy, io, math, random, warnings
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset

kinds = F.interpolate(torch.rand(10, 1, 7, 7), (28, 28)) * (torch.rand(10, 1, 28, 28) < 0.5)
labels, test_labels = torch.arange(200) % 10, torch.arange(100) % 10
images, test_images = ((kinds[of] + 0.3 * torch.randn(len(of), 1, 28, 28)).clamp(0, 1) for of in (labels, test_labels))
loader = DataLoader(TensorDataset(images, labels), 50)
loss_fn = nn.CrossEntropyLoss()


def net():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))


def learn(model, x=images, y=labels, lr=0.1, steps=30, loss_fn=loss_fn, make=torch.optim.SGD, **knobs):
    optimizer = make([one for one in model.parameters() if one.requires_grad], lr=lr, **knobs)
    losses = []
    for step in range(steps):
        rows = [(50 * step + number) % len(x) for number in range(50)]
        optimizer.zero_grad()
        loss = loss_fn(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}")


@torch.no_grad()
def accuracy(model, x=test_images, y=test_labels):
    return (model(x).argmax(1) == y).float().mean().item()
"""


@dataclass(frozen=True)
class Demo:
    """A mistake in lines of code.

    Attributes:
        text: the lines; those that begin with `-` are the mistake, those with `+` stand in their place when it is right.
    """

    text: str

    @property
    def wrong(self) -> str:
        """The lines with the mistake."""
        return self._without("+")

    @property
    def right(self) -> str:
        """The lines without it."""
        return self._without("-")

    def _without(self, sign: str) -> str:
        return "".join(f"{line[2:]}\n" for line in self.text.splitlines() if line[:1] != sign)


def outcome(code: str) -> str:
    """What lines of a demo print, or the exception they end with; random numbers of the caller go on as they were."""
    names: dict[str, object] = {}
    printed, before = io.StringIO(), random.getstate()
    with torch.random.fork_rng(), contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.manual_seed(0)
        random.seed(0)
        try:
            exec(compile(_BEGIN, "<demo>", "exec"), names)
            exec(compile(code, "<demo>", "exec"), names)
        except Exception as error:  # that is what is to be seen
            print(f"{type(error).__name__}: {error}".splitlines()[0][:_WIDEST])
    random.setstate(before)
    return printed.getvalue() + "".join(f"{one.category.__name__}: {one.message}"[:_WIDEST] + "\n" for one in caught)
