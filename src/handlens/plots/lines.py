"""Figures of one quantity against another: learning rates, numbers of examples, a straight line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import NDArray

from handlens.plots.style import LIGHT, NORMAL, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain
from handlens.words import counted

Array = NDArray[np.generic]


def plot_learning_rates(lrs: Sequence[float], losses: Sequence[float], suggestion: float | None = None, *, theme: Theme = LIGHT) -> Picture:
    """The loss of steps that grow.

    Args:
        lrs: the learning rate of each step.
        losses: the loss of each step, smoothed.
        suggestion: gets a mark.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 3.6, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel="learning rate (grows from step to step)", ylabel="loss (smoothed)")
    headline(axes, "Loss while the steps grow", theme)
    axes.plot(lrs, losses, color=theme.series[0], linewidth=1.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    if losses:
        low, high = min(losses), max(losses[0], min(losses))
        axes.set_ylim(low - 0.15 * (high - low) - 0.01, high + 0.6 * (high - low) + 0.01)
    if suggestion is not None:
        height = float(np.interp(np.log(suggestion), np.log(lrs), losses))
        axes.plot([suggestion], [height], "o", color=theme.series[1], markersize=9)
        place: dict[str, Any] = {"textcoords": "offset points", "xytext": (10, 8), "color": theme.text, "fontsize": NORMAL}
        axes.annotate(f"try {suggestion:g}", (suggestion, height), **place)
    return finish(figure)


def plot_few_examples(
    counts: Sequence[int], accuracies: Mapping[str, Sequence[Sequence[float]]], chance: float | None = None, *, theme: Theme = LIGHT
) -> Picture:
    """Accuracy against the number of training images, one line a way to begin.

    Args:
        counts: numbers of training images.
        accuracies: for each way, for each count, the accuracy of each seed.
        chance: what guessing reaches.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 4.2, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel="training images", ylabel="accuracy on the test images")
    headline(axes, "What is gained by beginning with learned weights", theme)
    for number, (name, scores) in enumerate(accuracies.items()):
        means = [float(np.mean(seeds)) for seeds in scores]
        style = theme.line(number)
        axes.plot(counts, means, label=plain(name, 60), markersize=6, **style)
        low, high = ([float(bound(seeds)) for seeds in scores] for bound in (np.min, np.max))
        axes.fill_between(counts, low, high, color=style["color"], alpha=0.15, linewidth=0)
    if chance is not None:
        axes.axhline(chance, color=theme.muted, linewidth=1, linestyle=(0, (2, 2)), label="guessing")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(counts)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    figure.legend(loc="outside lower center", ncols=1, frameon=False, fontsize=NORMAL, labelcolor=theme.text, handlelength=3.4)
    return finish(figure)


def plot_line_fit(features: Array, targets: Array, lines: Sequence[tuple[int, float, float]], *, theme: Theme = LIGHT) -> Picture:
    """Points, and the line that was learned, epoch by epoch.

    Args:
        features: N numbers along the bottom.
        targets: N heights.
        lines: (epoch, slope, height at 0), in order; the last one is drawn strongly.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 4.2, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel="x", ylabel="y")
    axes.plot(features, targets, "o", color=theme.muted, markersize=3.5, alpha=0.7, label="points")
    ends = np.array([float(features.min()), float(features.max())])
    for number, (_, slope, height) in enumerate(lines):
        last = number == len(lines) - 1
        strength = 1.0 if last else 0.3 + 0.4 * number / len(lines)
        axes.plot(ends, slope * ends + height, color=theme.series[0], alpha=strength, linewidth=2.4 if last else 1.2)
    _name_ends(axes, {f"epoch {epoch}": slope * ends[1] + height for epoch, slope, height in (lines[0], lines[-1])}, ends[1], theme)
    epoch, slope, height = lines[-1]
    headline(axes, f"After {counted(epoch, 'epoch')}: y = {slope:.2f} x {'+' if height >= 0 else '-'} {abs(height):.2f}", theme)
    axes.margins(x=0.02)
    axes.set_xlim(right=ends[1] + 0.14 * (ends[1] - ends[0]))
    return finish(figure)


def _name_ends(axes: Axes, heights: Mapping[str, float], right: float, theme: Theme) -> None:
    """Names at the ends of lines, the last one alone where two would lie upon each other."""
    low, high = axes.get_ylim()
    named = list(heights.items())
    apart = abs(named[0][1] - named[-1][1]) > 0.08 * (high - low)
    for name, height in named if apart else named[-1:]:
        axes.annotate(name, (right, height), xytext=(5, 0), textcoords="offset points", va="center", color=theme.text, fontsize=SMALL)


def plot_line_losses(losses: Sequence[float], *, theme: Theme = LIGHT) -> Picture:
    """The loss of a line before the first and after each epoch.

    Args:
        losses: one an epoch, from epoch 0.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 3.2, theme)
    axes = figure.subplots()
    dress(axes, theme, xlabel="epoch", ylabel="mean squared error")
    headline(axes, "How far the points are from the line", theme)
    axes.plot(range(len(losses)), losses, color=theme.series[0], linewidth=1.8, marker="o", markersize=4)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    return finish(figure)
