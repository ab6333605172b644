"""`handlens line`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, json_option, print_json, show_table, tell
from handlens.errors import UsageError

if TYPE_CHECKING:
    from handlens.plots import Picture
    from handlens.regression import Fit, Points

_STEEPEST = 10_000  # beyond, single precision has no digits left for the points
_SHOWN = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@click.command()
@click.option("--slopes", default="2", metavar="X,X,...", help="One slope a feature.  [2]")
@click.option("--bias", default=10.0, metavar="X", help="What y is where all features are 0.  [10]")
@click.option("--points", default=100, type=click.IntRange(1, 1_000_000), help="How many points.  [100]")
@click.option("--noise", default=1.0, type=click.FloatRange(0, 1e6), help="How far the points are off the line.  [1]")
@click.option("--epochs", default=100, type=click.IntRange(1, 100_000), help="How often each point is seen.  [100]")
@click.option("--lr", default=0.01, type=click.FloatRange(0, min_open=True), help="The size of a step.  [0.01]")
@click.option("--batch-size", default=10, type=click.IntRange(1), help="Points a step.  [10]")
@click.option("--seed", default=42, help="Decides the points, the first line and the order.  [42]")
@click.option("--save", type=FILE, metavar="FILE.png", help="Where the picture goes.  [line.png]")
@json_option
def line(slopes: str, bias: float, points: int, noise: float, save: Path | None, as_json: bool, **knobs: float) -> int:
    """The first session once more: learn y = 2x + 10 from points, and watch the line turn, epoch by epoch.

    Several slopes make several features: --slopes 2,-1,0.5.
    """
    weights = _numbers(slopes)
    from handlens import files, plots
    from handlens.regression import fit_line, make_points

    made = make_points(weights, bias, count=points, noise=noise, seed=int(knobs["seed"]))
    chosen = {"epochs": int(knobs["epochs"]), "batch_size": int(knobs["batch_size"]), "seed": int(knobs["seed"])}
    fits = list(fit_line(made, lr=knobs["lr"], **chosen))
    picture = files.write_atomic(save or Path("line.png"), plots.png(_figure(made, fits)))
    shown = [fit for fit in fits if fit.epoch in _SHOWN or fit is fits[-1]]
    if as_json:
        print_json({"target": {"weights": made.weights, "bias": made.bias}, "fits": [vars(fit) for fit in fits], "plot": str(picture)})
        return 0
    rows = [(fit.epoch, f"{fit.loss:.4f}", ", ".join(f"{weight:.3f}" for weight in fit.weights), f"{fit.bias:.3f}") for fit in shown]
    show_table({"epoch": "right", "mean squared error": "right", "slope": "right", "bias": "right"}, rows)
    tell(f"\nThe points were made with {', '.join(f'{weight:g}' for weight in made.weights)} and {made.bias:g}, and are off by {noise:g}.")
    tell(f"Picture  {picture}")
    return 0


def _figure(made: Points, fits: list[Fit]) -> Picture:
    from handlens import plots

    if len(made.weights) > 1:
        return plots.plot_line_losses([fit.loss for fit in fits])
    lines = [(fit.epoch, fit.weights[0], fit.bias) for fit in fits if fit.epoch in _SHOWN or fit is fits[-1]]
    return plots.plot_line_fit(made.features[:, 0].numpy(), made.targets[:, 0].numpy(), lines)


def _numbers(words: str) -> list[float]:
    try:
        numbers = [float(word) for word in words.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(abs(number) <= _STEEPEST for number in numbers):
        hint = f"Write them with commas between, each from -{_STEEPEST} to {_STEEPEST}: --slopes 2,-1,0.5"
        raise UsageError(f"'{words}' are no slopes.", hint=hint)
    return numbers
