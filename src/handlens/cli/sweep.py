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
_PRUNE = ["rungs", "asha"]


class _Sweep(click.Command):
    """A command whose --prune takes the next word only if that is one of its values: it may stand before a preset or an axis."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write --prune in full where it stands alone."""
        pairs = zip(args, [*args[1:], ""], strict=False)
        full = [f"{word}={_PRUNE[0]}" if word == "--prune" and after not in _PRUNE else word for word, after in pairs]
        return super().parse_args(ctx, full)


@click.command(cls=_Sweep)
@click.argument("words", nargs=-1, metavar="[PRESET|session-grid|SPACE.toml] [KNOB=VALUES ...]")
@knob_options
@click.option("--grid", is_flag=True, help="Train at every combination of the values; this is what is done if nothing else is said.")
@click.option("--random", type=click.IntRange(1), metavar="N", help="Train at N points drawn at random.")
@click.option("--tpe", type=click.IntRange(1), metavar="N", help="Train at N points that optuna's TPE chooses from what it has seen.")
@click.option("--space", type=FILE, metavar="FILE.toml", help="Take axes from [axes] and knobs from [base] of a file, as SPACE.toml does.")
@click.option("--seeds", type=click.IntRange(1, 1000), default=1, metavar="N", help="Train each point with so many seeds.  [1]")
@click.option(
    "--prune",
    type=click.Choice(_PRUNE),
    metavar="[rungs|asha]",
    help="Keep the better third of the points after 1, ..., a ninth and a third of the epochs (successive halving); asha: without waiting.",
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
@click.option("--dry-run", is_flag=True, help="List the points, and how many trainings they are; start nothing.")
@click.option("--retry-failed", is_flag=True, help="Try trials again that failed before, each from its last epoch; with --resume.")
@json_option
def sweep(words: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Train a network at many points: KNOB=VALUES is an axis, such as lr=0.1,0.01 or hidden_sizes=128-64,256-128 or dropout=0..0.5.

    session-grid is the session's second homework: lr 0.1, 0.01, 0.001, 0.0001 by width 64, 128, 256, 512 by depth 1, 2, 3, 4.

    Every trial is an ordinary run; a sweep that was interrupted goes on with --resume.
    """
    knobs = {name: value for name, value in options.items() if name in FIELDS and value is not None}
    if options["resume"]:
        if options["dry_run"]:
            raise UsageError("--dry-run is for a sweep that is to begin.", hint=f"What is left: handlens sweeps show {options['resume']}")
        others = any(options[one] for one in ("space", "random", "tpe", "grid", "prune", "name"))
        if words or knobs or others or options["seeds"] != 1:
            raise UsageError("A resumed sweep keeps its own axes and knobs.", hint=f"handlens sweep --resume {options['resume']}")
        spec = None
    else:
        spec = _spec(words, knobs, options)
    from handlens.cli import sweeping

    if spec and options["dry_run"]:
        return sweeping.list_points(spec, as_json)
    return sweeping.run(spec, options, as_json)


def _spec(words: tuple[str, ...], knobs: dict[str, Any], options: dict[str, Any]) -> Spec:
    from handlens.sweep import GRIDS, make_spec

    words, space = _space(words, options["space"])
    preset, grid, axes = _sort(words, [*GRIDS])
    base, axes_of_file = _read_space(space) if space else ({}, {})
    axes = {**(GRIDS[grid] if grid else {}), **axes_of_file, **axes}
    both = [name for name in axes if name in knobs and not (name in ("width", "depth") and "model" in axes)]
    if both:
        raise UsageError(f"{both[0]} is given twice: as an axis and as --{both[0].replace('_', '-')}.", hint="Leave out one of them.")
    config, _ = resolve(preset, None, {**base, **knobs})
    return make_spec(config, axes, _search(options), options["seeds"], options["prune"] or False)


def _space(words: tuple[str, ...], space: Path | None) -> tuple[tuple[str, ...], Path | None]:
    """The words without the file of a space, and that file, whether it was named by --space or is one of the words."""
    named = [word for word in words if "=" not in word and word.endswith(".toml")]
    found = [*filter(None, [space]), *(FILE.convert(word, None, None) for word in named)]
    if len(found) > 1:
        raise UsageError(f"A sweep has one file of a space, and here are {len(found)}.", hint="Put all axes into one [axes].")
    return tuple(word for word in words if word not in named), next(iter(found), None)


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
    return "An axis looks like: lr=0.1,0.01. Presets: handlens train --list; grids with a name: session-grid; a file of axes: SPACE.toml."


def _search(options: dict[str, Any]) -> str:
    chosen = [f"{name} {options[name]}" for name in ("random", "tpe") if options[name]] + ["grid"] * options["grid"]
    if len(chosen) > 1:
        raise UsageError("--grid, --random and --tpe exclude each other.")
    return chosen[0] if chosen else "grid"


def _read_space(path: Path) -> tuple[dict[str, Any], dict[str, object]]:
    """The knobs and the axes in a TOML file.

    Raises:
        ConfigError: it is no TOML, has something else in it, or knobs that do not exist or cannot have their value.
        FileError: it cannot be read.
    """
    try:
        content = tomllib.loads(read_bytes(path, _MOST_BYTES).decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"This is no TOML: {printable(str(error))}.", where=str(path)) from error
    base, axes = content.pop("base", {}), content.pop("axes", {})
    if content or not isinstance(base, dict) or not isinstance(axes, dict):
        raise ConfigError("The file of a space has two tables, [base] and [axes].", where=str(path), hint="[axes]\n  lr = [0.1, 0.01]")
    base, axes = ({name.replace("-", "_"): value for name, value in table.items()} for table in (base, axes))
    try:
        make_config(base)
    except ConfigError as error:
        raise ConfigError(error.what, where=str(path), hint=error.hint) from error
    return base, axes
