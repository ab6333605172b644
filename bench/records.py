"""What each preset reaches on the test images, over several seeds, and how long it takes here: the table of `bench/records.md`.

    python bench/records.py [--seeds 5] [PRESET[:DATA] ...]

Without names: all presets but `efficientnet`, which is for photographs, on MNIST, and four of them on Fashion-MNIST. The test images
are measured once, at the end of each training, and no training is left out.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

import handlens as hl
from handlens import device, models
from handlens.config import make_config
from handlens.plan import plan
from handlens.presets import PRESETS, preset_knobs
from handlens.train import train

FASHION = ("session", "mlp", "cnn", "resnet")


def one(preset: str, data: hl.Dataset, seed: int) -> tuple[float, float]:
    """Seconds of training, with its validation, and accuracy on the test images."""
    planned = plan(make_config({**preset_knobs(preset), "seed": seed}), data=data)
    start = time.perf_counter()
    with device.settled(torch.device("cpu"), planned.config.threads):
        state = planned.state()
        for _row in train(state, planned.loader, planned.val, epochs=planned.config.epochs):
            pass
        seconds = time.perf_counter() - start
        predictions = models.predict_logits(state.network, data.test.images).argmax(1)
    return seconds, (predictions == data.test.labels).float().mean().item()


def measure(preset: str, name: str, seeds: int) -> str:
    """One row of the table."""
    data = hl.load(name)
    times, accuracies = zip(*(one(preset, data, seed) for seed in range(1, seeds + 1)), strict=True)
    config = make_config(preset_knobs(preset))
    spread = f"{min(accuracies):.2%} to {max(accuracies):.2%}"
    seconds = f"{statistics.median(times):.0f} ({min(times):.0f} to {max(times):.0f})"
    return f"| {preset} | {name} | {config.epochs} | {statistics.mean(accuracies):.2%} | {spread} | {seconds} |"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "jobs",
        nargs="*",
        default=[*(preset for preset in PRESETS if preset != "efficientnet"), *(f"{preset}:fashion-mnist" for preset in FASHION)],
    )
    options = parser.parse_args()
    print(f"{device.title(torch.device('cpu'))}, torch {torch.__version__}, {options.seeds} seeds\n")
    print("| preset | data | epochs | test accuracy, mean | lowest to highest | training, s: median (spread) |")
    print("| --- | --- | --- | --- | --- | --- |")
    for job in options.jobs:
        preset, _, data = job.partition(":")
        print(measure(preset, data or "mnist", options.seeds), flush=True)


if __name__ == "__main__":
    main()
