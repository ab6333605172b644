"""`sweep.json`: what a sweep tries. It is written once; all else is in the folders of the trials."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handlens import files
from handlens.config import Config, check_given, make_config
from handlens.errors import ConfigError, FileError, RunDamaged, UsageError
from handlens.sweep.space import Axis, Point, grid, knobs_of, make_axis, random_points
from handlens.transfer import network_of

FILE = "sweep.json"
_MOST_BYTES = 1 << 22
_MOST_TRIALS = 100_000
_MOST_CHECKED = 1_000  # points whose knobs are tried before anything is written
ETA = 3  # of the points that reach a rung, one in so many goes on (Jamieson and Talwalkar 2016; Li et al. 2018)

GRIDS: dict[str, dict[str, str]] = {"session-grid": {"lr": "0.1,0.01,0.001,0.0001", "width": "64,128,256,512", "depth": "1,2,3,4"}}
"""The grids that have a name: the session's second homework."""


@dataclass(frozen=True)
class TrialName:
    """Which trial: the number of its point, from 1, and its seed."""

    number: int
    seed: int

    def __str__(self) -> str:
        return f"{self.number:04d}-{self.seed}"


class Spec(BaseModel):
    """What a sweep tries.

    Attributes:
        base: every knob that is no axis.
        axes: the knobs that differ.
        method: every point of the grid, points at random, or points that optuna's TPE asks for.
        count: how many points, if it is no grid.
        seeds: each point is trained once with each.
        rungs: the epochs after which the worse points end; without any, all are trained to the end.
        asynchronous: whether a point leaves a rung as soon as it is among the best of those that came so far, or waits for all others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: Config
    axes: tuple[Axis, ...] = Field(min_length=1)
    method: Literal["grid", "random", "tpe"] = "grid"
    count: int = 0
    seeds: tuple[int, ...] = Field(min_length=1)
    rungs: tuple[int, ...] = ()
    asynchronous: bool = False

    def points(self) -> list[Point]:
        """The points that are known beforehand: none of TPE."""
        if self.method == "tpe":
            return []
        return grid(self.axes) if self.method == "grid" else random_points(self.axes, self.count, self.base.seed)

    def config(self, point: Mapping[str, Any], seed: int) -> Config:
        """The config of one trial; it computes with one thread unless the sweep says otherwise, so that every engine gives the same bits.

        Raises:
            ConfigError: the knobs do not go together.
        """
        threads = {"threads": self.base.threads or 1}
        given = knobs_of(point, self.base)
        return make_config({**self.base.model_dump(), **threads, **network_of(given), **given, "seed": seed})


def make_spec(base: Config, axes: Mapping[str, object], search: str, seeds: int, prune: bool | str) -> Spec:
    """What a user asked for.

    Args:
        base: every knob that is no axis.
        axes: for each knob that differs, what `make_axis` takes.
        search: `grid`, `random N`, or `tpe N`.
        seeds: how many for each point, counted up from the config's.
        prune: successive halving, in steps of three: True or `rungs`, where each rung waits for all its trials, or `asha`, where none does.

    Raises:
        ConfigError: an axis cannot be what it should be.
        UsageError: these do not go together.
    """
    method, count = _read_search(search)
    if method == "tpe":
        check_optuna()
    if not axes:
        raise UsageError("A sweep needs at least one axis.", hint="handlens sweep lr=0.1,0.01 hidden_sizes=128-64,256-128")
    _check_together(axes, method, seeds, prune)
    made = tuple(make_axis(name, wanted, base) for name, wanted in axes.items())
    numbers = tuple(range(base.seed, base.seed + seeds))
    rungs, asynchronous = _rungs(base.epochs) if prune else (), prune == "asha"
    spec = Spec(base=base, axes=made, method=method, count=count, seeds=numbers, rungs=rungs, asynchronous=asynchronous)
    points = spec.points()
    if len(points) * seeds > _MOST_TRIALS:
        raise UsageError(f"{len(points) * seeds:,} trials are more than {_MOST_TRIALS:,}.", hint="Take fewer values, or --random 100.")
    if not base.val or any(axis.name == "val" and 0 in axis.values for axis in made):
        raise UsageError("A sweep chooses its winner on validation images, and --val 0 keeps none apart.", hint="--val 0.1 keeps a tenth.")
    for point in points[:_MOST_CHECKED]:
        check_given(spec.config(point, base.seed), knobs_of(point, base))
    return spec


def check_optuna() -> None:
    """Whether optuna can be asked.

    Raises:
        UsageError: it is not installed.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UsageError("--tpe needs optuna, which is not installed.", hint='pip install "handlens[sweep]"')


def _read_search(search: str) -> tuple[Literal["grid", "random", "tpe"], int]:
    match search.split():
        case ["grid"]:
            return "grid", 0
        case [("random" | "tpe") as method, number] if number.isdecimal() and 0 < int(number) <= _MOST_TRIALS:
            return method, int(number)
    raise UsageError(f"'{search}' is no way to search.", hint="It is: grid, random 20, or tpe 20.")


def _check_together(axes: Mapping[str, object], method: str, seeds: int, prune: bool | str) -> None:
    if not 0 < seeds <= 1000:
        raise UsageError("A sweep has 1 to 1,000 seeds for each point.")
    if prune not in (False, True, "rungs", "asha"):
        raise UsageError(f"'{prune}' is no way to prune.", hint="It is: rungs, or asha.")
    if prune and method == "tpe":
        raise UsageError("--prune goes with a grid or with --random.", hint="TPE learns from trials that were trained to the end.")
    if prune and "epochs" in axes:
        raise UsageError("--prune compares trials after the same number of epochs, so epochs cannot be an axis.")
    if "threads" in axes:
        raise UsageError(
            "threads is no axis: how many trials run at a time is reckoned from it.", hint="All trials have the same: --threads 2"
        )
    if "seed" in axes:
        raise UsageError("seed is no axis.", hint="Each point is trained with several seeds: --seeds 3")
    if "hidden_sizes" in axes and {"width", "depth"} & {*axes}:
        raise UsageError("hidden_sizes is what width and depth make: take the one or the other.")


def _rungs(epochs: int) -> tuple[int, ...]:
    """A third of the way, a ninth, and so on, down to the first epoch."""
    found: list[int] = []
    while epochs > 1:
        epochs = math.ceil(epochs / ETA)
        found.append(epochs)
    return tuple(reversed(found))


def survivors(count: int) -> int:
    """How many of so many points go on after a rung."""
    return math.ceil(count / ETA)


def read_spec(folder: Path) -> Spec:
    """The spec in a sweep's folder.

    Raises:
        RunDamaged: it is not there, or not what it should be.
    """
    try:
        return Spec.model_validate_json(files.read_bytes(folder / FILE, _MOST_BYTES))
    except (FileError, ValidationError, ConfigError, ValueError) as error:
        raise RunDamaged(f"'{FILE}' does not say what a sweep tries.", where=str(folder / FILE)) from error


def write_spec(folder: Path, spec: Spec) -> None:
    """Put it into a new folder."""
    files.write_atomic(folder / FILE, spec.model_dump_json(indent=2) + "\n")
