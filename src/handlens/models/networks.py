"""What all networks have in common, and those without convolutions, from the simplest up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn

from handlens import seeds
from handlens.errors import ModelError, nearest
from handlens.models.checks import check_share, check_sizes, check_word
from handlens.models.use import to_float

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Task(TypedDict, total=False):
    """What a network must fit, whatever it is made of; every network takes these as keywords.

    `in_channels` (1), `image_size` (28: height and width), `num_classes` (10), `mean` (0.0) and `std` (1.0) of the pixels in [0, 1], which
    are taken off and divided by, and `seed` for the first weights (None: PyTorch's own random state decides).
    """

    in_channels: int
    image_size: int
    num_classes: int
    mean: float
    std: float
    seed: int | None


class Classifier(nn.Module):
    """Images in, logits out: what all networks here have in common.

    Attributes:
        layers: the network itself, from normalised images to logits.
        options: the keywords that make the same network again, without the seed.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, options: Mapping[str, Any], task: Task, make: Callable[[Task], nn.Sequential]) -> None:
        super().__init__()
        task = {"in_channels": 1, "image_size": 28, "num_classes": 10, "mean": 0.0, "std": 1.0, "seed": None, **task}
        _check_task(task)
        seed = task.pop("seed")
        self.options = {**options, **task}
        self.normalized = (task["mean"], task["std"]) != (0.0, 1.0)
        self.register_buffer("mean", torch.tensor(task["mean"]))
        self.register_buffer("std", torch.tensor(task["std"]))
        with seeds.seeded("weights", seed) if seed is not None else contextlib.nullcontext():
            self.layers = make(task)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N,K of images N,C,H,W."""
        images = to_float(images)
        if self.normalized:
            images = (images - self.mean) / self.std
        logits: Tensor = self.layers(images)
        return logits


class SoftmaxRegression(Classifier):
    """One linear layer: each class has a picture of weights, laid over the image. No hidden layer; the simplest network there is."""

    def __init__(self, **task: Unpack[Task]) -> None:
        def make(task: Task) -> nn.Sequential:
            return nn.Sequential(nn.Flatten(), nn.Linear(_pixels(task), task["num_classes"]))

        super().__init__({}, task, make)


class MLP(Classifier):
    """Fully connected layers with an activation between them: the session's network with `hidden_sizes=(128, 64)`.

    Args:
        hidden_sizes: units in each hidden layer; as many layers as numbers.
        activation: a key of `ACTIVATIONS`.
        batch_norm: normalise each unit over the batch, before the activation (Ioffe and Szegedy 2015).
        dropout: share of hidden units that are silenced at random while training (Srivastava et al. 2014).
        task: see `Task`.

    Raises:
        ModelError: sizes that are no whole numbers from 1, a dropout outside [0, 1), an unknown activation.
    """

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (128, 64),
        *,
        activation: str = "relu",
        batch_norm: bool = False,
        dropout: float = 0.0,
        **task: Unpack[Task],
    ) -> None:
        check_word("activation", activation, ACTIVATIONS)
        check_sizes("hidden_sizes", hidden_sizes)
        check_share("dropout", dropout)

        def make(task: Task) -> nn.Sequential:
            return nn.Sequential(nn.Flatten(), *dense(_pixels(task), hidden_sizes, task["num_classes"], activation, batch_norm, dropout))

        options = {"hidden_sizes": tuple(hidden_sizes), "activation": activation, "batch_norm": batch_norm, "dropout": dropout}
        super().__init__(options, task, make)


def dense(
    width: int, hidden_sizes: Sequence[int], num_classes: int, activation: str, batch_norm: bool = False, dropout: float = 0.0
) -> Iterator[nn.Module]:
    """Fully connected layers from `width` numbers to `num_classes` logits, with the hidden ones in between."""
    for size in hidden_sizes:
        yield nn.Linear(width, size)
        if batch_norm:
            yield nn.BatchNorm1d(size)
        yield ACTIVATIONS[activation]()
        if dropout:
            yield nn.Dropout(dropout)
        width = size
    yield nn.Linear(width, num_classes)


def _pixels(task: Task) -> int:
    return task["in_channels"] * task["image_size"] ** 2


_COUNTS = ("in_channels", "image_size", "num_classes")


def _check_task(task: Task) -> None:
    for name, value in task.items():
        if name not in Task.__annotations__:
            raise ModelError(f"A network has no knob '{name}'.", hint=nearest(name, Task.__annotations__))
        if not isinstance(value, Integral if name in _COUNTS else Real) and name != "seed":
            raise ModelError(f"{name} cannot be {value!r}.", hint=f"It is a {'whole ' if name in _COUNTS else ''}number.")
        if name in (*_COUNTS, "std") and not value > 0:  # type: ignore[operator]
            raise ModelError(f"{name} is {value}.", hint="It must be greater than 0.")
