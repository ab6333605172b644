"""What each trick of a recipe is worth: accuracy and time without it."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from handlens.plots.style import LIGHT, SMALL, WIDTH, Picture, Theme, dress, finish, headline, new_figure, plain


def plot_ablation(found: Mapping[str, tuple[float, float]], title: str = "", *, theme: Theme = LIGHT) -> Picture:
    """Accuracy and time of a recipe, whole and with one trick off in turn: two columns of dots, the whole recipe as a line.

    Args:
        found: accuracy in [0, 1] and seconds by name; the whole recipe first.
        title: what is shown.
        theme: the colours.
    """
    figure = new_figure(WIDTH, 0.9 + 0.3 * len(found), theme)
    left, right = figure.subplots(1, 2, sharey=True)
    accuracies, times = zip(*found.values(), strict=True)
    _column(left, [100 * accuracy for accuracy in accuracies], "validation accuracy, %", theme)
    _column(right, list(times), "training, s", theme)
    left.set_yticks(range(len(found)), [plain(name, 34) for name in found], fontsize=SMALL)
    left.invert_yaxis()
    right.set_xlim(left=0)
    headline(left, plain(title, 60), theme)
    return finish(figure)


def _column(axes: Axes, values: list[float], name: str, theme: Theme) -> None:
    dress(axes, theme, xlabel=name)
    axes.axvline(values[0], color=theme.series[0], linewidth=1, linestyle=":")
    axes.plot(values, range(len(values)), linestyle="none", marker="o", markersize=6, color=theme.series[0])
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
