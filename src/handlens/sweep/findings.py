"""What a sweep says in words, from its numbers only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlens import metrics
from handlens.runs import Run
from handlens.sweep.results import accuracy_interval
from handlens.sweep.space import Axis
from handlens.sweep.spec import TrialName
from handlens.words import counted

if TYPE_CHECKING:
    from handlens.sweep.results import Results

_LOST = 0.05  # above the accuracy of guessing: whoever is below has learned next to nothing
_OTHER_IMAGES = ("val", "data", "with_data")


@dataclass(frozen=True)
class Effect:
    """What one value of a knob reaches, on average over all points that have it and may be compared; see `Results.compared`.

    Attributes:
        value: of the knob.
        accuracies: for each seed the mean over those points.
        points: how many.
    """

    value: Any
    accuracies: tuple[float, ...]
    points: int

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return sum(self.accuracies) / len(self.accuracies)

    @property
    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """The 95 % interval of the mean over the seeds; none of one seed."""
        return accuracy_interval(self.accuracies)


def main_effects(sweep: Results) -> dict[str, list[Effect]]:
    """For each axis that has choices, its values in order with what they reach.

    There are none until every point can be compared, and none of TPE, which tries good values more often. Of a grid a combination of the
    other knobs counts only if no value failed with it: otherwise one value would be judged in easier company than another.
    """
    if not sweep.is_balanced or sweep.trials.spec.method == "tpe":
        return {}
    found = {axis.name: _effects(axis, sweep) for axis in sweep.trials.spec.axes}
    return {name: effects for name, effects in found.items() if len(effects) > 1}


def _effects(axis: Axis, sweep: Results) -> list[Effect]:
    groups: dict[Any, dict[str, list[float]]] = defaultdict(dict)
    for row in sweep.compared:
        others = repr([row[name] for name in sweep.axes if name != axis.name])
        groups[row[axis.name]][others] = row["val_accuracies"]
    if sweep.trials.spec.method == "grid":
        shared = set.intersection(*map(set, groups.values())) if groups else set()
        groups = {value: {others: group[others] for others in group if others in shared} for value, group in groups.items()}
    values = [value for value in axis.values if groups.get(value)]
    return [Effect(value, tuple(map(_mean, zip(*groups[value].values(), strict=True))), len(groups[value])) for value in values]


@dataclass(frozen=True)
class Trend:
    """How the validation accuracy goes with a knob that has a range.

    Attributes:
        axis: the knob.
        values, scores: of each point that may be compared.
    """

    axis: Axis
    values: list[float]
    scores: list[float]

    @property
    def correlation(self) -> metrics.RankCorrelation | None:
        """Spearman's; None of too few points."""
        return metrics.rank_correlation(self.values, self.scores)


def trends(sweep: Results) -> list[Trend]:
    """One for each axis that has a range, in their order; none until every point can be compared."""
    if not sweep.is_balanced:
        return []
    scores = [row["val_accuracy"] for row in sweep.compared]
    return [Trend(axis, [row[axis.name] for row in sweep.compared], scores) for axis in sweep.trials.spec.axes if not axis.values]


def _mean(numbers: tuple[float, ...]) -> float:
    return sum(numbers) / len(numbers)


def by_importance(effects: dict[str, list[Effect]]) -> list[str]:
    """The axes, the one whose values differ most first."""
    return sorted(effects, key=lambda name: -_span(effects[name]))


def _span(effects: list[Effect]) -> float:
    means = [effect.mean for effect in effects]
    return max(means) - min(means)


def sentences(sweep: Results) -> list[str]:
    """The winner, whether that is luck, which knob mattered, where nothing was learned, what failed, what was pruned.

    Of a sweep that is not done only what will hold, and that it is not done.
    """
    if not sweep.best:
        return ["No point has come to its end yet.", *_failed(sweep)]
    if not sweep.is_complete:
        return [_unfinished(sweep), *_winner(sweep), *_knobs(sweep), *_ranges(sweep), *_failed(sweep)]
    return [*_winner(sweep), *_luck(sweep), *_knobs(sweep), *_ranges(sweep), *_lost(sweep), *_failed(sweep), *_pruned(sweep)]


def _unfinished(sweep: Results) -> str:
    rest = "" if sweep.is_balanced else "; which knob matters is said when all points can be compared"
    return f"{sweep.done} of {counted(sweep.asked, 'point is', 'points are')} done, and what follows may change{rest}."


def _named(row: dict[str, Any], sweep: Results) -> str:
    return f"point {row['point']} ({', '.join(f'{name} {in_words(row[name])}' for name in sweep.axes)})"


