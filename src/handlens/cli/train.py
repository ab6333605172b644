"""`handlens train`: a network from its config, and everything one wants to see of it."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from handlens import config as configs
from handlens.cli.terminal import FILE, json_option, print_json, show_table
from handlens.config import FIELDS, Config
from handlens.errors import UsageError
from handlens.presets import PRESETS

_SHORTER = {"with_data": ("--with",)}


def knob_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each field of the config, with its reason as the help."""
    for name, field in reversed(FIELDS.items()):
        flag = "--" + name.replace("_", "-")
        shorter = _SHORTER.get(name, ())
        help_ = f"{field.description}  [{_shown(field.default)}]"
        if field.annotation is bool:
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=help_)
        else:
            option = click.option(*shorter, flag, name, metavar=_metavar(field.annotation), help=help_)
        function = option(function)
    return function


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _metavar(annotation: object) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return "|".join(typing.get_args(annotation))
    return {int: "N", float: "X"}.get(annotation, _several(annotation))  # type: ignore[call-overload,no-any-return]


def _several(annotation: object) -> str:
    """Numbers with commas between them, or words, or a name."""
    first = (*typing.get_args(annotation), None)[0]
    if typing.get_origin(annotation) is not tuple:
        return "NAME"
    return "N,N,..." if first is int else f"{_metavar(first)},..."


@click.command()
@click.argument("presets", nargs=-1, metavar="[PRESET]")
@knob_options
@click.option("--config", "file", type=FILE, metavar="FILE.toml", help="Take knobs from a TOML file.")
@click.option("--name", metavar="NAME", help="What the run is called; without it a name is found.")
@click.option("--note", metavar="TEXT", help="A remark that is kept with the run.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted.")
@click.option("--checkpoint", type=click.Choice(["last", "previous"]), help="With --resume: from which checkpoint.  [last]")
@click.option("--list", "list_presets", is_flag=True, help="List the presets and end.")
@click.option("--print-config", is_flag=True, help="Print each knob, its value and where that comes from, and end.")
@click.option("--dry-run", is_flag=True, help="Look at data, network and a few steps; write nothing.")
@click.option("--overfit-one-batch", is_flag=True, help="Can the network learn one batch by heart? If not, something is not right.")
@json_option
def train(presets: tuple[str, ...], file: Path | None, as_json: bool, **options: Any) -> int:
    """Train a network and keep the run.

    PRESET is a name of `handlens train --list`; any option changes one knob of it.

    A knob's value comes from the last of these that sets it: default, PRESET, --config, option.
    """
    knobs = {name: value for name, value in options.items() if name in FIELDS and value is not None}
    if options["list_presets"]:
        return _list_presets(as_json)
    preset = only_preset(presets)
    if options["resume"]:
        if preset or file or set(knobs) - {"model"}:
            raise UsageError("A resumed training keeps its own config.", hint="Leave out the other knobs, or begin a new training.")
        return _resume(options, as_json)
    if options["checkpoint"]:
        raise UsageError(
            "--checkpoint goes with --resume: a new training has none.", hint="handlens train --resume RUN --checkpoint previous"
        )
    config, sources = resolve(preset, file, knobs)
    if options["print_config"]:
        return _print_config(config, sources, as_json)
    from handlens.cli import training

    if options["dry_run"]:
        return training.dry_run(config, options["name"], as_json)
    if options["overfit_one_batch"]:
        return training.overfit_one_batch(config, as_json)
    return training.train_new(config, options["name"], options["note"] or "", as_json)


def resolve(preset: str | None, file: Path | None, options: dict[str, Any]) -> tuple[Config, dict[str, str]]:
    """The config, and where each value comes from (`config.resolve`), with the network of another run if its weights are taken.

    Raises:
        RunNotFound: there is no such run.
        ModelError, ConfigError: its network is another one; or a file or option gives a knob that the network or optimizer has not.
    """
    config, sources = configs.resolve(preset, file, options, _network_of)
    given = {name: source for name, source in sources.items() if source in ("option", f"file {file}")}
    if given:
        configs.check_given(config, given)
    return config, sources


def _network_of(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("init_from"):
        return {}
    from handlens.transfer import network_of

    return network_of(given)


def only_preset(presets: tuple[str, ...]) -> str | None:
    """The preset, of which there is at most one; sizes written as two words look like others."""
    if number := next((word for word in presets if word.isdecimal()), ""):
        hint = "Sizes are one word, with commas and without blanks: --hidden-sizes 256,128"
        raise UsageError(f"'{number}' is no preset.", hint=hint)
    if len(presets) > 1:
        raise UsageError(f"A training has one preset, and here are {len(presets)}: {' '.join(presets)}.", hint="See: handlens train --list")
    return presets[0] if presets else None


def _decided(config: Config) -> list[str]:
    """The knobs of which the config decides; what a network of your own is like, its file does."""
    if ":" not in config.model:
        return list(FIELDS)
    from handlens.models import idle_knobs

    return [name for name in FIELDS if name not in idle_knobs(config.model)]


def _list_presets(as_json: bool) -> int:
    rows = [(name, configs.make_config(preset.knobs), preset.purpose) for name, preset in PRESETS.items()]
    if as_json:
        print_json([{"name": name, "purpose": purpose, "config": config.model_dump()} for name, config, purpose in rows])
        return 0
    columns = {"preset": "left", "network": "left", "epochs": "right", "optimizer": "left", "what it is for": "left"}
    show_table(columns, [(name, _network(config), config.epochs, config.optimizer, purpose) for name, config, purpose in rows])
    return 0


def _network(config: Config) -> str:
    sizes = "-".join(map(str, config.hidden_sizes))
    return f"{config.model} {sizes}" if config.model == "mlp" else config.model


def _print_config(config: Config, sources: dict[str, str], as_json: bool) -> int:
    values = config.model_dump(mode="json")
    if as_json:
        print_json({name: {"value": values[name], "from": sources[name]} for name in _decided(config)})
    else:
        rows = [(name, _shown(getattr(config, name)), sources[name]) for name in _decided(config)]
        show_table({"knob": "left", "value": "left", "from": "left"}, rows)
    return 0


def _resume(options: dict[str, Any], as_json: bool) -> int:
    run = options["resume"]
    for option, verb in (("name", "rename"), ("note", "note")):
        if options[option] is not None:
            raise UsageError(f"--{option} is for a new training.", hint=f"A run that is there: handlens runs {verb} {run} ...")
    from handlens.cli import training

    return training.resume(run, options["checkpoint"] or "last", options["model"], as_json)
