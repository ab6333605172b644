"""The same job in handlens, the session's script, PyTorch Lightning, Keras 3, skorch and scikit-learn: seconds, accuracy, start.

    for peer in lightning keras skorch sklearn; do sh bench/peers/venv.sh $peer; done
    python bench/peers/compare.py [--turns 3] [--fc-epochs 5] [--cnn-images 60000] [PEER ...]

Each training is a process of its own, in the peer's own environment; they take turns, so that a slower hour is one for all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

import handlens as hl

HERE = Path(__file__).parent
PEERS = ("handlens", "script", "lightning", "skorch", "keras", "sklearn")
Told = dict[str, float]


def ask(peer: str, file: Path, *job: object) -> Told:
    """What one training takes and reaches."""
    own = HERE / f".venv-{peer}/bin/python"
    command = [str(own if own.exists() else sys.executable), str(HERE / f"with_{peer}.py"), str(time.time()), str(file), *map(str, job)]
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}  # for the session's script
    answer: Told = json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return answer


def spread(values: list[float], digits: int = 1) -> str:
    """The median, and the lowest to the highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def rows(found: dict[str, list[Told]]) -> None:
    """Print a Markdown table; a turn's ratio is the peer's seconds to those of handlens."""
    print("| peer | s | of processor, s | times handlens | accuracy, mean | start, s | first use, s |\n" + "| --- " * 7 + "|")
    for peer, told in found.items():
        ratios = [one["seconds"] / ours["seconds"] for one, ours in zip(told, found["handlens"], strict=True)]
        columns = {name: [one[name] for one in told] for name in told[0]}
        accuracy = f"{statistics.mean(columns['accuracy']):.2%}"
        cells = [peer, spread(columns["seconds"]), spread(columns["processor"]), spread(ratios), accuracy]
        print(f"| {' | '.join([*cells, spread(columns['start']), spread(columns['first'])])} |", flush=True)


def main() -> None:
    """Take turns and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--fc-epochs", type=int, default=5)
    parser.add_argument("--cnn-images", type=int, default=60_000)
    parser.add_argument("peers", nargs="*", default=PEERS, help="handlens comes first, as the others are compared with it")
    options = parser.parse_args()
    data = hl.load("mnist", val=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mnist.npz"
        np.savez(
            file, images=data.train.images[:, 0], labels=data.train.labels, test_images=data.test.images[:, 0], test_labels=data.test.labels
        )
        for network, epochs, count in (("fc", options.fc_epochs, 60_000), ("cnn", 1, options.cnn_images)):
            found = defaultdict(list)
            for turn in range(options.turns):
                for peer in (peer for peer in options.peers if network == "fc" or peer != "sklearn"):
                    found[peer].append(ask(peer, file, network, epochs, count, turn))
            print(f"\n{network}: {options.turns} turns, {epochs} epochs of {count:,} images\n")
            rows(found)


if __name__ == "__main__":
    main()
