"""`handlens sweep`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlens.cli.terminal import FILE, json_option
from handlens.cli.train import knob_options, resolve
from handlens.config import FIELDS, make_config
from handlens.errors import ConfigError, UsageError
from handlens.files import printable, read_bytes
from handlens.presets import PRESETS

if TYPE_CHECKING:
    from handlens.sweep import Spec

_MOST_BYTES = 1 << 16


@click.command()
@click.argument("words", nargs=-1, metavar="[PRESET|session-grid] [KNOB=VALUES ...]")
@knob_options
@click.option("--grid", is_flag=True, help="Train at every combination of the values; this is what is done if nothing else is said.")
@click.option("--random", type=click.IntRange(1), metavar="N", help="Train at N points drawn at random.")
@click.option("--tpe", type=click.IntRange(1), metavar="N", help="Train at N points that optuna's TPE chooses from what it has seen.")
@click.option("--space", type=FILE, metavar="FILE.toml", help="Take axes from [axes] and knobs from [base] of a file.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=1, metavar="N", help="Train each point with so many seeds.  [1]")
@click.option(
    "--prune",
    is_flag=False,
    flag_value="rungs",
    type=click.Choice(["rungs", "asha"]),
    metavar="[rungs|asha]",
    help="End the worse two thirds after 1, ..., a ninth, a third of the epochs (successive halving); asha: no trial waits for others. "
    "Behind the axes.",
)
@click.option("--workers", default="auto", metavar="N|auto", help="Trials at a time; auto: as many as the processors carry.  [auto]")
@click.option("--backend", type=click.Choice(["local", "ray"]), default="local", help="Who gives out the trials.  [local]")
@click.option("--address", default="", metavar="auto|ADDRESS", help="Of a Ray cluster; without it Ray is started on this machine.")
@click.option("--gpus", type=click.FloatRange(0, 64), metavar="N", help="Cards a trial takes on Ray; 0.25: four share one.  [1 for cuda]")
@click.option(
    "--patience-s", type=click.FloatRange(1), default=3600.0, metavar="S", help="A trial with no epoch for so long fails.  [3600]"
)
@click.option("--name", metavar="NAME", help="What the sweep is called; without it a name is found.")
@click.option("--resume", metavar="NAME", help="Go on with a sweep that was interrupted.")
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed before, each from its last epoch; with --resume.")
@json_option
def sweep(words: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Train a network at many points: KNOB=VALUES is an axis, such as lr=0.1,0.01 or hidden_sizes=128-64,256-128 or dropout=0..0.5.

    session-grid is the session's second homework: lr 0.1, 0.01, 0.001, 0.0001 by width 64, 128, 256, 512 by depth 1, 2, 3, 4.

    Every trial is an ordinary run; a sweep that was interrupted goes on with --resume.
    """
    knobs = {name: value for name, value in options.items() if name in FIELDS and value is not None}
    if options["resume"]:
        others = any(options[one] for one in ("space", "random", "tpe", "grid", "prune", "name"))
        if words or knobs or others or options["seeds"] != 1:
            raise UsageError("A resumed sweep keeps its own axes and knobs.", hint=f"handlens sweep --resume {options['resume']}")
        spec = None
    else:
        spec = _spec(words, knobs, options)
    from handlens.cli.sweeping import run

    return run(spec, options, as_json)


def _spec(words: tuple[str, ...], knobs: dict[str, Any], options: dict[str, Any]) -> Spec:
    from handlens.sweep import GRIDS, make_spec

    preset, grid, axes = _sort(words, [*GRIDS])
    base, axes_of_file = _read_space(options["space"]) if options["space"] else ({}, {})
    axes = {**(GRIDS[grid] if grid else {}), **axes_of_file, **axes}
    both = [name for name in axes if name in knobs and not (name in ("width", "depth") and "model" in axes)]
    if both:
        raise UsageError(f"{both[0]} is given twice: as an axis and as --{both[0].replace('_', '-')}.", hint="Leave out one of them.")
    config, _ = resolve(preset, None, {**base, **knobs})
    return make_spec(config, axes, _search(options), options["seeds"], options["prune"] or False)


def _sort(words: tuple[str, ...], grids: list[str]) -> tuple[str | None, str | None, dict[str, object]]:
    """The preset, the grid that has a name, and the axes, among the words."""
    names = [word for word in words if "=" not in word]
    presets, known = [word for word in names if word not in grids], [word for word in names if word in grids]
    if len(presets) > 1 or len(known) > 1:
        raise UsageError(f"A sweep has one preset, and here are {len(names)}: {' '.join(map(printable, names))}.", hint=_hint())
    if presets and presets[0] not in PRESETS:
        raise UsageError(f"'{printable(presets[0])}' is no preset, no grid with a name, and no axis.", hint=_hint())
    axes: dict[str, object] = {}
    for word in words:
        name, equals, values = word.partition("=")
        if equals and name.replace("-", "_") in axes:
            raise UsageError(f"The axis {printable(name)} is given twice.", hint=f"All its values stand in one word: {printable(name)}=1,2")
        if equals:
            axes[name.replace("-", "_")] = values
    return next(iter(presets), None), next(iter(known), None), axes


def _hint() -> str:
    return "An axis looks like: lr=0.1,0.01. Presets: handlens train --list; grids with a name: session-grid."


def _search(options: dict[str, Any]) -> str:
    chosen = [f"{name} {options[name]}" for name in ("random", "tpe") if options[name]] + ["grid"] * options["grid"]
    if len(chosen) > 1:
        raise UsageError("--grid, --random and --tpe exclude each other.")
    return chosen[0] if chosen else "grid"


def _read_space(path: Path) -> tuple[dict[str, Any], dict[str, object]]:
    """The knobs and the axes in a TOML file.

    Raises:
        ConfigError: it is no TOML, or has something else in it.
        FileError: it cannot be read.
    """
    try:
        content = tomllib.loads(read_bytes(path, _MOST_BYTES).decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"This is no TOML: {printable(str(error))}.", where=str(path)) from error
    base, axes = content.pop("base", {}), content.pop("axes", {})
    if content or not isinstance(base, dict) or not isinstance(axes, dict):
        raise ConfigError("The file of a space has two tables, [base] and [axes].", where=str(path), hint="[axes]\n  lr = [0.1, 0.01]")
    make_config(base)
    return base, axes