def in_words(value: Any) -> str:
    """The value of a knob as people read it: sizes of layers as 128-64."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


def _winner(sweep: Results) -> list[str]:
    best = sweep.best
    assert best
    row = sweep.ranked[0]
    seeds = len(best.runs)
    over = f" (mean of {seeds} seeds)" if seeds > 1 else ""
    so_far = "" if sweep.is_complete else " so far"
    said = f"Best on the validation images{so_far} is {_named(row, sweep)} with {row['val_accuracy']:.2%}{over}."
    if not best.test_accuracies:
        return [said]
    tested = _mean(best.test_accuracies)
    spread = f", from {min(best.test_accuracies):.2%} to {max(best.test_accuracies):.2%}" if seeds > 1 else ""
    return [said, f"Measured once, on the test images, it reaches {tested:.2%}{over}{spread}."]


def _luck(sweep: Results) -> list[str]:
    """The winner against the next: over the seeds, or for want of them over the validation images."""
    ranked = sweep.ranked
    if len(ranked) < 2:
        return []
    first, second = ranked[:2]
    difference = f"{(first['val_accuracy'] - second['val_accuracy']) * 100:.2f} points ahead of the next, {_named(second, sweep)}"
    if any(first.get(name) != second.get(name) for name in _OTHER_IMAGES):
        return [f"It is {difference}; they were measured on other images, so whether that is luck is not asked."]
    if len(sweep.trials.spec.seeds) > 1:
        p = metrics.paired_p(first["val_accuracies"], second["val_accuracies"])
        how = f"paired t-test over {len(first['val_accuracies'])} seeds"
    else:
        right = [_run(sweep, row).evaluate("val").correct for row in (first, second)]
        p, how = metrics.mcnemar(*right).p, f"McNemar's test on {len(right[0]):,} validation images, one seed"
    p_text = f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
    verdict = "which is more than luck would give" if p < 0.05 else "which may be luck"
    many = f" It was chosen as the best of {len(ranked)}, so it owes something to luck in any case." if p < 0.05 else ""
    return [f"It is {difference}, {verdict} ({how}, {p_text}).{many}"]


def _run(sweep: Results, row: dict[str, Any]) -> Run:
    return Run(sweep.trials.folder / str(TrialName(row["point"], sweep.trials.spec.seeds[0])))


def _knobs(sweep: Results) -> list[str]:
    effects = main_effects(sweep)
    if not effects:
        return []
    most, *others = by_importance(effects)
    ranked = sorted(effects[most], key=lambda effect: -effect.mean)
    said = f"{most} {'mattered most' if others else 'mattered'}{_when(sweep)}: {_on_average(ranked[0], ranked[-1], sweep)}"
    rest = [f"{name} {_span(effects[name]) * 100:.2f} points" for name in others]
    return [said, f"Between the best and the worst value of the others: {', '.join(rest)}."] if rest else [said]


def _when(sweep: Results) -> str:
    if not sweep.compared_after:
        return ""
    others = " that did not fail" if any(row["status"].startswith("failed") for row in sweep.table) else ""
    return f" after epoch {sweep.compared_after}, which all points{others} reached"


def _on_average(best: Effect, worst: Effect, sweep: Results) -> str:
    one, other = in_words(best.value), in_words(worst.value)
    if sweep.trials.spec.method == "random":
        return (
            f"with {one} the points reach {best.mean:.2%} on average ({counted(best.points, 'point')}), with {other} {worst.mean:.2%} "
            f"({counted(worst.points, 'point')}). Their other knobs were drawn at random, so chance has a part in this."
        )
    failed = " where no value of it failed" if any(row["status"].startswith("failed") for row in sweep.table) else ""
    over = f"on average over the other knobs{failed}, " if len(sweep.axes) > 1 else ""
    return f"{over}{one} reaches {best.mean:.2%} and {other} {worst.mean:.2%}."


def _ranges(sweep: Results) -> list[str]:
    """How the accuracy goes with each knob that has a range, and what such numbers do not show."""
    found = trends(sweep)
    said = [_trend(trend, _when(sweep)) for trend in found]
    if any(trend.correlation for trend in found):
        said.append("A best value in the middle of a range does not show in a rank correlation: look at the figure ranges.")
    if sweep.trials.spec.method == "tpe" and sweep.is_balanced:
        kept = "no knob's values are compared on average" if not found else "take these correlations as hints"
        said.append(f"TPE tries what looks good more often, so its points are no fair sample: {kept}.")
    return said


def _trend(trend: Trend, when: str) -> str:
    name, found = trend.axis.name, trend.correlation
    if not found:
        return f"How the validation accuracy goes with {name} cannot be said: there are too few different points."
    numbers = f"Spearman's rank correlation {found.rho:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}, {found.count} points"
    if found.is_clear:
        way = "higher" if found.rho > 0 else "lower"
        return f"The larger {name}, the {way} is the validation accuracy{when}, by and large ({numbers})."
    return f"Whether the validation accuracy{when} rises or falls with {name} cannot be told from these points ({numbers})."


def _lost(sweep: Results) -> list[str]:
    ranked = sweep.ranked
    classes = len(_run(sweep, ranked[0]).about.classes)
    least = 1 / max(classes, 1) + _LOST
    lost = [row for row in ranked if classes and row["val_accuracy"] < least]
    if not lost:
        return []
    return [f"{len(lost)} of {len(ranked)} points learned next to nothing (below {least:.0%}){_common(lost, sweep)}."]


def _failed(sweep: Results) -> list[str]:
    failed = [row for row in sweep.table if row["status"].startswith("failed")]
    if not failed:
        return []
    return [f"{len(failed)} of {counted(len(sweep.table), 'point')} failed{_common(failed, sweep)}. The first: {failed[0]['status'][8:]}"]


def _common(rows: list[dict[str, Any]], sweep: Results) -> str:
    """What they have in common, if one choice of a knob is in all of them and not in all others that were tried."""
    tried = [row for row in sweep.table if row["status"] != "waiting"]
    for name in [axis.name for axis in sweep.trials.spec.axes if axis.values]:
        if len({repr(row[name]) for row in rows}) == 1 and len({repr(row[name]) for row in tried}) > 1:
            return f", all with {name} {in_words(rows[0][name])}"
    return ""


def _pruned(sweep: Results) -> list[str]:
    pruned = [row for row in sweep.table if row["status"].startswith("pruned")]
    if not pruned:
        return []
    return [f"Of {len(sweep.table)} points {counted(len(pruned), 'was', 'were')} ended early; what is last known there is of few epochs."]
