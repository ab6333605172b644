"""Every knob of a training, once, with its reason.

The same fields are the options of `handlens train`, the lines of a TOML file, and the JSON of a run.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from handlens.errors import ConfigError, FileError, nearest
from handlens.files import printable, read_bytes
from handlens.presets import preset_knobs

OWN = "own:"
"""What the `model` or `data` of a config begins with when it was given as an object, and no name leads back to it."""


_MOST_BYTES = 1 << 14  # the reader of TOML takes seconds for a key of many parts


class Config(BaseModel):
    """What a training does. Two configs that are equal give equal weights, bit for bit, on the same machine and versions."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)

    data: str = Field("mnist", description="The data set: a name of `handlens data ls`. MNIST is small enough to learn on in seconds.")
    with_data: str = Field(
        "",
        description="Learn from this data set's training images too: mine for your own digits. Few are repeated, up to a tenth.",
    )
    examples: int = Field(0, ge=0, description="Train on so many images only, equally many of each class as far as there are; 0: on all.")
    augment: Literal["none", "light", "robust", "photo", "handwriting"] = Field(
        "none",
        description="Change each training image at random: light turns and moves it, robust also bends it, photo also flips it, "
        "handwriting does to digits what other people's hands and cameras do.",
    )
    shift: int = Field(0, ge=0, le=8, description="Move each image by up to so many pixels, at random: a whole epoch at once, so cheap.")
    mixup: float = Field(0.0, ge=0, le=10, description="Blend images, and their labels, in pairs; 0.2 a little, 1 much, 0 never.")
    cutmix: float = Field(0.0, ge=0, le=10, description="Put a piece of another image into each, and mix the labels; 1 is usual, 0 never.")
    class_weights: bool = Field(False, description="Let rare classes count more in the loss, so that each class counts as much as another.")
    model: str = Field("mlp", description="The network: softmax, mlp, cnn, resnet, efficientnet, or your own class as FILE.py:Class.")
    hidden_sizes: tuple[int, ...] = Field(
        (128, 64), description="Units in each hidden layer. More units can learn more, cost more time, and overfit sooner."
    )
    channels: tuple[int, ...] = Field(
        (32, 64), description="Filters in each block of a CNN: one number a block. Each block halves the image."
    )
    kernel_size: tuple[int, ...] = Field((3,), description="Height and width of a CNN's filters: one number for all blocks, or one each.")
    padding: tuple[Literal["same", "none"], ...] = Field(
        ("same",),
        description="Of a CNN: a black rim around the image, so that a convolution keeps its size; or none. One word, or one each.",
    )
    pooling: tuple[Literal["max", "average", "stride", "early"], ...] = Field(
        ("max",), description="How a CNN's block halves the image: one word for all, or one each. `early`: max, before batch norm."
    )
    depth: int = Field(8, ge=8, le=1202, description="Layers of a ResNet: 8, 14, 20, 26, ... Deeper can learn more, and takes longer.")
    width: int = Field(16, ge=1, le=1 << 12, description="Channels of a ResNet's first stage; the next ones have 2 and 4 times as many.")
    resize: int = Field(
        96,
        ge=32,
        le=1024,
        description="Height and width at which EfficientNet looks at its images: 32, 64, 96, ... Larger: better, slower.",
    )
    activation: Literal["relu", "leaky-relu", "gelu", "tanh", "sigmoid"] = Field(
        "relu", description="What stands between two layers; without it many layers could do no more than one. ReLU trains fastest."
    )
    batch_norm: bool = Field(False, description="Normalise each unit over the batch: allows larger steps, and steadies deep networks.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of units silenced at random while training: a remedy for overfitting.")
    normalize: bool = Field(
        False, description="Shift and scale the pixels to mean 0 and spread 1 inside the network: a little faster to learn."
    )
    init_from: str = Field(
        "",
        description="Begin with a run's weights, or with imagenet's; on other data all but the last layer. Empty: random ones.",
    )
    freeze: bool = Field(
        False,
        description="Keep the weights taken from elsewhere; only the last layer and new ones learn. Without init_from: only the last.",
    )
    epochs: int = Field(5, ge=1, le=100_000, description="How often each training image is seen. MNIST is nearly learned after five.")
    epoch_part: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the images that an epoch takes; the next one goes on where it ended. 0.8: less than all, once.",
    )
    batch_size: int = Field(
        64, ge=1, le=1 << 20, description="Images a step. Small: many noisy steps. Large: fewer and steadier, and quicker an epoch."
    )
    lr: float = Field(1e-3, gt=0, description="The size of a step. Too large: the loss jumps; too small: it creeps. 0.001 suits Adam.")
    optimizer: Literal["sgd", "adam", "adamw", "muon"] = Field(
        "adam", description="How a step is made from gradients. Adam adapts the step of each weight and forgives a poor lr."
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Of SGD only: the share of the last step that goes on into this one.")
    beta2: float = Field(
        0.999, ge=0, lt=1, description="Of Adam: the share of the gradients' squares that stays at each step. 0.99 suits short trainings."
    )
    weight_decay: float = Field(0.0, ge=0, description="How strongly weights are pulled to zero at each step: a remedy for overfitting.")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Share of each label given to all classes: keeps the network less sure.")
    accumulate: int = Field(1, ge=1, le=1 << 16, description="Batches for one step: a large batch in the memory of a small one.")
    clip: float = Field(0.0, ge=0, description="Shorten the gradient to this length if it is longer: no leaps. 0: never.")
    ema: float = Field(0.0, ge=0, lt=1, description="Use weights averaged over the last steps, 0.99 over about 100 of them. 0: the last.")
    schedule: Literal["none", "step", "cosine", "one-cycle", "triangular"] = Field(
        "none", description="How lr changes on the way. Smaller steps at the end settle the weights."
    )
    val: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the training images kept apart to watch and choose by: the test set is for the end.",
    )
    patience: int = Field(0, ge=0, description="Stop after so many epochs with no better validation loss, and use the best; 0: never.")
    seed: int = Field(42, ge=0, lt=1 << 63, description="Decides first weights, order and dropout: the same seed gives the same network.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps. `auto` takes an NVIDIA card if there is one.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "float32",
        description="Numbers to calculate in: bfloat16 where little is lost by it; `auto`: if processor or card has instructions for it.",
    )
    channels_last: bool = Field(False, description="Keep the channels of a pixel together in memory: convolutions may be faster.")
    threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="Processor threads; 0: one for a small network, else up to four. It decides the last bits.",
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


