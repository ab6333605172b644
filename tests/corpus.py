"""Which cases of a big corpus are run: all in `make test-full`; else a fixed tenth and a tenth that the commit chooses."""

import functools
import os
import random
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

Case = TypeVar("Case")

ROOT = Path(__file__).resolve().parents[1]
FULL = bool(os.environ.get("HANDLENS_FULL"))


@functools.cache
def commit() -> str:
    """The hash of the commit that is being tested; `none` outside a git checkout."""
    answer = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "none"


def portion(cases: Sequence[Case]) -> list[Case]:
    """The cases to run now: every tenth, and as many of the others, drawn by the commit's hash. All of them in `make test-full`."""
    if FULL:
        return list(cases)
    others = [index for index in range(len(cases)) if index % 10]
    drawn = random.Random(commit()).sample(others, len(others) // 9)
    return [cases[index] for index in sorted([*range(0, len(cases), 10), *drawn])]


def amount(name: str, quick: int) -> int:
    """How many times to do something that is done at random: `quick`, or what the variable HANDLENS_<name> says.

    `make test-full` sets these variables (tests/full.py). A test that uses this calls `record_property("cases", n)`, so that the table
    at the end says how many there were.
    """
    return int(os.environ.get(f"HANDLENS_{name.upper()}", quick))
