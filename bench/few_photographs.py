"""What weights learned on ImageNet are worth with few photographs: a table of `bench/records.md`, and its figure.

    python bench/few_photographs.py cifar.zip [--counts 100,300,1000] [--seeds 3]

Each training is measured on the same 2,000 test images, taken evenly from all.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

import handlens as hl
from handlens import device, files, models, plots
from handlens.config import make_config
from handlens.presets import preset_knobs
from handlens.train import train
from handlens.transfer import plan_new

_LONG = {"epochs": 20, "batch_size": 32, "schedule": "one-cycle", "lr": 3e-3}  # as `handlens transfer` trains
WAYS: dict[str, dict[str, Any]] = {
    "efficientnet, weights of ImageNet": preset_knobs("efficientnet"),
    "resnet, random weights": {"model": "resnet", **_LONG},
    "cnn, random weights": {"model": "cnn", "hidden_sizes": (128,), "dropout": 0.3, **_LONG},
}


def one(data: hl.Dataset, knobs: dict[str, Any]) -> tuple[float, float]:
    """Accuracy on 2,000 test images, and seconds of training."""
    planned, start = plan_new(make_config({**knobs, "val": 0}), images=data), time.perf_counter()
    with device.settled(torch.device("cpu"), planned.config.threads):
        state = planned.state()
        for _row in train(state, planned.loader, epochs=planned.config.epochs):
            pass
        seconds = time.perf_counter() - start
        chosen = torch.linspace(0, len(data.test) - 1, 2000).long()
        predictions = models.predict_logits(state.network, data.test.images[chosen]).argmax(1)
    return (predictions == data.test.labels[chosen]).float().mean().item(), seconds


def measure(data: hl.Dataset, counts: list[int], seeds: int) -> Iterator[dict[str, Any]]:
    """One row of results for each way and number of images."""
    for way, knobs in WAYS.items():
        for count in counts:
            found = [one(data, {**knobs, "examples": count, "seed": seed}) for seed in range(1, seeds + 1)]
            accuracies, times = zip(*found, strict=True)
            yield {"way": way, "count": count, "accuracies": accuracies, "times": times}


def main() -> None:
    """Print a Markdown table and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--counts", default="100,300,1000")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--save", type=Path, default=Path("few-photographs.png"))
    options = parser.parse_args()
    data, counts = hl.load(options.data, val=0), [int(count) for count in options.counts.split(",")]
    print("| network | training images | test accuracy, mean | lowest to highest | training, s: median |")
    print("| --- | --- | --- | --- | --- |")
    scores: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for row in measure(data, counts, options.seeds):
        accuracies = row["accuracies"]
        scores[row["way"]].append(list(accuracies))
        spread, seconds = f"{min(accuracies):.1%} to {max(accuracies):.1%}", statistics.median(row["times"])
        print(f"| {row['way']} | {row['count']:,} | {statistics.mean(accuracies):.1%} | {spread} | {seconds:.0f} |", flush=True)
    files.write_atomic(options.save, plots.png(plots.plot_few_examples(counts, scores, 1 / len(data.classes))))


if __name__ == "__main__":
    main()
