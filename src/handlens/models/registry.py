"""The networks by name, from the simplest up. To add one: a class, and one line in `MODELS` and in `KNOBS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from handlens.errors import ModelError, nearest
from handlens.models.cnn import CNN
from handlens.models.efficientnet import EfficientNetLite0
from handlens.models.networks import MLP, Classifier, SoftmaxRegression, Task
from handlens.models.resnet import ResNet

MODELS: dict[str, Callable[..., Classifier]] = {
    "softmax": SoftmaxRegression,
    "mlp": MLP,
    "cnn": CNN,
    "resnet": ResNet,
    "efficientnet": EfficientNetLite0,
}

KNOBS: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "mlp": ("hidden_sizes", "activation", "batch_norm", "dropout"),
    "cnn": ("channels", "kernel_size", "padding", "pooling", "hidden_sizes", "activation", "batch_norm", "dropout"),
    "resnet": ("depth", "width"),
    "efficientnet": ("resize",),
}

_ALL_KNOBS = {"normalize", *(knob for knobs in KNOBS.values() for knob in knobs)}


def build(name: str, **options: Any) -> Classifier:
    """Make a network of `MODELS` by its name; options that it does not have are left out.

    Raises:
        ModelError: no such network, or an option that it cannot have.
    """
    if name not in MODELS:
        raise ModelError(f"There is no model '{name}'.", hint=nearest(name, MODELS) + " Your own class: --model FILE.py:Class.")
    own = KNOBS[name]
    return MODELS[name](**{key: value for key, value in options.items() if key in own or key in Task.__annotations__})


def idle_knobs(name: str) -> set[str]:
    """The knobs of networks that a network of this name has not; one of your own has none of them."""
    return _ALL_KNOBS - {"normalize", *KNOBS[name]} if name in KNOBS else _ALL_KNOBS


def check_knobs(name: str, given: Iterable[str]) -> None:
    """Whether all of the given knobs that are about the network are knobs of the one of this name.

    Raises:
        ModelError: one is not; whoever wrote a network of their own has decided all that ours have knobs for.
    """
    idle = [knob for knob in given if knob in idle_knobs(name)]
    if idle and name in KNOBS:
        raise ModelError(f"{idle[0]} has no effect: {name} has no such knob.", hint=f"It has {', '.join((*KNOBS[name], 'normalize'))}.")
    if idle and ":" in name:
        raise ModelError(f"{idle[0]} has no effect: the network is there already.", hint="Give it to the network when you make it.")
