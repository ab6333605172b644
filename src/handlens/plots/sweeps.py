"""Many trainings in one figure: what each combination of knobs reached, and on which knob it hung."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from numpy.typing import NDArray

from handlens.plots.curves import points
from handlens.plots.matrix import readable_on
from handlens.plots.style import LIGHT, NORMAL, SMALL, TITLE, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain, text_width

Row = Mapping[str, Any]


@dataclass(frozen=True)
class HeatMap:
    """Accuracies at the crossings of two knobs.

    Attributes:
        title: what is the same in all of it.
        rows, columns: the values of the two knobs, as text.
        values: R,C accuracies; NaN where there is none.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Level:
    """One value of a knob, as text: what it reaches on average, and the interval of that (None if nobody knows)."""

    label: str
    mean: float
    low: float | None = None
    high: float | None = None


def plot_heat_maps(
    maps: Sequence[HeatMap], row_name: str, column_name: str, *, score: str = "validation accuracy", theme: Theme = LIGHT
) -> Picture:
    """Accuracy by two knobs, a map for each value of a third; all of one scale.

    Args:
        maps: at least one; all have the same rows and columns.
        row_name: the knob up the side.
        column_name: the knob along the bottom.
        score: what the numbers are.
        theme: the colours.
    """
    across = min(2, len(maps))
    down = math.ceil(len(maps) / across)
    height = 0.75 + 0.34 * max(len(one.rows) for one in maps)
    figure = new_figure(WIDTH, down * height + 0.5, theme)
    panels = figure.subplots(down, across, squeeze=False).flatten()
    scale = _scale([value for one in maps for value in one.values.flatten()], theme)
    for axes, one in zip(panels, maps, strict=False):
        _paint(axes, one, scale, theme)
        dress(axes, theme, xlabel=plain(column_name), ylabel=plain(row_name))
        axes.grid(visible=False)
        headline(axes, plain(one.title, 40), theme)
    for axes in panels[len(maps) :]:
        axes.set_visible(False)
    _bar(figure, scale, [*panels], score, theme)
    return finish(figure)


def _scale(values: Sequence[Any], theme: Theme) -> ScalarMappable:
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    return ScalarMappable(Normalize(min(known), max(*known, min(known) + 1e-6)), colormaps[theme.magnitudes])


def _paint(axes: Axes, one: HeatMap, scale: ScalarMappable, theme: Theme) -> None:
    axes.imshow(np.ma.masked_invalid(one.values), cmap=scale.cmap, norm=Normalize(*scale.get_clim()), aspect="auto")
    axes.set_xticks(range(len(one.columns)), [plain(name, 14) for name in one.columns])
    axes.set_yticks(range(len(one.rows)), [plain(name, 14) for name in one.rows])
    for (row, column), value in np.ndenumerate(one.values):
        known = math.isfinite(value)
        colour = readable_on(np.asarray(scale.to_rgba(value))[:3]) if known else theme.text
        axes.text(column, row, f"{value:.1%}" if known else "none", ha="center", va="center", fontsize=SMALL, color=colour)


def _bar(figure: Picture, scale: ScalarMappable, panels: list[Axes], score: str, theme: Theme) -> None:
    bar = figure.colorbar(scale, ax=panels, fraction=0.03, pad=0.02, format=FuncFormatter(lambda value, _: f"{value:.0%}"))
    bar.set_label(score, color=theme.text, fontsize=NORMAL)
    bar.ax.tick_params(colors=theme.muted, labelcolor=theme.text, labelsize=SMALL)
    bar.outline.set_visible(False)


