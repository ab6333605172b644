"""What the fast presets reach on the test images, and how many times as fast they are trained as the session's own script.

    python bench/fast_presets.py [--seeds 10] [--first 1000] [PRESET ...]

Each training takes turns with the script on 12,000 of its 300,000 images (five epochs of 60,000), whose time counts 25 times. Two
ratios: of the clock's time, which suffers from whatever else the machine does, and of the processor's, which suffers less. The test images
are measured once a seed, at the end, and no training is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass

import session_script
import torch
from torch import nn
from usage import timed

import handlens as hl
from handlens import device, models
from handlens.config import make_config
from handlens.plan import plan
from handlens.presets import preset_knobs
from handlens.train import train

FAST = ("fast-mlp", "fast-cnn", "cnn-strong", "record")
GOALS = {"fast-mlp": 0.979, "fast-cnn": 0.99, "cnn-strong": 0.9945, "record": 0.996, "fashion": 0.93}
SCRIPT_IMAGES, SCRIPT_WHOLE = 12_000, 300_000


@dataclass(frozen=True)
class Turn:
    """One training and the script beside it: accuracy on the test images, and the script's time as a multiple, by two clocks."""

    accuracy: float
    clock: float
    processor: float
    seconds: float


def trained(knobs: dict[str, object], data: hl.Dataset, seed: int) -> tuple[nn.Module, tuple[float, float]]:
    """A preset's network, and the seconds that its training took: of the clock, and of the processors."""
    planned = plan(make_config({**knobs, "seed": seed}), data=data)
    config = planned.config
    with device.settled(torch.device("cpu"), config.threads):
        state = planned.state()
        times = timed(lambda: [*train(state, planned.loader, planned.val, epochs=config.epochs)])
    return state.network, times


def turn(knobs: dict[str, object], data: hl.Dataset, whole: hl.Dataset, seed: int) -> Turn:
    """The script for some images, then the preset with its validation, then the test."""
    slow = timed(lambda: session_script.train(whole.train.subset(torch.arange(SCRIPT_IMAGES)), 1, seed))
    network, fast = trained(knobs, data, seed)
    predictions = models.predict_logits(network, data.test.images).argmax(1)
    accuracy = (predictions == data.test.labels).float().mean().item()
    clock, processor = (SCRIPT_WHOLE / SCRIPT_IMAGES * one / other for one, other in zip(slow, fast, strict=True))
    print(f"seed {seed}: {accuracy:.2%}, {clock:.2f} by the clock, {processor:.2f} by the processor, {fast[0]:.2f} s", file=sys.stderr)
    return Turn(accuracy, clock, processor, fast[0])


def measure(preset: str, turns: list[Turn]) -> str:
    """One row of the table."""
    accuracies = [one.accuracy for one in turns]
    reached = sum(accuracy >= GOALS.get(preset, 0) for accuracy in accuracies)
    spreads = [spread([getattr(one, clock) for one in turns], 2) for clock in ("clock", "processor", "seconds")]
    cells = [preset, len(turns), f"{statistics.mean(accuracies):.3%}", f"{min(accuracies):.2%} to {max(accuracies):.2%}", reached, *spreads]
    return f"| {' | '.join(map(str, cells))} |"


def spread(values: list[float], digits: int) -> str:
    """The median, and the lowest to the highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    """Take turns and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1000, help="the first seed: none that a recipe was chosen with")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("presets", nargs="*", default=FAST)
    options = parser.parse_args()
    whole = hl.load(options.data, val=0)
    timed(lambda: session_script.train(whole.train.subset(torch.arange(6400)), 1, 0))
    print(f"{device.title(torch.device('cpu'))}, torch {torch.__version__}, {options.data}\n")
    print("| preset | seeds | test accuracy, mean | lowest to highest | at its goal | script : preset, clock | processor | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for preset in options.presets:
        knobs = preset_knobs(preset)
        data = hl.load(options.data, val=make_config(knobs).val)
        seeds = range(options.first, options.first + options.seeds)
        print(measure(preset, [turn(knobs, data, whole, seed) for seed in seeds]), flush=True)


if __name__ == "__main__":
    main()
