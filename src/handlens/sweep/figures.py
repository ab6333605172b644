"""The figures of a sweep, from its table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from handlens import plots
from handlens.sweep.findings import by_importance, in_words, main_effects, trends
from handlens.sweep.space import Axis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handlens.sweep.results import Results

_MOST_MAPS = 8
_APART = 0.08  # between the worst line and the best one through the same value, or a grid's lines would hide each other


def figures(sweep: Results) -> dict[str, Figure]:
    """Those that there is something for: heat maps of two or more knobs with choices, effects, ranges, lines through the knobs, curves."""
    found: dict[str, Figure] = {}
    scored = [row for row in sweep.table if row["val_accuracy"] is not None]
    if not scored:
        return found
    maps, row, column = heat_maps(sweep)
    if maps:
        found["heat_maps"] = plots.plot_heat_maps(maps, row, column, score=_score(sweep))
    if effects := main_effects(sweep):
        levels = {
            name: [plots.Level(in_words(one.value), one.mean, *one.interval) for one in effects[name]] for name in by_importance(effects)
        }
        found["effects"] = plots.plot_effects(levels, score=_score(sweep))
    if drawn_ranges := clouds(sweep):
        found["ranges"] = plots.plot_ranges(drawn_ranges, _best_place(sweep), score=_score(sweep))
    if len(scored) > 1:
        drawn = lines(sweep)
        found["parallel"] = plots.plot_parallel(drawn.places, drawn.ticks, drawn.scores)
    found["curves"] = _curves(sweep)
    return found


def _score(sweep: Results) -> str:
    return "validation accuracy" + (f" after epoch {sweep.compared_after}" if sweep.compared_after else "")


def heat_maps(sweep: Results) -> tuple[list[plots.HeatMap], str, str]:
    """Validation accuracy by two knobs, a map for each value of a third; and the names of the two. No map if fewer than two knobs tell.

    The two knobs that matter least span the maps, and there is one for each value of the knob that matters most; others are averaged. As
    long as nobody knows what matters, there are maps only where none is averaged.
    """
    names = by_importance(main_effects(sweep)) or _not_averaged(sweep)
    if len(names) < 2 or not sweep.compared:
        return [], "", ""
    values = {axis.name: axis.values for axis in sweep.trials.spec.axes}
    split = names[0] if len(names) > 2 and len(values[names[0]]) <= _MOST_MAPS else None
    row, column = [name for name in sweep.axes if name in names and name != split][:2]
    maps = []
    for value in values[split] if split else [None]:
        cells = np.full((len(values[row]), len(values[column])), math.nan)
        for place in np.ndindex(cells.shape):
            wanted = {row: values[row][place[0]], column: values[column][place[1]], **({split: value} if split else {})}
            found = [one["val_accuracy"] for one in sweep.compared if all(one[name] == wanted[name] for name in wanted)]
            cells[place] = sum(found) / len(found) if found else math.nan
        title = f"{split} {in_words(value)}" if split else _score(sweep).capitalize()
        maps.append(plots.HeatMap(title, [*map(in_words, values[row])], [*map(in_words, values[column])], cells))
    return maps, row, column


def clouds(sweep: Results) -> list[plots.Cloud]:
    """What the figure of ranges shows: for each knob that has one the accuracy of each point against it."""
    found = []
    for trend in trends(sweep):
        known = trend.correlation
        title = f"rank correlation {known.rho:.2f}" if known else ""
        ticks = [float(mark) for mark in _marks(trend.axis)]
        found.append(plots.Cloud(title, trend.axis.name, trend.values, trend.scores, ticks, trend.axis.log))
    return found


def _best_place(sweep: Results) -> int | None:
    """Where the winner stands among the points that are compared."""
    numbers = [row["point"] for row in sweep.compared]
    return numbers.index(sweep.best.number) if sweep.best and sweep.best.number in numbers else None


def _not_averaged(sweep: Results) -> list[str]:
    """The knobs of a sweep each of whose points has a cell of its own in heat maps; none if it is not such a sweep."""
    axes = sweep.trials.spec.axes
    several = [axis for axis in axes if len(axis.values) > 1]
    few = len(several) == 2 or (len(several) == 3 and len(several[0].values) <= _MOST_MAPS)
    return [axis.name for axis in several] if few and all(axis.values for axis in axes) else []


@dataclass(frozen=True)
class Lines:
    """Each point that has an accuracy as a line through its knobs.

    Attributes:
        points: the number of each.
        places: for each knob where each point's value stands, 0 to 1.
        ticks: for each knob the places that have a label.
        scores: the validation accuracy of each point.
    """

    points: list[int]
    places: dict[str, list[float]]
    ticks: dict[str, list[tuple[float, str]]]
    scores: list[float]


def lines(sweep: Results) -> Lines:
    """What parallel coordinates show."""
    rows = [row for row in sweep.table if row["val_accuracy"] is not None]
    scores = [row["val_accuracy"] for row in rows]
    apart = [_APART * (int(np.searchsorted(np.sort(scores), score)) / len(scores) - 0.5) for score in scores]
    places = {
        axis.name: [_place(axis, row[axis.name]) + bool(axis.values) * shift for row, shift in zip(rows, apart, strict=True)]
        for axis in sweep.trials.spec.axes
    }
    ticks = {axis.name: [(_place(axis, value), in_words(value)) for value in _marks(axis)] for axis in sweep.trials.spec.axes}
    return Lines([row["point"] for row in rows], places, ticks, scores)


def _place(axis: Axis, value: Any) -> float:
    """Where a value stands on its axis, 0 to 1."""
    if axis.values:
        return axis.values.index(value) / max(1, len(axis.values) - 1)
    if axis.log:
        return math.log(value / axis.low) / math.log(axis.high / axis.low)
    return float((value - axis.low) / (axis.high - axis.low))


def _marks(axis: Axis) -> list[Any]:
    if axis.values:
        return [*axis.values]
    middle = math.sqrt(axis.low * axis.high) if axis.log else (axis.low + axis.high) / 2
    return [axis.low, axis.rounded(middle), axis.high]


def _curves(sweep: Results) -> Figure:
    names = sweep.trials.names
    best = sweep.best
    winners = [place for place, name in enumerate(names) if best and name.number == best.number]
    return plots.plot_many_curves([sweep.trials.outcome(name).rows for name in names], winners)
