"""`check`: is an exercise done? The learner's code answers in a process of its own, and what it answers is judged here."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from handlens import files
from handlens.course import folder, joined, notebook, outcomes, progress, wire
from handlens.course.material import stub
from handlens.course.plan import Exercise, find
from handlens.course.verdict import Mistake, Result
from handlens.device import settled
from handlens.doctor.cause import all_causes
from handlens.errors import FileError, UsageError
from handlens.limits import Limits, run_limited

MOST_MEMORY, MOST_OUTPUT = 4 << 30, 32 << 20
_START_S, _EACH_S = 90.0, 10.0  # for what no clock inside the process can end


class Check(Protocol):
    """A module of `handlens.course.checks`.

    Attributes:
        NEEDS: the names that the learner's file defines.
        CAUSES: what the doctor may say of it, where it is not right. With `STRICT = True`, what it says is reason enough.

    A check may also have `play_on`, for what the doctor need not see; `ask_of_file`, for what lies beside the learner's file; `note`, for
    what is right and could be better; and `TIMES`, how many times the usual time the learner's code may take.
    """

    NEEDS: tuple[str, ...]
    CAUSES: tuple[str, ...]

    def ask(self, chance: torch.Generator) -> dict[str, Tensor]:
        """What the learner's code will be given."""

    def play(self, names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
        """What it makes of that; in the process of the learner's code."""

    def judge(self, given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
        """What is not right about that, if anything."""


@dataclass(frozen=True)
class Attempt:
    """A learner's solution of an exercise.

    Attributes:
        exercise: which one.
        text: the program.
        path: where it stands; a program from elsewhere, as a notebook, has no file there.
        needs: the names that are asked for; those of the exercise if empty.
        with_run: whether what the learner has trained is looked at too, where the exercise asks for it.
        unread: why there is no text, if there is none for a reason of its own.
    """

    exercise: Exercise
    text: str
    path: Path
    needs: tuple[str, ...] = ()
    with_run: bool = True
    unread: Mistake | None = None

    @property
    def check(self) -> Check:
        """The module that checks it."""
        found: Check = importlib.import_module(self.exercise.module)
        return found


def check(name: str, *objects: Any) -> Result:
    """Check an exercise: what you have defined in a notebook or a program, or your file of it.

    Args:
        name: of the exercise, such as `cnn`.
        objects: your classes and functions; without any, your file is checked.

    Raises:
        UsageError: no such exercise, the course is not laid out here, or the lines that define an object are not found.
    """
    exercise = find(name)
    if not objects:
        result = check_file(exercise)
        joined.send_soon(folder.find_folder())
        return result
    wanted = Attempt(exercise, "", Path(exercise.file)).check.NEEDS
    found = notebook.find(objects, wanted, sys._getframe(1).f_globals)
    whole, laid_out = len(found.needs) == len(wanted), False
    path = Path(exercise.file)
    with contextlib.suppress(UsageError):
        path, laid_out = folder.path_of(exercise), True  # beside which a kept run lies
    attempt = Attempt(exercise, found.text, path, found.needs, with_run=whole)
    result = check_attempts([attempt])[0]
    if not whole or found.of_lesson:
        return _uncounted(result, attempt)
    if laid_out:
        result = _remembered(path, result)
        joined.send_soon(path.parent.parent)
    return result


def _uncounted(result: Result, attempt: Attempt) -> Result:
    """A result of a part, or of lines that were given: the learner alone is told, and why."""
    if not result.passed:
        return dataclasses.replace(result, counts=False)
    part = () if attempt.with_run else attempt.needs
    note = f"These are the lines of the lesson, so nothing is counted. Write them yourself in {attempt.exercise.file}, and check that."
    if part:
        missing = [*(name for name in attempt.check.NEEDS if name not in part), *["your run"] * hasattr(attempt.check, "ask_of_file")]
        note = f"Not checked: {', '.join(missing)}. The exercise is passed when all of it is right."
    return dataclasses.replace(result, counts=False, part=part, note="\n".join(filter(None, [result.note, note])))


def check_file(exercise: Exercise, place: Path | None = None) -> Result:
    """Check the learner's file of an exercise, and remember what came of it; for the class too, if they have joined one.

    Args:
        exercise: which one.
        place: the learner's folder; the one around us if None.

    Raises:
        UsageError: the course is not laid out here.
        DataMissing: MNIST is needed for it, and is not on this machine.
    """
    path = folder.path_of(exercise, place)
    return _remembered(path, check_attempts([attempt_in(exercise, path)])[0])


def _remembered(path: Path, result: Result) -> Result:
    """Keep what was said of a whole exercise, for `ls` and for the class; what there is to say of that is added to its note."""
    said = progress.remember(path.parent.parent, result)
    joined.note_result(path.parent.parent, result)
    return dataclasses.replace(result, note="\n".join(filter(None, [result.note, said])))


def check_attempts(attempts: Sequence[Attempt], seed: int | None = None) -> list[Result]:
    """Check solutions. Several go through one process that has PyTorch already, where the system can copy processes.

    Args:
        attempts: the solutions.
        seed: decides what they are asked; drawn anew each time if None, so that nobody can know the answer before.
    """
    began = time.monotonic()
    chance = torch.Generator().manual_seed(int.from_bytes(os.urandom(6)) if seed is None else seed)
    early = [_without_running(attempt) for attempt in attempts]
    with settled(torch.device("cpu"), 1), tempfile.TemporaryDirectory(prefix="handlens-course-") as place:
        jobs = [Path(place, str(number)) for number in range(len(attempts))]
        asked = [None if mistake else _lay_out(attempt, job, chance) for attempt, job, mistake in zip(attempts, jobs, early, strict=True)]
        ended = _run([job for job, given in zip(jobs, asked, strict=True) if given is not None])
        said = [
            mistake or _judge(attempt, given or {}, job / "room" / "answer", ended)
            for attempt, job, mistake, given in zip(attempts, jobs, early, asked, strict=True)
        ]
    each = round((time.monotonic() - began) / max(1, len(attempts)), 2)
    return [_result(attempt, one, each) for attempt, one in zip(attempts, said, strict=True)]


def attempt_in(exercise: Exercise, path: Path) -> Attempt:
    """The solution that stands in a file, read as Python does; an empty one if there is no file."""
    try:
        return Attempt(exercise, files.read_source(path), path)
    except FileError as error:
        return Attempt(exercise, "", path, unread=outcomes.unread(error) if path.exists() else None)
    except SyntaxError:
        return Attempt(exercise, "", path, unread=outcomes.ENCODING)


def _without_running(attempt: Attempt) -> Mistake | None:
    """What can be said of the text alone."""
    if attempt.unread:
        return attempt.unread
    try:
        tree = ast.parse(attempt.text)
    except (SyntaxError, ValueError) as error:
        return outcomes.unreadable(error)
    if not tree.body:
        return outcomes.empty(attempt.exercise.name)
    if ast.dump(tree) == ast.dump(ast.parse(stub(attempt.exercise))):
        return outcomes.UNTOUCHED
    return None


def _lay_out(attempt: Attempt, job: Path, chance: torch.Generator) -> dict[str, Any]:
    """Write what the process needs; gives what the learner's code will be asked, with what only the judge may know."""
    given = attempt.check.ask(chance)
    if attempt.with_run and hasattr(attempt.check, "ask_of_file"):
        given |= attempt.check.ask_of_file(attempt.path, chance)
    room = files.make_folder(job / "room")
    files.write_atomic(room / attempt.path.name, attempt.text)
    wire.write(job / "given", {name: one for name, one in given.items() if not name.startswith(wire.WITHHELD)})
    needs = attempt.needs or attempt.check.NEEDS
    what = {"module": attempt.exercise.module, "file": attempt.path.name, "needs": needs, "beside": str(attempt.path.parent.absolute())}
    files.write_atomic(job / "job.json", json.dumps(what))
    return given


def _run(jobs: Sequence[Path]) -> outcomes.Ended:
    if not jobs:
        return outcomes.Ended()
    kept_calm = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    environment = {**os.environ, **kept_calm}
    environment.pop("PYTHONSTARTUP", None)
    limits = Limits(_START_S + _EACH_S * len(jobs), MOST_MEMORY, MOST_OUTPUT)
    command = [sys.executable, "-P", "-m", "handlens.course.child", *map(str, jobs)]
    finished = run_limited(command, limits, environment=environment)
    return outcomes.Ended(finished.stdout, finished.stderr, finished.returncode)


def _judge(attempt: Attempt, given: dict[str, Any], answer: Path, ended: outcomes.Ended) -> Mistake | str:
    """What is not right; else what could be better, or nothing."""
    try:
        found = wire.read(answer)
        values, failure, diagnosis = found["values"], found["failure"], found["diagnosis"]
    except (FileError, ValueError, KeyError):
        return outcomes.vanished(ended)
    named = _diagnosed(diagnosis, attempt.check.CAUSES if failure is None else tuple(all_causes()))
    if failure is not None:
        return outcomes.stopped(failure, named, attempt.path.parent)
    note = ""
    try:
        own = attempt.check.judge(given, values)
        if own is None and hasattr(attempt.check, "note"):
            note = attempt.check.note(values)
    except (TypeError, ValueError, LookupError, AttributeError, RuntimeError, ArithmeticError):  # a forged answer, or one of another form
        own = outcomes.OTHER_FORM
    if own is None and not getattr(attempt.check, "STRICT", False):
        return note
    return named or own or note


def _diagnosed(diagnosis: Any, causes: tuple[str, ...]) -> Mistake | None:
    if not isinstance(diagnosis, dict) or diagnosis.get("cause") not in causes:
        return None
    return Mistake(**{name: diagnosis[name] for name in ("cause", "sentence", "change", "evidence", "line")})


def _result(attempt: Attempt, mistake: Mistake | str, time_s: float) -> Result:
    if isinstance(mistake, str):
        return Result(attempt.exercise.name, True, place=attempt.path.name, note=mistake, time_s=time_s)
    lines = attempt.text.splitlines()
    code = lines[mistake.line - 1].strip() if 0 < mistake.line <= len(lines) else ""
    said = {name: getattr(mistake, name) for name in ("cause", "sentence", "change", "evidence", "line")}
    return Result(attempt.exercise.name, False, **said, place=attempt.path.name, code=code, time_s=time_s)
