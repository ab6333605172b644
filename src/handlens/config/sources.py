"""Where the value of a knob comes from: its default, a preset, a file, an option; and what is said of one that cannot be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handlens.config.knobs import FIELDS, Config
from handlens.errors import ConfigError, FileError, nearest
from handlens.files import printable, read_bytes
from handlens.presets import preset_knobs

_MOST_BYTES = 1 << 14  # the reader of TOML takes seconds for a key of many parts


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
