"""Configs that have a name: what each is for, and the knobs that it sets."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from handlens.errors import ConfigError, nearest
from handlens.files import printable

IMAGENET = "imagenet"
"""The `init_from` that is no run: weights learned on ImageNet."""


class Preset(BaseModel):
    """A named config: what it is for, and the knobs that it sets."""

    purpose: str
    knobs: dict[str, Any] = {}


_QUICKLY: dict[str, Any] = {
    "optimizer": "adamw",
    "lr": 0.01,
    "beta2": 0.99,
    "schedule": "triangular",
    "label_smoothing": 0.1,
    "precision": "auto",
}
"""Large steps that become smaller in time, for trainings of a few hundred or thousand."""

_SMALL_BLOCKS: dict[str, Any] = {
    "model": "cnn",
    "channels": (16, 32, 64),
    "kernel_size": (5, 3, 3),
    "padding": ("none", "same", "same"),
    "pooling": ("stride", "early", "early"),
    "hidden_sizes": (),
    "batch_norm": True,
    "channels_last": True,
    "batch_size": 128,
    "weight_decay": 0.01,
}
"""Convolutions that halve the image at once, and whatever follows them on a quarter of the pixels."""

PRESETS: dict[str, Preset] = {
    "session": Preset(purpose="the session's first network: 784-128-64-10, ReLU, Adam, 5 epochs"),
    "softmax": Preset(purpose="no hidden layer: the simplest network; its weights are pictures", knobs={"model": "softmax"}),
    "mlp": Preset(
        purpose="a wider network with what helps: normalised pixels, dropout, AdamW, one-cycle",
        knobs={
            "hidden_sizes": (512, 256),
            "normalize": True,
            "dropout": 0.2,
            "epochs": 10,
            "batch_size": 128,
            "optimizer": "adamw",
            "lr": 2e-3,
            "weight_decay": 0.01,
            "schedule": "one-cycle",
        },
    ),
    "cnn-small": Preset(
        purpose="a small convolutional network: few weights, quickly trained",
        knobs={"model": "cnn", "channels": (8, 16), "hidden_sizes": (), "epochs": 3, "lr": 3e-3, "schedule": "one-cycle"},
    ),
    "cnn": Preset(
        purpose="the session's convolutional network: 32 and 64 filters of 3x3, then 128 units; 99.3 % on MNIST",
        knobs={"model": "cnn", "hidden_sizes": (128,), "epochs": 5, "schedule": "one-cycle", "lr": 2e-3, "dropout": 0.3},
    ),
    "resnet": Preset(
        purpose="a residual network, the next session's subject: blocks that add to their input",
        knobs={
            "model": "resnet",
            "epochs": 3,
            "batch_size": 128,
            "optimizer": "adamw",
            "lr": 5e-3,
            "weight_decay": 0.05,
            "schedule": "one-cycle",
        },
    ),
    "efficientnet": Preset(
        purpose="for few photographs: weights learned on ImageNet, of which only the last layer learns anew",
        knobs={
            "model": "efficientnet",
            "init_from": IMAGENET,
            "freeze": True,
            "epochs": 5,
            "batch_size": 32,
            "lr": 5e-3,
            "schedule": "one-cycle",
        },
    ),
    "fast-mlp": Preset(
        purpose="98 % on MNIST in a second or two: one wide layer, little more than two passes over the images in large steps",
        knobs={
            "hidden_sizes": (256,),
            **_QUICKLY,
            "weight_decay": 0.05,
            "epochs": 3,
            "epoch_part": 0.75,
            "batch_size": 192,
        },
    ),
    "fast-cnn": Preset(
        purpose="99 % on MNIST in a few seconds: three small blocks, most images seen once",
        knobs={**_SMALL_BLOCKS, **_QUICKLY, "epochs": 1, "epoch_part": 0.8},
    ),
    "cnn-strong": Preset(
        purpose="nearly the same network and 99.5 % in about four times that: each image moved by a pixel at random",
        knobs={**_SMALL_BLOCKS, **_QUICKLY, "padding": ("same",), "label_smoothing": 0.05, "shift": 1, "epochs": 3, "epoch_part": 0.9333},
    ),
    "record": Preset(
        purpose="wider blocks, and images turned, moved and scaled: the slowest of the fast ones, and the most accurate",
        knobs={
            **_SMALL_BLOCKS,
            **_QUICKLY,
            "channels": (24, 48, 96),
            "kernel_size": (3,),
            "pooling": ("early",),
            "augment": "light",
            "epochs": 10,
        },
    ),
    "fashion": Preset(
        purpose="for --data fashion-mnist: still wider blocks, each image moved by a pixel, and Muon's steps; seven passes",
        knobs={
            **_SMALL_BLOCKS,
            **_QUICKLY,
            "channels": (32, 64, 128),
            "kernel_size": (3,),
            "pooling": ("early",),
            "optimizer": "muon",
            "shift": 1,
            "epochs": 7,
        },
    ),
    "handwriting": Preset(
        purpose="for digits that people draw, photograph and scan: a small CNN, much changed images; see `handlens.data.drawing`",
        knobs={
            "augment": "handwriting",
            "model": "cnn",
            "channels": (24, 48, 96),
            "kernel_size": (5, 3, 3),
            "pooling": "stride",
            "hidden_sizes": (),
            "batch_norm": True,
            "epochs": 24,
            "batch_size": 128,
            "optimizer": "adamw",
            "lr": 5e-3,
            "weight_decay": 0.02,
            "schedule": "one-cycle",
            "label_smoothing": 0.05,
            "threads": 1,
        },
    ),
}


def preset_knobs(name: str) -> dict[str, Any]:
    """The knobs that a preset sets.

    Raises:
        ConfigError: no such preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset '{printable(name)}'.", hint=nearest(name, PRESETS) + " See: handlens train --list")
    return PRESETS[name].knobs
