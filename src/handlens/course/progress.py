"""What was checked so far, in the learner's folder."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from pathlib import Path
from typing import Any

from handlens import files
from handlens.course.plan import EXERCISES, Exercise
from handlens.course.verdict import Result
from handlens.errors import FileError

_FILE = ".progress.json"
_MOST_BYTES = 1 << 20
_KEPT = ("passed", "cause", "sentence", "change", "evidence", "line", "code", "note")


def remember(folder: Path, result: Result) -> str:
    """Keep the newest result of an exercise; once passed it stays passed.

    Returns:
        What the learner must know: that what was kept before could not be read, and where it is now; mostly nothing.
    """
    place = folder / _FILE
    with files.lock(folder / (_FILE + ".lock"), wait_s=5):
        said = _put_aside(place)
        everything = _everything(folder)
        before = _of_exercises(everything).get(result.exercise, {})
        new: dict[str, Any] = {name: getattr(result, name) for name in _KEPT}
        new |= {"tries": before.get("tries", 0) + 1, "done": result.passed or before.get("done", False), "at": round(time.time())}
        files.write_atomic(place, json.dumps(everything | {result.exercise: new}, indent=1))
    return said


def _put_aside(place: Path) -> str:
    """Give a file that cannot be read another name, before a new one takes its place; says so."""
    if not files.is_file(place) or _content(place) is not None:
        return ""
    names = (place.with_name(f".progress-unreadable-{number}.json") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    files.move(place, aside)
    return (
        f"What you had passed before cannot be read: {_FILE} is damaged, and is kept as {aside.name} in {place.parent}. "
        "To have your exercises counted again: handlens course check"
    )


def forget(folder: Path, exercise: Exercise) -> None:
    """An exercise is as if it was never checked."""
    with files.lock(folder / (_FILE + ".lock"), wait_s=5):
        everything = _everything(folder)
        if everything.pop(exercise.name, None):
            files.write_atomic(folder / _FILE, json.dumps(everything, indent=1))


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The newest result of each exercise, by name; nothing if it cannot be read."""
    return _of_exercises(_everything(folder))


def _everything(folder: Path) -> dict[str, Any]:
    """All that is in the file: also what another version of handlens knows, and this one does not; nothing if it cannot be read."""
    with contextlib.suppress(FileError):
        return _content(folder / _FILE) or {}
    return {}


def _content(place: Path) -> dict[str, Any] | None:
    """What is in the file; None if that is something else than results.

    Raises:
        FileError: it is not there, or cannot be read just now; then it may be as good as before.
    """
    if files.is_file(place) and place.stat().st_size > _MOST_BYTES:
        return None
    try:
        content = json.loads(files.read_bytes(place, _MOST_BYTES))
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _of_exercises(everything: dict[str, Any]) -> dict[str, dict[str, Any]]:
    names = {exercise.name for exercise in EXERCISES}
    entries = {name: one for name, one in everything.items() if name in names and isinstance(one, dict)}
    return {name: one for name, one in entries.items() if isinstance(one.get("tries", 0), int)}


def state_of(exercise: Exercise, kept: dict[str, dict[str, Any]]) -> str:
    """`passed`, `not yet`, or nothing if it was never checked."""
    one = kept.get(exercise.name)
    return "" if one is None else "passed" if one.get("done") else "not yet"