def plot_parallel(
    columns: Mapping[str, Sequence[float]],
    ticks: Mapping[str, Sequence[tuple[float, str]]],
    scores: Sequence[float],
    *,
    theme: Theme = LIGHT,
) -> Picture:
    """Each training as a line through its knobs to the accuracy at the right; the better, the stronger.

    Args:
        columns: for each knob the place of each training, 0 to 1.
        ticks: for each knob the places that have a label.
        scores: the accuracy of each training.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 4.2, theme)
    axes = figure.subplots()
    low, high = min(scores), max(*scores, min(scores) + 1e-6)
    heights = [*columns.values(), [(score - low) / (high - low) for score in scores]]
    scale = _scale(scores, theme)
    for number in np.argsort(scores):
        line = [column[number] for column in heights]
        share = heights[-1][number]
        axes.plot(
            range(len(heights)), line, color=scale.to_rgba(0.25 * high + 0.75 * scores[number]), linewidth=0.7 + 1.8 * share, alpha=0.85
        )
    names = [*columns, "validation accuracy"]
    marks = [*(ticks[name] for name in columns), [(share, f"{low + share * (high - low):.1%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)]]
    for place, labels in enumerate(marks):
        axes.axvline(place, color=theme.muted, linewidth=1)
        for height, label in labels:
            beside: dict[str, Any] = {"textcoords": "offset points", "xytext": (5, 0), "va": "center", "fontsize": SMALL}
            box = {"boxstyle": "round,pad=0.15", "facecolor": theme.background, "edgecolor": "none", "alpha": 0.85}
            axes.annotate(plain(label, 16), (place, height), color=theme.text, bbox=box, **beside)
    dress(axes, theme)
    axes.grid(visible=False)
    axes.set_xticks(range(len(names)), [plain(name) for name in names])
    inch = (len(names) - 1) / (WIDTH - 1)
    axes.set_xlim(-0.3 * inch, len(names) - 1 + 0.7 * inch)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    headline(axes, "Every training as a line through its knobs; the better, the thicker", theme)
    return finish(figure)


def plot_effects(effects: Mapping[str, Sequence[Level]], *, score: str = "validation accuracy", theme: Theme = LIGHT) -> Picture:
    """What each value of each knob reaches on average over the others, all on one scale.

    Args:
        effects: for each knob its values, in order; the knob that matters most first.
        score: what the numbers are.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 3.4, theme)
    panels = figure.subplots(1, len(effects), sharey=True, squeeze=False)[0]
    for number, (axes, (name, levels)) in enumerate(zip(panels, effects.items(), strict=True)):
        dress(axes, theme, xlabel=plain(name), ylabel=f"mean {score}" if number == 0 else "")
        places = range(len(levels))
        means = [level.mean for level in levels]
        axes.plot(places, means, color=theme.series[0], linewidth=1.8, marker="o", markersize=6)
        for place, level in enumerate(levels):
            if level.low is not None and level.high is not None:
                reach = [[level.mean - level.low], [level.high - level.mean]]
                axes.errorbar(place, level.mean, reach, color=theme.series[0], capsize=4, linewidth=1.2)
        axes.set_xlim(-0.5, len(levels) - 0.5)
        axes.xaxis.set_major_locator(FixedLocator([*places]))
        labels = [plain(level.label, 12) for level in levels]
        room = 0.8 * WIDTH / len(effects) / len(levels)
        axes.set_xticklabels(labels, rotation=90 if max(text_width(f"{label} ", NORMAL) for label in labels) > room else 0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "" if value > 1 + 1e-9 else f"{value * 100:.4g} %"))
    sure = any(level.low is not None for levels in effects.values() for level in levels)
    words = "On which knob it hangs" + ("; bars: 95 % interval over seeds" if sure else "")
    figure.suptitle(words, x=0.01, ha="left", color=theme.text, fontsize=TITLE, fontweight="bold")  # a panel's own would widen the panel
    return finish(figure)


def plot_many_curves(rows_by_trial: Sequence[Sequence[Row]], best: Sequence[int] = (), *, theme: Theme = LIGHT) -> Picture:
    """Validation accuracy by epoch of every training, the winner's drawn strongly.

    Args:
        rows_by_trial: the rows of each training, with `epoch` and `val_accuracy`.
        best: which of them are the winner's.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 4.0, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel="epoch", ylabel="validation accuracy")
    lines = [points(rows, "val_accuracy") for rows in rows_by_trial]
    for number, line in enumerate(lines):
        if line and number not in best:
            alpha = max(0.15, min(0.7, 8 / len(lines)))
            axes.plot(*zip(*line, strict=True), color=theme.muted, linewidth=1, alpha=alpha, marker="." if len(line) == 1 else None)
    for number in best:
        if lines[number]:
            axes.plot(*zip(*lines[number], strict=True), color=theme.series[1], linewidth=2.2, marker="o", markersize=4)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g} %"))
    headline(axes, f"All {len(lines):,} trainings" + ("; in colour: the best point's" if best else ""), theme)
    return finish(figure)


@dataclass(frozen=True)
class Cloud:
    """Accuracies against a knob that has a range.

    Attributes:
        title: what stands above; may be empty.
        name: of the knob.
        values: of the knob, one of each training.
        scores: their accuracies.
        ticks: values that have a label: the lower end, some between, the upper end.
        log: whether the axis goes by factors.
    """

    title: str
    name: str
    values: Sequence[float]
    scores: Sequence[float]
    ticks: Sequence[float]
    log: bool = False


def plot_ranges(clouds: Sequence[Cloud], best: int | None = None, *, score: str = "validation accuracy", theme: Theme = LIGHT) -> Picture:
    """Accuracy against each knob that has a range, a dot for each training.

    Args:
        clouds: at least one; all of the same trainings.
        best: which training is the winner's.
        score: what the numbers are.
        theme: the colours.
    """
    across = min(3, len(clouds))
    down = math.ceil(len(clouds) / across)
    figure = new_figure(WIDTH, 3.0 * down + 0.4, theme)
    panels = figure.subplots(down, across, sharey=True, squeeze=False).flatten()
    for number, (axes, cloud) in enumerate(zip(panels, clouds, strict=False)):
        dress(axes, theme, xlabel=plain(cloud.name), ylabel=score if number % across == 0 else "")
        _scatter(axes, cloud, best, theme)
        headline(axes, plain(cloud.title, 40), theme)
    for axes in panels[len(clouds) :]:
        axes.set_visible(False)
    if best is not None:
        look = {"frameon": False, "fontsize": NORMAL, "labelcolor": theme.text}
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", **look)
    return finish(figure)


def _scatter(axes: Axes, cloud: Cloud, best: int | None, theme: Theme) -> None:
    if cloud.log:
        axes.set_xscale("log")
    axes.set_xlim(cloud.ticks[0], cloud.ticks[-1])
    axes.xaxis.set_major_locator(FixedLocator([*cloud.ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value * 100:.4g} %"))
    axes.plot(cloud.values, cloud.scores, "o", color=theme.series[0], markersize=5, alpha=0.7, clip_on=False)
    if best is not None:
        winner: dict[str, Any] = {"color": theme.series[1], "markersize": 9, "clip_on": False, "label": "the best point"}
        axes.plot([cloud.values[best]], [cloud.scores[best]], "D", **winner)
