"""`handlens bench`: how fast this machine trains, which way to calculate, and what each trick of a fast preset is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from handlens.cli.terminal import FILE, json_option, print_json, show_table, tell
from handlens.errors import UsageError

if TYPE_CHECKING:
    from handlens.bench import Trained, Way
    from handlens.data import Dataset


@click.command()
@click.option("--ablate", metavar="PRESET", help="Train a preset without each of its tricks in turn, instead.")
@click.option("--seeds", type=click.IntRange(1, 100), default=1, help="Trainings of each.  [1]")
@click.option("--save", type=FILE, metavar="FILE.png", help="With --ablate: where the figure goes.  [bench.png]")
@json_option
def bench(ablate: str | None, seeds: int, save: Path | None, as_json: bool) -> int:
    """How fast this machine trains on MNIST, and which device, threads and precision to take.

    Accuracies are those on images kept apart: the test images are for the end.
    """
    from handlens.cli.loading import load_dataset

    if save and not ablate:
        raise UsageError("--save goes with --ablate: there is no figure without it.", hint="handlens bench --ablate fast-cnn")
    data = load_dataset("mnist", 0.1)
    return _ablate(ablate, data, seeds, save or Path("bench.png"), as_json) if ablate else _measure(data, seeds, as_json)


def _measure(data: Dataset, seeds: int, as_json: bool) -> int:
    from handlens import bench
    from handlens.cli.terminal import say
    from handlens.presets import preset_knobs

    found = []
    for way in bench.ways():
        say(f"Measuring {_words(*way)}")
        found.append(bench.measure_way(*way, data))
    reached = {}
    for preset in bench.GOALS:
        say(f"Training {preset}")
        reached[preset] = bench.trained(preset_knobs(preset), data, seeds)
    if as_json:
        print_json({"ways": [vars(way) for way in found], "presets": {name: vars(one) for name, one in reached.items()}})
        return 0
    _show_ways(found)
    _show_presets(reached, max(way.peak for way in found))
    return 0


def _words(device: str, threads: int, precision: str) -> str:
    return f"--device {device} --threads {threads} --precision {precision}"


def _show_ways(found: list[Way]) -> None:
    from handlens.bench import JOBS

    columns = {"device": "left", "threads": "right", "precision": "left", "products, GFLOP/s": "right"}
    columns |= {f"{job}, images/s": "right" for job in JOBS}
    rows = [
        (way.device, way.threads, way.precision, f"{way.peak / 1e9:,.0f}", *(f"{way.images_per_s[job]:,.0f}" for job in JOBS))
        for way in found
    ]
    show_table(columns, rows, "Ways to calculate")
    tell()
    for job in JOBS:
        best = max(found, key=lambda way: way.images_per_s[job])
        tell(f"Fastest here for {job}: {_words(best.device, best.threads, best.precision)}", whole=True)
    tell()


def _show_presets(reached: dict[str, Trained], peak: float) -> None:
    from handlens.bench import GOALS

    columns = dict.fromkeys(("goal", "val accuracy", "s", "images/s", "GFLOP/s", "of the fastest product"), "right")
    rows = [
        (
            name,
            f"{GOALS[name]:.0%}",
            f"{one.accuracy:.2%}",
            f"{one.time_s:.2f}",
            f"{one.images_per_s:,.0f}",
            f"{one.flops_per_s / 1e9:,.0f}",
            f"{one.flops_per_s / peak:.0%}",
        )
        for name, one in reached.items()
    ]
    show_table({"preset": "left", **columns}, rows, "From the first step to the last")
    tell()
    for goal in sorted({*GOALS.values()}):
        there = sorted((one.time_s, name) for name, one in reached.items() if one.accuracy >= goal)
        said = f"{there[0][0]:.2f} s, by {there[0][1]}" if there else "none of them has reached it"
        tell(f"Time to {goal:.0%} here: {said}", whole=True)


def _ablate(preset: str, data: Dataset, seeds: int, file: Path, as_json: bool) -> int:
    from handlens import bench, files, plots
    from handlens.cli.terminal import say
    from handlens.presets import preset_knobs

    recipes = {"all of it": preset_knobs(preset), **bench.tricks(preset)}
    found = {}
    for name, knobs in recipes.items():
        say(f"Training {preset}, {name}")
        found[name] = bench.trained(knobs, data, seeds)
    figure = plots.plot_ablation({name: (one.accuracy, one.time_s) for name, one in found.items()}, f"{preset}: each trick off, in turn")
    picture = files.write_atomic(file, plots.png(figure))
    if as_json:
        print_json({"preset": preset, "seeds": seeds, "found": {name: vars(one) for name, one in found.items()}, "plot": str(picture)})
        return 0
    columns = {preset: "left", "val accuracy": "right", "lowest": "right", "s": "right"}
    rows = [(name, f"{one.accuracy:.2%}", f"{one.lowest:.2%}", f"{one.time_s:.2f}") for name, one in found.items()]
    show_table(columns, rows)
    tell(f"Figure   {picture}")
    return 0
