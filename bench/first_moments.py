"""What one waits for before a training runs and when a picture is asked about, and how much memory it takes, all with MNIST in the cache.

    python bench/first_moments.py [--turns 5]

Each turn is a new process; the first is not counted, in it Python compiles. Seconds of the clock and of the processor, which other
programs disturb less.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import subprocess
import sys
import tempfile
import time

from usage import as_installed, most_memory_mb, processor_s

MOMENTS = (
    "import torch",
    "import handlens",
    "MNIST from the cache",
    "first batch",
    "network, optimizer and first step",
    "one prediction, warm",
    "1,000 images, warm",
    "memory of two epochs above import torch, MB",
)
TELL = "; import time; print(time.process_time(), time.time())"
TORCH = "import torch" + TELL
FIRST_STEP = """
import os, sys, time
from handlens import cli, optim

step = optim.Fused.step

def first(self):
    step(self)
    print(time.process_time(), time.time(), flush=True)
    os._exit(0)

optim.Fused.step = first
sys.argv = ["handlens", "train", "session", "--threads", "1"]
cli.main()
"""


def now() -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    return time.perf_counter(), processor_s()


def one() -> None:
    """Go through the moments once and print a line for each."""
    times = [now()]
    import torch

    times.append(now())
    torch.set_num_threads(1)
    before = most_memory_mb()
    import handlens as hl
    from handlens import data as datasets

    times.append(now())
    data = hl.load("mnist")
    times.append(now())
    loader = datasets.batches(data.train, 64, seed=1)
    images, _labels = next(iter(loader))
    times.append(now())
    from handlens.models import MLP, predict_logits
    from handlens.optim import make_optimizer
    from handlens.train import State, train

    model = MLP((128, 64), seed=1)
    state = State(model, make_optimizer(model, "adam", lr=0.001))
    rows = train(state, loader, (data.val.images, data.val.labels), epochs=2, every=1)
    next(rows)
    times.append(now())
    for row in rows:
        del row
    memory = most_memory_mb() - before
    for some, repeats in ((images[:1], 100), (data.val.images[:1000], 20)):
        predict_logits(model, some)
        start = now()
        for _ in range(repeats):
            predict_logits(model, some)
        end = now()
        (clock, processor), share = times[-1], 1 / repeats
        times.append((clock + share * (end[0] - start[0]), processor + share * (end[1] - start[1])))
    for (clock, processor), (later, more) in itertools.pairwise(times):
        print(later - clock, more - processor)
    print(memory, 0)


def told_by(program: str) -> tuple[float, float]:
    """Seconds of the clock from the call of Python to the last line that a program prints, which has two numbers; and its processor's."""
    start = time.time()
    with tempfile.TemporaryDirectory() as runs:
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={**as_installed(), "HANDLENS_RUNS": runs}
        )
    processor, end = map(float, done.stdout.splitlines()[-1].split())
    return end - start, processor


def command(turns: int) -> None:
    """From the shell to the first training step, in turns with a Python that only imports torch."""
    pairs = [(told_by(TORCH), told_by(FIRST_STEP)) for _ in range(turns + 1)][1:]
    for unit, which in (("clock", 0), ("processor", 1)):
        bare, whole, more = zip(*((torch[which], step[which], step[which] - torch[which]) for torch, step in pairs), strict=True)
        medians = [f"{statistics.median(values):.2f} s" for values in (bare, whole, more)]
        spread = f"{min(more):.2f} to {max(more):.2f}"
        print(f"{unit}: import torch {medians[0]}, `handlens train session` to its first step {medians[1]}, more {medians[2]} ({spread})")


def main() -> None:
    """Print a Markdown table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one()
        return
    turns = []
    for _ in range(options.turns + 1):
        told = subprocess.run([sys.executable, __file__, "--one"], check=True, capture_output=True, text=True, env=as_installed()).stdout
        turns.append([tuple(map(float, line.split())) for line in told.splitlines()])
    del turns[0]
    print(f"{options.turns} turns, one thread\n\n| moment | clock, ms: median | processor, ms: median (lowest to highest) |")
    print("| --- | --- | --- |")
    for name, values in zip(MOMENTS, zip(*turns, strict=True), strict=True):
        clocks, processors = zip(*values, strict=True)
        if name.endswith("MB"):
            print(f"| {name} | {statistics.median(clocks):.0f} MB ({min(clocks):.0f} to {max(clocks):.0f}) | |")
            continue
        low, middle, high = (1000 * value for value in (min(processors), statistics.median(processors), max(processors)))
        print(f"| {name} | {1000 * statistics.median(clocks):.1f} | {middle:.1f} ({low:.1f} to {high:.1f}) |")
    print()
    command(options.turns)


if __name__ == "__main__":
    main()
