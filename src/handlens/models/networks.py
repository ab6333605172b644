"""The networks, from the simplest up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn

from handlens import seeds
from handlens.errors import ModelError, nearest
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
        ModelError: a size below 1, a dropout outside [0, 1), an unknown activation.
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
        if activation not in ACTIVATIONS:
            raise ModelError(f"There is no activation '{activation}'.", hint=nearest(activation, ACTIVATIONS))
        if any(size < 1 for size in hidden_sizes):
            raise ModelError(f"A layer cannot have {min(hidden_sizes)} units.", hint="hidden_sizes are whole numbers from 1.")
        if not 0 <= dropout < 1:
            raise ModelError(f"A dropout of {dropout} is not possible.", hint="It is the share of units silenced: from 0 to below 1.")

        def make(task: Task) -> nn.Sequential:
            layers: list[nn.Module] = [nn.Flatten()]
            width = _pixels(task)
            for size in hidden_sizes:
                layers.append(nn.Linear(width, size))
                if batch_norm:
                    layers.append(nn.BatchNorm1d(size))
                layers.append(ACTIVATIONS[activation]())
                if dropout:
                    layers.append(nn.Dropout(dropout))
                width = size
            return nn.Sequential(*layers, nn.Linear(width, task["num_classes"]))

        options = {"hidden_sizes": tuple(hidden_sizes), "activation": activation, "batch_norm": batch_norm, "dropout": dropout}
        super().__init__(options, task, make)


def _pixels(task: Task) -> int:
    return task["in_channels"] * task["image_size"] ** 2


def _check_task(task: Task) -> None:
    for name, value in task.items():
        if name not in Task.__annotations__:
            raise ModelError(f"A network has no knob '{name}'.", hint=nearest(name, Task.__annotations__))
        if name in ("in_channels", "image_size", "num_classes", "std") and not value > 0:  # type: ignore[operator]
            raise ModelError(f"{name} is {value}.", hint="It must be greater than 0.")


def build(name: str, **options: Any) -> Classifier:
    """Make a network of `MODELS` by its name; options that it does not have are left out.

    Raises:
        ModelError: no such network, or an option that it cannot have.
    """
    if name not in MODELS:
        raise ModelError(f"There is no model '{name}'.", hint=nearest(name, MODELS) + " Your own class: --model FILE.py:Class.")
    own = KNOBS[name]
    return MODELS[name](**{key: value for key, value in options.items() if key in own or key in Task.__annotations__})


MODELS: dict[str, Callable[..., Classifier]] = {
    "softmax": SoftmaxRegression,
    "mlp": MLP,
}

KNOBS: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "mlp": ("hidden_sizes", "activation", "batch_norm", "dropout"),
}

MODEL_KNOBS = {"normalize", *(knob for knobs in KNOBS.values() for knob in knobs)}


def idle_knobs(name: str) -> set[str]:
    """The knobs of networks that a network of this name has not; one of your own has none of them."""
    return MODEL_KNOBS - {"normalize", *KNOBS[name]} if name in KNOBS else MODEL_KNOBS
