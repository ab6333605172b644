"""Run the doctor on every mutant and base, and print what it says: PYTHONPATH=src:tests python -m doctor.score [WORD ...]."""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from doctor.programs import BASES, Mutant, mutants

from handlens.doctor import Diagnosis, examine


def ask(text: str) -> Diagnosis:
    """What the doctor says of a program."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.py")
        path.write_text(text)
        return examine(path)[0]


def right_line(mutant: Mutant, line: int) -> bool:
    text = mutant.text
    if not mutant.line or mutant.line not in text:
        return True
    places, start = [], 0
    while (found := text.find(mutant.line, start)) >= 0:
        places.append(text[:found].count("\n") + 1 + (mutant.line[0] == "\n"))
        start = found + 1
    return any(abs(place + extra - line) <= 1 for place in places for extra in range(mutant.line.count("\n") + 1))


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = [one for one in mutants() if not words or any(word in one.name for word in words)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: ask(one.text), chosen))
        healthy = list(pool.map(ask, BASES.values())) if not words else []
    good = lines = 0
    for mutant, answer in zip(chosen, answers, strict=True):
        first = (answer.causes or ["-"])[0]
        hit, line = first == mutant.cause, right_line(mutant, answer.line)
        good, lines = good + hit, lines + (hit and line)
        if not hit or not line:
            print(f"{'line' if hit else 'MISS'} {mutant.name}: said {answer.causes[:4]} line {answer.line}: {str(answer.evidence)[-300:]}")
    for name, answer in zip(BASES, healthy, strict=False):
        if answer.causes:
            print("FALSE", name, answer.causes, answer.line, answer.evidence)
    times = sorted(answer.seconds for answer in answers + healthy)
    print(f"{good} of {len(chosen)} first, {lines} with the right line; median {times[len(times) // 2]:.1f} s, slowest {times[-1]:.1f} s")