def make_config(knobs: Mapping[str, Any]) -> Config:
    """The config with these knobs, the rest at their defaults.

    Raises:
        ConfigError: a knob that does not exist, with the nearest one, or a value that it cannot have.
    """
    try:
        return Config.model_validate(dict(knobs))
    except ValidationError as error:
        raise _in_words(error) from error


def _in_words(error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False)[0]
    name = printable(str(first["loc"][0])) if first["loc"] else "config"
    if first["type"] == "extra_forbidden":
        return ConfigError(f"There is no knob '{name}'.", hint=nearest(name, FIELDS))
    reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    value = _shown(first["input"])
    return ConfigError(f"{name} cannot be {value}: {reason}.", hint=_advice(name, value) if name in FIELDS else "")


def _advice(name: str, value: str) -> str:
    """What was probably meant, for the slips that are common; else what the knob is."""
    if name in ("hidden_sizes", "channels", "kernel_size"):
        return "Write whole numbers with a comma between them, without blanks or brackets: 256,128."
    number = value.strip("'")
    if re.fullmatch(r"\d+,\d+", number):
        return f"Write a point in place of the comma: {number.replace(',', '.')}."
    share = any(getattr(limit, "lt", None) == 1 for limit in FIELDS[name].metadata)
    if share and re.fullmatch(r"\d{1,2}(\.\d+)?", number) and float(number) >= 1:
        return f"It is a share, from 0 to below 1: {number} % are {float(number) / 100:g}."
    return f"{name}: {FIELDS[name].description}"


def _shown(value: object) -> str:
    try:
        return printable(repr(value), 60)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of very many digits"


def read_toml(path: Path) -> dict[str, Any]:
    """The knobs in a TOML file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or has knobs that do not exist or cannot have their value.
    """
    try:
        content = read_bytes(path, _MOST_BYTES)
        knobs = tomllib.loads(content.decode())
        make_config(knobs)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"This is no TOML: {printable(str(error))}.", where=str(path), hint="A line looks like: lr = 0.01") from error
    except (ConfigError, FileError) as error:
        raise ConfigError(error.what, where=str(path), hint=error.hint) from error
    return knobs


def resolve(
    preset: str | None,
    file: Path | None,
    options: Mapping[str, Any],
    network_of: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _given: {},
) -> tuple[Config, dict[str, str]]:
    """The config from its sources, the later ones before the earlier: defaults, preset, the network of a run, file, options.

    Args:
        preset: its name.
        file: in TOML.
        options: the knobs that the user named.
        network_of: finds the knobs of the network whose weights are taken (`init_from`), from those in file and options.

    Returns:
        The config, and for each knob the name of the source of its value.

    Raises:
        ConfigError: see `make_config`, `preset_knobs` and `read_toml`.
    """
    base, read = preset_knobs(preset) if preset else {}, read_toml(file) if file else {}
    given = {**read, **options}
    start = given.get("init_from")
    known = {"model": base["model"]} if "model" in base else {}
    layers = [
        (f"preset {preset}", base),
        (f"weights of {start}" if isinstance(start, str) else "weights", network_of({**known, **given})),
        (f"file {file}", read),
        ("option", options),
    ]
    knobs: dict[str, Any] = {}
    sources = dict.fromkeys(FIELDS, "default")
    for source, values in layers:
        knobs.update(values)
        sources.update(dict.fromkeys(values, source))
    return make_config(knobs), sources


def check_given(config: Config, given: Mapping[str, Any]) -> None:
    """Whether the knobs that the user gave do something in this config.

    Raises:
        ModelError: the network has no such knob.
        ConfigError: the optimizer has none.
    """
    from handlens.models import check_knobs  # with torch, which a config does not need

    knobs = [name for name in config.changes() if name in given]
    check_knobs(config.model, knobs)
    idle = "beta2" if config.optimizer == "sgd" else "momentum"
    if idle in knobs:
        owner = "sgd" if idle == "momentum" else "adam"
        raise ConfigError(f"{idle} has no effect: {config.optimizer} has no such knob.", hint=f"It is one of the optimizer {owner}.")
