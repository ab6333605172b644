"""Figures with the epochs along the bottom: one training, or several beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from handlens.plots.style import LIGHT, NORMAL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain
from handlens.words import counted

Row = Mapping[str, Any]
Points = list[tuple[float, float]]

_PAPER_WIDTH = 7.2


def plot_curves(rows: Sequence[Row], best_epoch: int | None = None, *, theme: Theme = LIGHT) -> Picture:
    """Loss and accuracy by epoch, training and validation.

    Args:
        rows: one an epoch with `epoch`, `train_loss`, `train_accuracy`, `val_loss`, `val_accuracy`; what is missing, None or no number
            is not drawn. Rows inside an epoch (with `step`) are left out.
        best_epoch: gets a mark.
        theme: the colours.
    """
    figure = new_figure(_PAPER_WIDTH, 3.3, theme)
    panels = figure.subplots(1, 2)
    for axes, metric, label in zip(panels, ("loss", "accuracy"), ("loss (cross-entropy)", "accuracy"), strict=True):
        drawn = {f"{split}_{metric}": points(rows, f"{split}_{metric}") for split in ("train", "val")}
        dress(axes, theme, xlabel="epoch", ylabel=label)
        headline(axes, metric.capitalize(), theme)
        for number, (name, line) in enumerate(drawn.items()):
            _line(axes, line, number, name.split("_")[0], theme)
        _epochs(axes, rows)
        if metric == "accuracy":
            _percents(axes, [y for line in drawn.values() for _, y in line])
        _ruin(axes, rows, f"train_{metric}", theme)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=theme.muted, linewidth=1, linestyle=(0, (2, 2)), label=f"best epoch: {best_epoch}")
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    if entries:
        style = {"frameon": False, "fontsize": NORMAL, "labelcolor": theme.text, "handlelength": 2.6, "columnspacing": 1.6}
        figure.legend(entries.values(), entries, loc="outside upper center", ncols=len(entries), **style)
    return finish(figure)


def plot_compare(rows_by_run: Mapping[str, Sequence[Row]], metric: str = "val_accuracy", *, theme: Theme = LIGHT) -> Picture:
    """One metric of several runs by epoch.

    Args:
        rows_by_run: the rows (see `plot_curves`) of each run, by its name.
        metric: a key of the rows.
        theme: the colours.
    """
    figure = new_figure(WIDTH, max(3.6, 1.2 + 0.22 * len(rows_by_run)), theme)
    axes = figure.subplots()
    split, _, quantity = metric.partition("_")
    dress(axes, theme, xlabel="epoch", ylabel=f"{quantity or split} ({split})" if quantity else metric)
    headline(axes, f"{plain(metric).replace('_', ' ')} of {counted(len(rows_by_run), 'run')}", theme)
    drawn = [(plain(name, 32), points(rows, metric)) for name, rows in rows_by_run.items()]
    for number, (name, line) in enumerate(drawn):
        _line(axes, line, number, f" {name}", theme)  # a legend leaves out what begins with "_"
    _epochs(axes, [row for rows in rows_by_run.values() for row in rows])
    if quantity == "accuracy":
        _percents(axes, [y for _, line in drawn for _, y in line])
    if drawn:
        figure.legend(loc="outside right upper", frameon=False, fontsize=NORMAL, labelcolor=theme.text, handlelength=3.4)
    return finish(figure)


def points(rows: Sequence[Row], key: str) -> Points:
    """The (epoch, value) pairs of whole epochs; `nan` where there is no number, so that the curve stops there."""
    return [(row["epoch"], _number(row.get(key))) for row in rows if "step" not in row and key in row]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else math.nan


def _line(axes: Axes, line: Points, number: int, label: str, theme: Theme) -> None:
    if not any(math.isfinite(y) for _, y in line):
        return
    xs, ys = [x for x, _ in line], [y for _, y in line]
    axes.plot(xs, ys, label=label, markersize=5, markevery=max(1, len(line) // 15), **theme.line(number))


def _epochs(axes: Axes, rows: Sequence[Row]) -> None:
    """Whole epochs along the bottom, with room beside the first and the last."""
    epochs = [row["epoch"] for row in rows] or [1]
    room = max(0.3, (max(epochs) - min(epochs)) * 0.04)
    axes.set_xlim(min(epochs) - room, max(epochs) + room)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def _percents(axes: Axes, values: Sequence[float]) -> None:
    """Percent up the side, never more than 100."""
    low = min((y for y in values if math.isfinite(y)), default=0.0)
    axes.set_ylim(max(low - (1 - low) * 0.12 - 0.002, -0.02), 1 + (1 - low) * 0.05 + 0.001)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y * 100:.4g} %" if y < 1 + 1e-9 else ""))


def _ruin(axes: Axes, rows: Sequence[Row], key: str, theme: Theme) -> None:
    """Say where the numbers stop being numbers: a curve that just ends looks like a training that was short."""
    bad = [epoch for epoch, y in points(rows, key) if math.isnan(y)]
    if bad:
        axes.axvspan(bad[0], axes.get_xlim()[1], color=theme.faint, zorder=0)
        style: dict[str, Any] = {
            "rotation": 90,
            "ha": "right",
            "va": "center",
            "fontsize": NORMAL,
            "color": theme.wrong,
            "fontweight": "bold",
        }
        axes.text(axes.get_xlim()[1], 0.5, f"no number from epoch {bad[0]:g} on", transform=axes.get_xaxis_transform(), **style)
    elif not rows:
        style = {"ha": "center", "va": "center", "fontsize": NORMAL, "color": theme.muted}
        axes.text(0.5, 0.5, "no epoch is done yet", transform=axes.transAxes, **style)
        axes.set_yticks([])
