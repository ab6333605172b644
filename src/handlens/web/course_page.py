"""The routes of Course: the exercises with what their checks said, a check, a hint, and the files laid out."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from handlens.course import EXERCISES, folder, joined, material, progress
from handlens.course.check import check_file
from handlens.course.plan import Exercise, find
from handlens.errors import UsageError
from handlens.web.absent import needing
from handlens.web.asked import Asked, Body, Nothing


class Which(Body):
    """An exercise, by its name."""

    name: str = Field(max_length=40)


def what(_asked: Asked) -> dict[str, Any]:
    """The exercises with their tasks and their states, and where the learner's files are; no folder if none is laid out."""
    try:
        place = folder.find_folder()
    except UsageError:
        return {"folder": "", "exercises": [_shown(one, {}) for one in EXERCISES], "lessons": []}
    kept = progress.read(place)
    lessons = [{"file": path.name, "title": _title(path)} for path in sorted((place / "lessons").glob("*.ipynb"))]
    return {"folder": str(place), "exercises": [_shown(one, kept) for one in EXERCISES], "lessons": lessons}


def _shown(exercise: Exercise, kept: dict[str, dict[str, Any]]) -> dict[str, Any]:
    task = ast.get_docstring(ast.parse(material.stub(exercise))) or ""
    return {
        **{name: getattr(exercise, name) for name in ("number", "name", "title", "session", "file")},
        "task": task.partition("\n")[2].strip(),
        "state": progress.state_of(exercise, kept),
        "last": kept.get(exercise.name),
    }


def _title(notebook: Path) -> str:
    """Its first line; its name, if the learner has made something else of it."""
    try:
        first = "".join(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["source"])
    except (OSError, ValueError, LookupError, TypeError):
        first = ""
    return first.partition("\n")[0].strip("# ") or notebook.stem


def hint(asked: Asked) -> dict[str, Any]:
    """One of the three hints."""
    level = {"1": 1, "2": 2, "3": 3}.get(asked.path["level"])
    if level is None:
        raise UsageError("There are three hints.", hint="Ask for 1, 2 or 3.")
    return {"hint": material.hints(find(asked.path["name"]))[level - 1]}


def start(asked: Asked) -> dict[str, Any]:
    """Lay the files out, where the lab was started."""
    asked.read(Nothing)
    return {"written": len(folder.start(Path(folder.NAME)))}


def check(asked: Asked) -> dict[str, Any]:
    """Check the learner's file."""
    exercise = find(asked.read(Which).name)
    with needing("mnist"):  # whose test images the check of a kept run reads
        result = check_file(exercise)
    joined.send_soon(folder.find_folder())
    return dataclasses.asdict(result)
