"""What lies in the package for each exercise: stub, solution, hints, and the right and mistaken programs that its check is tested with."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from handlens.course.plan import Exercise, find
from handlens.errors import FailedError
from handlens.words import counted

_SECTION = re.compile(r"^# %% ?(.*)\n", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """The solution with a mistake in it.

    Attributes:
        cause: the id that the check must give.
        name: what is done.
        text: the program.
    """

    cause: str
    name: str
    text: str


def text_of(exercise: Exercise, name: str) -> str:
    """One of an exercise's files."""
    return resources.files("handlens.course").joinpath("exercises", exercise.folder, name).read_text(encoding="utf-8")


def stub(exercise: Exercise) -> str:
    """What the learner begins with."""
    return text_of(exercise, "stub.py")


def solution(exercise: Exercise) -> str:
    """One that is right."""
    return text_of(exercise, "solution.py")


def ours(name: str) -> Any:
    """What a lesson goes on with until yours is done: the class or function that our solution of an exercise defines first.

    Args:
        name: of the exercise, such as `cnn`.

    Raises:
        UsageError: there is no such exercise.
    """
    exercise = find(name)
    solved = importlib.import_module(f"handlens.course.exercises.{exercise.folder}.solution")
    return getattr(solved, importlib.import_module(exercise.module).NEEDS[0])


def hints(exercise: Exercise) -> tuple[str, ...]:
    """Three hints, each says more than the one before."""
    return tuple(part.strip() for part in re.split(r"^## .*$", text_of(exercise, "hints.md"), flags=re.MULTILINE)[1:])


def right_programs(exercise: Exercise) -> dict[str, str]:
    """Programs in other styles that must pass, by name. What stands before the first begins each of them."""
    begin, sections = _sections(text_of(exercise, "right.txt"))
    return {name: begin + body for name, body in sections}


def mutants(exercise: Exercise) -> list[Mutant]:
    """The solution with one mistake in each: lines with `-` are replaced by those with `+`."""
    found = []
    for title, body in _sections(text_of(exercise, "wrong.txt"))[1]:
        cause, _, name = title.partition(": ")
        found.append(Mutant(cause, name or cause, _changed(solution(exercise), body, title)))
    return found


def _sections(text: str) -> tuple[str, list[tuple[str, str]]]:
    begin, *parts = _SECTION.split(text)
    return begin, list(zip(parts[::2], parts[1::2], strict=True))


def _changed(text: str, change: str, title: str) -> str:
    """Replace lines; each group that is taken out must stand in the text just once."""
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", change, re.MULTILINE):
        out, put = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        if text.count(out) != 1:
            raise FailedError(f"These lines stand {counted(text.count(out), 'time')} in the solution:\n{out}", where=title)
        text = text.replace(out, put)
    return text
