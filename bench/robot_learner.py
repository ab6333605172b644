"""A robot does the whole course as a learner would, at a terminal and in notebooks: how long does it compute, and how long would one wait?

    python bench/robot_learner.py [--examples 2000]

It asks `preflight`, lays the course out, runs the session's script, does each exercise from the stub through two typical mistakes and all
hints to the solution, trains the CNN and has its 98 % proved, then runs every cell of every notebook. `--examples` trains the lessons on
fewer images than the course has; all else is as in the course. Goal: 20 minutes of the session's 120, and no wait longer than 90 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import jupytext
from nbclient import NotebookClient
from usage import processor_s

from handlens.course import EXERCISES, Exercise, material

MISTAKES = 2


class Robot:
    """Waits, by the kind of what is waited for: seconds by the clock, and what it was."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.waits: dict[str, list[tuple[float, str]]] = defaultdict(list)

    def wait(self, kind: str, *command: str, ends: int = 0, within: str = ".") -> str:
        """Run a command in the learner's folder; gives what it printed."""
        start = time.perf_counter()
        answer = subprocess.run(command, cwd=self.place / within, capture_output=True, text=True, check=False)
        self.waits[kind].append((time.perf_counter() - start, " ".join(command[-2:])))
        if answer.returncode != ends:
            raise SystemExit(f"{' '.join(command)} ended with {answer.returncode}, not {ends}:\n{answer.stdout}{answer.stderr}")
        return answer.stdout

    def course(self, *words: str, ends: int = 0) -> str:
        """A command of `handlens course`."""
        return self.wait(words[0], sys.executable, "-m", "handlens", "course", *words, ends=ends)

    def exercise(self, one: Exercise) -> None:
        """The stub, two mistakes and a hint after each, the last hint, the solution."""
        path = self.place / "exercises" / one.file
        self.course("check", one.name, ends=1)
        for mistake in material.mutants(one)[:MISTAKES]:
            path.write_text(mistake.text)
            self.course("check", one.name, ends=1)
            self.course("hint", one.name)
        self.course("hint", one.name)
        path.write_text(material.solution(one))
        if one.name == "cnn":
            self.wait("the CNN's training", sys.executable, one.file, within="exercises")
        self.course("check", one.name)

    def notebook(self, path: Path) -> None:
        """Every cell, in a kernel of its own, as one opens a notebook anew."""
        book, starts = jupytext.read(path), dict[int, float]()
        client = NotebookClient(
            book,
            timeout=600,
            resources={"metadata": {"path": str(path.parent)}},
            on_cell_execute=lambda cell, cell_index: starts.__setitem__(cell_index, time.perf_counter()),
            on_cell_executed=lambda cell, cell_index, execute_reply: self.waits["a cell"].append(
                (time.perf_counter() - starts[cell_index], f"{path.stem}: {cell.source.strip().splitlines()[0][:60]}")
            ),
        )
        start = time.perf_counter()
        client.execute()
        self.waits["a notebook, from its start"].append((time.perf_counter() - start, path.stem))


def main() -> None:
    """Print a table of waits, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", help="images that the lessons train on; the course's own number if not given")
    options = parser.parse_args()
    if options.examples:
        os.environ["HANDLENS_COURSE_EXAMPLES"] = options.examples
    start, used = time.perf_counter(), processor_s()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HANDLENS_RUNS"] = str(Path(folder, "runs"))
        robot = Robot(Path(folder))
        robot.course("preflight")
        robot.course("start", ".")
        robot.wait("the session's script", sys.executable, "session_2_example_code.py", within="lessons")
        for one in EXERCISES:
            robot.exercise(one)
        for path in sorted(Path(folder, "lessons").glob("*.ipynb")):
            robot.notebook(path)
    print("| waited for | times | in all, s | median, s | longest, s | which |\n| --- | --- | --- | --- | --- | --- |")
    for kind, waits in robot.waits.items():
        longest, which = max(waits)
        middle = sorted(waits)[len(waits) // 2][0]
        print(f"| {kind} | {len(waits)} | {sum(wait for wait, _ in waits):.1f} | {middle:.1f} | {longest:.1f} | {which} |")
    print(f"\nIn all {(time.perf_counter() - start) / 60:.1f} minutes, {(processor_s() - used) / 60:.1f} of processors.")


if __name__ == "__main__":
    main()
