"""The 64 trainings of the session's second homework, five epochs each, against 64 trainings by the session's own script.

    python bench/grid.py [--seeds 3] [--prune]

The grid is one call of `handlens sweep` with two workers. The script trains before it and after it on 12,000 of its 300,000 images; its
time for 64 whole trainings is reckoned from the mean of the two, and with several seeds counts as often. `--keep FOLDER` keeps runs,
figures and findings there.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from os import environ
from pathlib import Path

import session_script
import torch
from usage import timed

import handlens as hl

TRAININGS, IMAGES, WHOLE = 64, 12_000, 300_000


def main() -> None:
    """Print what each takes, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--prune", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    few = hl.load("mnist", val=0).train.subset(torch.arange(IMAGES))
    session_script.train(few, 1, 0)
    times = [timed(lambda: session_script.train(few, 1, 1))]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "handlens", "sweep", "session-grid", "--workers", "2", "--name", "grid", "--epochs", "5"]
        command += ["--seeds", str(options.seeds), *(["--prune"] if options.prune else [])]
        runs = {**environ, "HANDLENS_RUNS": str(options.keep or folder)}
        grid = timed(lambda: subprocess.run(command, env=runs, check=True))
    times.append(timed(lambda: session_script.train(few, 1, 2)))
    for name, which, cores in (("clock", 0, 1), ("processor, shared by two cores", 1, 2)):
        script = options.seeds * TRAININGS * WHOLE / IMAGES * statistics.mean(one[which] for one in times)
        print(f"{name}: the script {script:,.0f} s, the grid {grid[which] / cores:,.0f} s, ratio {script * cores / grid[which]:.1f}")


if __name__ == "__main__":
    main()
