"""`Config`: every knob of a training, once, with its reason.

The same fields are the options of `handlens train`, the lines of a TOML file, the JSON of a run, and the form of the lab.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OWN = "own:"
"""What the `model` or `data` of a config begins with when it was given as an object, and no name leads back to it."""

GROUPS = {"data": "Data", "model": "Network", "epochs": "Learning", "device": "Machine"}
"""What knobs are about, by the first of each group: the others stand behind it."""


def _knob(default: Any, title: str, reason: str, **limits: Any) -> Any:
    """A field: its value where nobody says another, what it is called in words, why one would turn it, and what it can be."""
    return Field(default, title=title, description=reason, **limits)


class Config(BaseModel):
    """What a training does. Two configs that are equal give equal weights, bit for bit, on the same machine and versions."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)

    data: str = _knob("mnist", "data set", "The data set: a name of `handlens data ls`. MNIST is small enough to learn on in seconds.")
    with_data: str = _knob(
        "",
        "also learn from",
        "Learn from this data set's training images too: mine for your own digits. Few are repeated, up to a tenth.",
    )
    examples: int = _knob(
        0, "images to learn from", "Train on so many images only, equally many of each class as far as there are; 0: on all.", ge=0
    )
    augment: Literal["none", "light", "robust", "photo", "handwriting"] = _knob(
        "none",
        "augmentation",
        "Change each training image at random: light turns and moves it, robust also bends it, photo also flips it, "
        "handwriting does to digits what other people's hands and cameras do.",
    )
    shift: int = _knob(
        0, "random shift", "Move each image by up to so many pixels, at random: a whole epoch at once, so cheap.", ge=0, le=8
    )
    mixup: float = _knob(0.0, "mixup", "Blend images, and their labels, in pairs; 0.2 a little, 1 much, 0 never.", ge=0, le=10)
    cutmix: float = _knob(0.0, "cutmix", "Put a piece of another image into each, and mix the labels; 1 is usual, 0 never.", ge=0, le=10)
    class_weights: bool = _knob(
        False, "class weights", "Let rare classes count more in the loss, so that each class counts as much as another."
    )
    model: str = _knob("mlp", "network", "The network: softmax, mlp, cnn, resnet, efficientnet, or your own class as FILE.py:Class.")
    hidden_sizes: tuple[int, ...] = _knob(
        (128, 64), "hidden layers", "Units in each hidden layer. More units can learn more, cost more time, and overfit sooner."
    )
    channels: tuple[int, ...] = _knob(
        (32, 64), "filters (CNN)", "Filters in each block of a CNN: one number a block. Each block halves the image."
    )
    kernel_size: tuple[int, ...] = _knob(
        (3,), "filter size (CNN)", "Height and width of a CNN's filters: one number for all blocks, or one each."
    )
    padding: tuple[Literal["same", "none"], ...] = _knob(
        ("same",),
        "padding (CNN)",
        "Of a CNN: a black rim around the image, so that a convolution keeps its size; or none. One word, or one each.",
    )
    pooling: tuple[Literal["max", "average", "stride", "early"], ...] = _knob(
        ("max",), "pooling (CNN)", "How a CNN's block halves the image: one word for all, or one each. `early`: max, before batch norm."
    )
    depth: int = _knob(
        8, "depth (ResNet)", "Layers of a ResNet: 8, 14, 20, 26, ... Deeper can learn more, and takes longer.", ge=8, le=1202
    )
    width: int = _knob(
        16, "width (ResNet)", "Channels of a ResNet's first stage; the next ones have 2 and 4 times as many.", ge=1, le=1 << 12
    )
    resize: int = _knob(
        96,
        "image size (EfficientNet)",
        "Height and width at which EfficientNet looks at its images: 32, 64, 96, ... Larger: better, slower.",
        ge=32,
        le=1024,
    )
    activation: Literal["relu", "leaky-relu", "gelu", "tanh", "sigmoid"] = _knob(
        "relu", "activation", "What stands between two layers; without it many layers could do no more than one. ReLU trains fastest."
    )
    batch_norm: bool = _knob(False, "batch norm", "Normalise each unit over the batch: allows larger steps, and steadies deep networks.")
    dropout: float = _knob(0.0, "dropout", "Share of units silenced at random while training: a remedy for overfitting.", ge=0, lt=1)
    normalize: bool = _knob(
        False, "normalise pixels", "Shift and scale the pixels to mean 0 and spread 1 inside the network: a little faster to learn."
    )
    init_from: str = _knob(
        "",
        "first weights from",
        "Begin with a run's weights, or with imagenet's; on other data all but the last layer. Empty: random ones.",
    )
    freeze: bool = _knob(
        False,
        "freeze weights",
        "Keep the weights taken from elsewhere; only the last layer and new ones learn. Without init_from: only the last.",
    )
    epochs: int = _knob(5, "epochs", "How often each training image is seen. MNIST is nearly learned after five.", ge=1, le=100_000)
    epoch_part: float = _knob(
        1.0,
        "share of an epoch",
        "Share of the images that an epoch takes; the next one goes on where it ended. 0.8: less than all, once.",
        gt=0,
        le=1,
    )
    batch_size: int = _knob(
        64,
        "batch size",
        "Images a step. Small: many noisy steps. Large: fewer and steadier, and quicker an epoch.",
        ge=1,
        le=1 << 20,
    )
    lr: float = _knob(1e-3, "learning rate", "The size of a step. Too large: the loss jumps; too small: it creeps. 0.001 suits Adam.", gt=0)
    optimizer: Literal["sgd", "adam", "adamw", "muon"] = _knob(
        "adam", "optimizer", "How a step is made from gradients. Adam adapts the step of each weight and forgives a poor lr."
    )
    momentum: float = _knob(0.9, "momentum (SGD)", "Of SGD only: the share of the last step that goes on into this one.", ge=0, lt=1)
    beta2: float = _knob(
        0.999,
        "memory (Adam)",
        "Of Adam: the share of the gradients' squares that stays at each step. 0.99 suits short trainings.",
        ge=0,
        lt=1,
    )
    weight_decay: float = _knob(
        0.0, "weight decay", "How strongly weights are pulled to zero at each step: a remedy for overfitting.", ge=0
    )
    label_smoothing: float = _knob(
        0.0, "label smoothing", "Share of each label given to all classes: keeps the network less sure.", ge=0, lt=1
    )
    accumulate: int = _knob(1, "batches a step", "Batches for one step: a large batch in the memory of a small one.", ge=1, le=1 << 16)
    clip: float = _knob(0.0, "gradient clipping", "Shorten the gradient to this length if it is longer: no leaps. 0: never.", ge=0)
    ema: float = _knob(
        0.0, "weight averaging", "Use weights averaged over the last steps, 0.99 over about 100 of them. 0: the last.", ge=0, lt=1
    )
    schedule: Literal["none", "step", "cosine", "one-cycle", "triangular"] = _knob(
        "none", "learning rate schedule", "How lr changes on the way. Smaller steps at the end settle the weights."
    )
    val: float = _knob(
        0.1,
        "share for validation",
        "Share of the training images kept apart to watch and choose by: the test set is for the end.",
        ge=0,
        lt=1,
    )
    patience: int = _knob(0, "patience", "Stop after so many epochs with no better validation loss, and use the best; 0: never.", ge=0)
    seed: int = _knob(
        42, "random seed", "Decides first weights, order and dropout: the same seed gives the same network.", ge=0, lt=1 << 63
    )
    device: str = _knob("auto", "device", "auto, cpu, cuda, cuda:1, mps. `auto` takes an NVIDIA card if there is one.")
    precision: Literal["auto", "float32", "bfloat16"] = _knob(
        "float32",
        "number format",
        "Numbers to calculate in: bfloat16 where little is lost by it; `auto`: if processor or card has instructions for it.",
    )
    channels_last: bool = _knob(
        False, "channels last in memory", "Keep the channels of a pixel together in memory: convolutions may be faster."
    )
    threads: int = _knob(
        0,
        "processor threads",
        "Processor threads; 0: one for a small network, else up to four. It decides the last bits.",
        ge=0,
        le=1024,
    )

    @field_validator("hidden_sizes", "channels", "kernel_size", "padding", "pooling", mode="before")
    @classmethod
    def _split_sizes(cls, value: object) -> object:
        """`128,64` on the command line, `128-64` in a sweep, `[128, 64]` in a file, 128 for one layer."""
        if isinstance(value, str):
            return tuple(part for part in re.sub(r"(?<=\w)\s*-", ",", value).split(",") if part.strip())
        return (value,) if isinstance(value, int) else value

    @field_validator("hidden_sizes", "channels", "kernel_size")
    @classmethod
    def _check_sizes(cls, sizes: tuple[int, ...]) -> tuple[int, ...]:
        if len(sizes) > 100 or any(not 1 <= size <= 1 << 16 for size in sizes):
            raise ValueError("each number is from 1 to 65,536, and there are at most 100 of them")
        return sizes

    @model_validator(mode="before")
    @classmethod
    def _read_older(cls, knobs: Any) -> Any:
        """Runs of before 0.2 say `amp`, and mean the precision."""
        if isinstance(knobs, dict) and "amp" in knobs:
            knobs = {
                "precision": "bfloat16" if knobs["amp"] else "float32",
                **{name: knob for name, knob in knobs.items() if name != "amp"},
            }
        return knobs

    def changes(self) -> dict[str, Any]:
        """The knobs that are not at their default."""
        return {name: value for name, value in self.model_dump().items() if value != FIELDS[name].default}


FIELDS = Config.model_fields


def grouped() -> dict[str, list[str]]:
    """The knobs by what they are about, in their order."""
    found: dict[str, list[str]] = {}
    heading = ""
    for name in FIELDS:
        heading = GROUPS.get(name, heading)
        found.setdefault(heading, []).append(name)
    return found
