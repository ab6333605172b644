"""What a sweep goes through: axes, and the points where they meet."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator

from handlens.config import FIELDS, Config, make_config
from handlens.errors import ConfigError, nearest
from handlens.files import printable

Point = dict[str, Any]
SHAPE = ("width", "depth")
"""Of an mlp, which has `hidden_sizes`: so many hidden layers of so many units each."""

_MOST_VALUES = 1000
_LOG_FROM = 100  # a range whose end is so many times its beginning is searched by factors, not by differences


class Axis(BaseModel):
    """One knob, and what it may be: some values, or a range of numbers.

    Attributes:
        name: a field of the config; `width` and `depth` also of an mlp.
        values: the choices, as the config takes them; empty for a range.
        low, high: the ends of a range, both included.
        whole: only whole numbers.
        scale: how a range is searched: by differences (`linear`), by factors (`log`), or as its ends suggest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    scale: Literal["", "linear", "log"] = ""

    @field_validator("values")
    @classmethod
    def _as_in_a_config(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """JSON has lists where a config has tuples."""
        return tuple(tuple(value) if isinstance(value, list) else value for value in values)

    @property
    def log(self) -> bool:
        """Whether a range is searched by factors: as `scale` says, or because its end is 100 times its beginning."""
        return self.scale == "log" or (not self.scale and 0 < self.low * _LOG_FROM <= self.high)

    def draw(self, random: np.random.Generator) -> Any:
        """One value at random; of a range with three digits, which is what people read and write."""
        if self.values:
            return self.values[int(random.integers(len(self.values)))]
        if self.log:
            return self.rounded(math.exp(random.uniform(math.log(self.low), math.log(self.high + self.whole))))
        return self.rounded(random.uniform(self.low, self.high + self.whole * (1 - 1e-9)))

    def rounded(self, value: float) -> float | int:
        """The value as a knob has it."""
        return min(int(value), int(self.high)) if self.whole else min(max(float(f"{value:.3g}"), self.low), self.high)


def make_axis(name: str, wanted: object, base: Config) -> Axis:
    """An axis from what a user gave: a list of values, `0.1,0.01`, or a range, `0.0001..0.1` or `0.01..0.1:log`.

    Raises:
        ConfigError: there is no such knob, or it cannot have one of these values.
    """
    if name not in FIELDS:
        raise ConfigError(f"There is no knob '{printable(name)}'.", hint=nearest(name, FIELDS))
    if isinstance(wanted, str) and ".." in wanted and name not in ("data", "with_data", "model", "init_from"):
        return _range(name, wanted, base)
    parts: Sequence[object] = wanted.split(",") if isinstance(wanted, str) else wanted if isinstance(wanted, list | tuple) else [wanted]
    values = list(dict.fromkeys(_value(name, part, base) for part in parts))
    if not 0 < len(values) <= _MOST_VALUES:
        raise ConfigError(f"{name} has {len(values)} values; an axis has 1 to {_MOST_VALUES:,}.")
    return Axis(name=name, values=tuple(values))


def _value(name: str, part: object, base: Config) -> Any:
    """The value as the config has it, read by the config itself."""
    if is_shape(name, base.model):
        size = make_config({"hidden_sizes": part}).hidden_sizes  # whole numbers from 1 to 65,536
        if len(size) != 1 or (name == "depth" and size[0] > 100):
            raise ConfigError(f"{name} cannot be {printable(str(part))}: it is a whole number, and an mlp has at most 100 hidden layers.")
        return size[0]
    return getattr(make_config({name: part}), name)


def _range(name: str, wanted: str, base: Config) -> Axis:
    numbers, _, scale = wanted.partition(":")
    low, _, high = numbers.partition("..")
    ends = [_value(name, end.strip(), base) for end in (low, high)]
    if not all(type(end) in (int, float) for end in ends) or not ends[0] < ends[1]:
        raise ConfigError(f"{name} cannot go from {printable(low)} to {printable(high)}.", hint="A range is two numbers: lr=0.0001..0.1")
    if scale not in ("", "linear", "log") or (scale == "log" and ends[0] <= 0):
        hint = "Behind the range stands :log or :linear; by factors a range begins above 0."
        raise ConfigError(f"{name} cannot be searched from {low} to {high} as '{printable(scale)}'.", hint=hint)
    return Axis(name=name, low=ends[0], high=ends[1], whole=isinstance(ends[0], int), scale=scale)


def is_shape(name: str, model: str) -> bool:
    """Whether the axis means the shape of an mlp, not a knob of its own."""
    return name in SHAPE and model == "mlp"


def knobs_of(point: Mapping[str, Any], base: Config) -> dict[str, Any]:
    """The knobs that a point sets; `width` and `depth` of an mlp are its `hidden_sizes`."""
    model = point.get("model", base.model)
    shape = {name: value for name, value in point.items() if is_shape(name, model)}
    knobs = {name: value for name, value in point.items() if name not in shape}
    if shape:
        width = shape.get("width", (base.hidden_sizes or (128,))[0])
        knobs["hidden_sizes"] = (width,) * shape.get("depth", len(base.hidden_sizes) or 1)
    return knobs


def grid(axes: Sequence[Axis]) -> list[Point]:
    """Every combination, the last axis the quickest.

    Raises:
        ConfigError: a range has no values to combine.
    """
    for axis in axes:
        if not axis.values:
            raise ConfigError(
                f"A grid needs values of {axis.name}, and this is a range.",
                hint='Use --random 20 (in Python search="random 20"), or write the values.',
            )
    names = [axis.name for axis in axes]
    return [dict(zip(names, values, strict=True)) for values in itertools.product(*(axis.values for axis in axes))]


def random_points(axes: Sequence[Axis], count: int, seed: int) -> list[Point]:
    """So many different points, each a pure function of the seed and its number; fewer if there are no more."""
    found: dict[str, Point] = {}
    for point in itertools.islice(_draws(axes, seed), 100 * count):
        found.setdefault(repr(point), point)
        if len(found) == count:
            break
    return list(found.values())


def _draws(axes: Sequence[Axis], seed: int) -> Iterator[Point]:
    for number in itertools.count():
        random = np.random.default_rng([seed, number])
        yield {axis.name: axis.draw(random) for axis in axes}
