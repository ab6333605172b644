"""Some trainings of a preset that differ in their seed: what one reaches alone, and what they reach together.

    python bench/ensemble.py [--seeds 10] [--members 5] [--first 8000] [--preset record]

Together the first members answer by the mean of their probabilities. Test-time augmentation asks each network nine times, with the image
moved by up to a pixel, and takes the mean too. Nothing is chosen here, so the test images are looked at once.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence

import torch
from fast_presets import trained
from torch import Tensor, nn

import handlens as hl
from handlens import models
from handlens.config import make_config
from handlens.presets import preset_knobs

PLACES = tuple(itertools.product((-1, 0, 1), repeat=2))


def shares(network: nn.Module, images: Tensor, places: Sequence[tuple[int, ...]]) -> Tensor:
    """Probabilities N,10, the mean over the image at these places."""
    return torch.stack([models.predict_logits(network, images.roll(place, (2, 3))).softmax(1) for place in places]).mean(0)


def accuracy(probabilities: Tensor, labels: Tensor) -> float:
    """The share of right answers."""
    return (probabilities.argmax(1) == labels).double().mean().item()


def main() -> None:
    """Train, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--members", type=int, default=5, help="so many of them, the first ones, answer together")
    parser.add_argument("--first", type=int, default=8000, help="the first seed")
    parser.add_argument("--preset", default="record")
    parser.add_argument("--data", default="mnist")
    options = parser.parse_args()
    knobs = preset_knobs(options.preset)
    data = hl.load(options.data, val=make_config(knobs).val)
    found: dict[str, list[Tensor]] = {"as they are": [], "moved by up to a pixel": []}
    for seed in range(options.first, options.first + options.seeds):
        network, (seconds, _) = trained(knobs, data, seed)
        for given, places in zip(found.values(), (((0, 0),), PLACES), strict=True):
            given.append(shares(network, data.test.images, places))
        print(f"seed {seed}: {accuracy(found['as they are'][-1], data.test.labels):.2%}, {seconds:.0f} s", file=sys.stderr, flush=True)
    heads = (f"{options.seeds} of {options.preset}, test images", "alone: mean", "lowest to highest", f"{options.members} together")
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for how, given in found.items():
        alone = [accuracy(one, data.test.labels) for one in given]
        together = accuracy(torch.stack(given[: options.members]).mean(0), data.test.labels)
        print(f"| {how} | {sum(alone) / len(alone):.3%} | {min(alone):.2%} to {max(alone):.2%} | {together:.2%} |")


if __name__ == "__main__":
    main()
