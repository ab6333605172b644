"""Run the doctor on all programs, right and broken, and print what it says otherwise: python -m doctor.score [--seeds N] [WORD ...].

Words choose programs by their names; with `--seeds` each is run N times, from other random numbers. PYTHONPATH is src:tests.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from doctor import ground
from doctor.corpus import ALL_RIGHT, BROKEN
from doctor.programs import Mutant

import handlens as hl
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


def seeded(text: str, seed: int) -> str:
    """A program that begins with other random numbers; its lines stay where they are."""
    return text.replace("SEED = 0", f"SEED = {seed}").replace("import torch\n", f"import torch; torch.manual_seed({seed})\n", 1)


def main(seeds: int, words: list[str]) -> None:
    """Ask of every program that is chosen, and print misses, false alarms, shares and times."""
    bad = [one for one in BROKEN if not words or any(word in one.name for word in words)]
    right = {name: text for name, text in ALL_RIGHT.items() if not words or any(word in name for word in words)}
    for seed in range(seeds):
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda one, seed=seed: ask(seeded(one.text, seed)), bad))
            silent = list(pool.map(lambda text, seed=seed: ask(seeded(text, seed)), right.values()))
        hits = [answer.causes[:1] == (one.cause,) for one, answer in zip(bad, answers, strict=True)]
        lines = [hit and right_line(one, answer.line) for one, hit, answer in zip(bad, hits, answers, strict=True)]
        for one, hit, line, answer in zip(bad, hits, lines, answers, strict=True):
            if not line:
                print(f"{'line' if hit else 'MISS'} {one.name}: said {answer.causes[:4]} line {answer.line}: {answer.evidence[-300:]}")
        for name, answer in zip(right, silent, strict=True):
            if answer.causes or answer.failure:
                print(f"FALSE {name}: {answer.causes} line {answer.line}: {answer.evidence} {answer.failure[:200]}")
        times = sorted(answer.seconds for answer in answers + silent)
        quiet = sum(not answer.causes for answer in silent)
        print(f"seed {seed}: {sum(hits)} of {len(bad)} first, {sum(lines)} with the right line; {quiet} of {len(right)} right ones silent;")
        if times:
            print(f"        median {times[len(times) // 2]:.1f} s, slowest {times[-1]:.1f} s", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[2]) if sys.argv[1:2] == ["--seeds"] else 1
    chosen = sys.argv[3 if sys.argv[1:2] == ["--seeds"] else 1 :]
    with tempfile.TemporaryDirectory() as files:
        os.chdir(ground.prepare(Path(files), hl.load("mnist")))
        main(count, chosen)
