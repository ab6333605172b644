"""Whether time and memory grow as they should: one epoch of the session's recipe on synthetic images, more and more of them.

    python bench/growth.py [--images 10000 60000 240000 800000]

Each number of images is trained on in a process of its own. Time is the processor's, so that other programs count little; memory is the
most that the process ever held, less what it held once `torch` was imported.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import torch
from usage import most_memory_mb, processor_s

from handlens import data, models
from handlens.optim import make_optimizer
from handlens.train import State, train


def one(count: int) -> None:
    """Train an epoch and print seconds, MB above the import, and MB of the images themselves."""
    torch.set_num_threads(1)
    before = most_memory_mb()
    images = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    split = data.Split(images, torch.arange(count) % 10, tuple("0123456789"))
    model = models.MLP((128, 64), seed=1)
    start = processor_s()
    list(train(State(model, make_optimizer(model, "adam", lr=0.001)), data.batches(split, 64, seed=1), epochs=1))
    print(f"{processor_s() - start:.3f} {most_memory_mb() - before:.1f} {images.numel() / 1e6:.1f}")


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 60_000, 240_000, 800_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    print("| images | processor, s | us an image | memory above `import torch`, MB | of them the images, MB |")
    print("| --- | --- | --- | --- | --- |")
    for count in options.images:
        told = subprocess.run([sys.executable, __file__, "--one", str(count)], check=True, capture_output=True, text=True).stdout
        seconds, memory, own = map(float, told.split())
        print(f"| {count:,} | {seconds:.2f} | {1e6 * seconds / count:.1f} | {memory:.0f} | {own:.0f} |", flush=True)


if __name__ == "__main__":
    main()
