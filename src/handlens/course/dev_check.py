"""The rules of the exercises, tried: the stub fails kindly, solution and other styles pass, mistakes are named, no cheat passes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch

from handlens import files
from handlens.course import kept, material
from handlens.course.cheats import CHEATS, RUNS
from handlens.course.check import Attempt, check_attempts
from handlens.course.plan import EXERCISES, Exercise, find
from handlens.course.verdict import Result

STYLES, MUTANTS = 8, 15
LONGEST, UNKIND = 25, re.compile(r"\b(error|illegal|invalid|wrong)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """A program, and what its check must say: the cause, or nothing if it passes."""

    exercise: Exercise
    name: str
    cause: str
    text: str


def cases(exercise: Exercise) -> list[Case]:
    """Everything that the check of an exercise is tried with: stub, empty file, solution, right styles, mutants."""
    fixed = [("stub", "not_begun", material.stub(exercise)), ("empty file", "empty", ""), ("solution", "", material.solution(exercise))]
    styles = [(name, "", text) for name, text in material.right_programs(exercise).items()]
    mutants = [(one.name, one.cause, one.text) for one in material.mutants(exercise)]
    return [Case(exercise, *row) for row in (*fixed, *styles, *mutants)]


def try_cases(chosen: Sequence[Case], seed: int | None = None) -> list[tuple[Case, Result]]:
    """Check all of these programs."""
    attempts = [Attempt(case.exercise, case.text, Path(case.exercise.file), with_run=False) for case in chosen]
    return list(zip(chosen, check_attempts(attempts, seed), strict=True))


def cheats_that_pass(chosen: Sequence[Exercise] = EXERCISES) -> tuple[int, list[str]]:
    """Try the cheats of these exercises; gives how many there are, and what is to be said of those that pass or get another answer.

    Raises:
        DataMissing: those of `cnn` are among them, and MNIST is not on this machine.
    """
    plain = [(cheat, "", Attempt(find(name), text, Path(find(name).file), with_run=False)) for cheat, name, text in CHEATS]
    with tempfile.TemporaryDirectory(prefix="handlens-cheats-") as place:
        own = [one for one in (*plain, *_with_runs(Path(place))) if one[2].exercise in chosen]
        results = check_attempts([attempt for *_, attempt in own])
    return len(own), [
        f"{result.exercise}: {result.cause or 'it passes, and does not do it'}: {cheat}"
        for (cheat, cause, _), result in zip(own, results, strict=True)
        if result or cause not in ("", result.cause)
    ]


def _with_runs(place: Path) -> Iterator[tuple[str, str, Attempt]]:
    """The cheats that need a kept run, with the run of each in a folder of its own below `place`."""
    exercise = find("cnn")
    weights = {"untrained": material.ours("cnn")().state_dict(), "starter": kept.starter_weights()}
    for number, (cheat, whose, cause, lines) in enumerate(RUNS):
        path = files.make_folder(place / str(number)) / exercise.file
        files.write_atomic(path.with_suffix(".safetensors"), safetensors.torch.save(weights[whose]))
        yield cheat, cause, Attempt(exercise, material.solution(exercise) + lines, path)


def complaints(tried: Iterable[tuple[Case, Result]]) -> list[str]:
    """What came out otherwise than it must, and messages that are long or unkind."""
    found = []
    for case, result in tried:
        if (result.cause, result.passed) != (case.cause, not case.cause):
            said = f"{result.cause or 'passed'}: {result.sentence} {result.evidence} (line {result.line})"
            found.append(f"{case.exercise.name}, {case.name}: {case.cause or 'passed'} was expected, and this came: {said}")
        if not result.passed and (unkind := unkind_words(result)):
            found.append(f"{case.exercise.name}, {case.name}: {unkind}")
    return found


def unkind_words(result: Result) -> str:
    """What is not as messages should be: at most 25 words, none of the harsh ones, and a next step."""
    for text in (result.sentence, result.change):
        if not 0 < len(text.split()) <= LONGEST:
            return f"{len(text.split())} words: {text}"
        if UNKIND.search(text):
            return f"an unkind word: {text}"
    return ""


def too_few(exercise: Exercise) -> list[str]:
    """Where an exercise has too few styles, mutants or hints."""
    styles, mutants = len(material.right_programs(exercise)), len(material.mutants(exercise))
    counts = ((styles, STYLES, "right styles"), (mutants, MUTANTS, "mutants"), (len(material.hints(exercise)), 3, "hints"))
    return [f"{exercise.name}: {count} {what}, {wanted} are needed" for count, wanted, what in counts if count < wanted]


def dev_check(chosen: Sequence[Exercise] = EXERCISES) -> tuple[int, list[str]]:
    """Carry all rules out; gives the number of programs that were tried, and what is not as it should be."""
    tried = [pair for exercise in chosen for pair in try_cases(cases(exercise))]
    cheats, passed = cheats_that_pass(chosen)
    return len(tried) + cheats, [*(line for exercise in chosen for line in too_few(exercise)), *complaints(tried), *passed]
