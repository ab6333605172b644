"""How long `handlens --help` takes, as a multiple of an empty Python; and what else one waits for at the start.

python bench/start_up.py [--turns 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from usage import as_installed

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "handlens --help": [sys.executable, "-m", "handlens", "--help"],
    "handlens --version": [sys.executable, "-m", "handlens", "--version"],
    "handlens train --help": [sys.executable, "-m", "handlens", "train", "--help"],
    "import handlens": [sys.executable, "-c", "import handlens"],
    "import torch": [sys.executable, "-c", "import torch"],
    "MNIST from the cache": [sys.executable, "-c", "import handlens; handlens.load('mnist', val=0)"],
}


def main() -> None:
    """Take turns and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(turns + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=as_installed())
            if turn:
                times[name].append(time.perf_counter() - start)
    empty = times["python -c pass"]
    print(f"Python {sys.version.split()[0]}, {turns} turns\n\n| command | median, ms | times an empty Python: median | from | to |")
    print("| --- | --- | --- | --- | --- |")
    for name, seconds in times.items():
        ratios = [one / other for one, other in zip(seconds, empty, strict=True)]
        median = statistics.median(seconds) * 1000
        print(f"| `{name}` | {median:.0f} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |")


if __name__ == "__main__":
    main()
