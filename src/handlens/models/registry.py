"""The networks by name, from the simplest up. To add one: a class, and one line in `MODELS` and in `KNOBS`."""

from __future__ import annotations

from collections.abc import Callable
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

MODEL_KNOBS = {"normalize", *(knob for knobs in KNOBS.values() for knob in knobs)}


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
    return MODEL_KNOBS - {"normalize", *KNOBS[name]} if name in KNOBS else MODEL_KNOBS
