"""How much faster `handlens` trains the session's recipe than the session's own script, and whether it is as accurate.

    python bench/training_speed.py [--seeds 5] [--epochs 5] [--val] [--processor]

Both train 784-128-64-10 on all 60,000 images, batch 64, Adam 0.001, with loss and accuracy counted on the way. They take turns, so that
a machine that becomes slower becomes slower for both; what counts is the ratio of each turn. With `--val` a tenth of the images is kept
apart, and handlens alone measures on them after each epoch, as `handlens train session` does. `--processor` counts the seconds of the
processor and not the clock's, for a machine where other programs run; then with one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import session_script
import torch

import handlens as hl
from handlens import device, models
from handlens.optim import make_optimizer
from handlens.train import State, train


def ours(data: hl.Dataset, epochs: int, seed: int) -> torch.nn.Module:
    """The same recipe through handlens' loop."""
    model = hl.models.MLP((128, 64), seed=seed)
    with device.settled(torch.device("cpu"), torch.get_num_threads()):
        state, loader = State(model, make_optimizer(model, "adam", lr=0.001)), hl.batches(data.train, 64, seed=seed)
        list(train(state, loader, (data.val.images, data.val.labels) if len(data.val) else None, epochs=epochs))
    return model


def timed(function: object, data: hl.Dataset, epochs: int, seed: int, now: Callable[[], float]) -> tuple[float, float]:
    """Seconds, and accuracy on the test images."""
    start = now()
    model = function(data, epochs, seed)  # type: ignore[operator]
    seconds = now() - start
    predictions = models.predict_logits(model, data.test.images).argmax(1)
    return seconds, (predictions == data.test.labels).float().mean().item()


def main() -> None:
    """Take turns and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--val", action="store_true")
    parser.add_argument("--processor", action="store_true")
    options = parser.parse_args()
    now = time.process_time if options.processor else time.perf_counter
    data = hl.load("mnist", val=0.1 if options.val else 0)
    script = lambda data, epochs, seed: session_script.train(data.train, epochs, seed)  # noqa: E731
    for function in (script, ours):
        timed(function, hl.Dataset("few", data.train.subset(torch.arange(6400)), data.val, data.test), 1, 0, now)
    print(f"{device.title(torch.device('cpu'))}, torch {torch.__version__}, {options.epochs} epochs of {len(data.train):,} images\n")
    print("| seed | script, images/s | handlens, images/s | ratio | script, accuracy | handlens, accuracy |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = []
    for seed in range(options.seeds):
        (slow, first), (fast, second) = (timed(one, data, options.epochs, seed, now) for one in (script, ours))
        rows.append((slow, fast, slow / fast, first, second))
        images = len(data.train) * options.epochs
        print(f"| {seed} | {images / slow:,.0f} | {images / fast:,.0f} | {slow / fast:.2f} | {first:.2%} | {second:.2%} |", flush=True)
    _, _, ratios, firsts, seconds = zip(*rows, strict=True)
    print(f"\nratio: median {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    for name, values in (("script", firsts), ("handlens", seconds)):
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"accuracy, {name}: mean {statistics.mean(values):.2%}, standard deviation {spread:.2%}")


if __name__ == "__main__":
    main()
