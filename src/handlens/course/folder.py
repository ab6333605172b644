"""The learner's folder: laying files out, setting one back, catching up; what the learner wrote is always kept aside."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from handlens import files
from handlens.course import material, progress
from handlens.course.plan import EXERCISES, Exercise
from handlens.errors import UsageError

NAME = "course"
_PARTS = ("lessons", "slides")
_SHOWN = (".ipynb", "example_code.py", ".html")  # the pages hold their figures
_GUIDE = "slides/guide.html"  # it has the answers


def find_folder(folder: Path | None = None) -> Path:
    """The learner's folder: the one that is named, or the one we stand in or above.

    Raises:
        FileError: the system does not let us look.
        UsageError: none was laid out here.
    """
    here = Path.cwd()
    places = [folder] if folder else [here, here / NAME, here.parent]
    found = next((place for place in places if any(files.is_file(place / "exercises" / one.file) for one in EXERCISES)), None)
    if found is None:
        raise UsageError("The course is not laid out here.", where=str(folder or here), hint="handlens course start")
    return found


def path_of(exercise: Exercise, folder: Path | None = None) -> Path:
    """The learner's file of an exercise.

    Raises:
        UsageError: the course is not laid out here.
    """
    return find_folder(folder) / "exercises" / exercise.file


def start(folder: Path, *, instructor: bool = False) -> list[Path]:
    """Lay out exercises and lessons. A file that is there already stays as it is.

    Args:
        folder: where; it is made if it is not there.
        instructor: the instructor's guide too.

    Returns:
        The files that were written.

    Raises:
        FileError: the folder cannot be written.
    """
    wanted = {f"exercises/{one.file}": material.stub(one).encode() for one in EXERCISES}
    wanted |= {name: content for name, content in _lessons() if instructor or name != _GUIDE}
    written = []
    for name, content in wanted.items():
        path = folder / name
        if not path.exists():
            files.make_folder(path.parent)
            written.append(files.write_atomic(path, content))
    return written


def _lessons() -> Iterator[tuple[str, bytes]]:
    root = resources.files("handlens.course")
    for part in _PARTS:
        if root.joinpath(part).is_dir():
            yield from _below(root.joinpath(part), part)


def _below(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        path = f"{name}/{entry.name}"
        if entry.is_dir() and not entry.name.startswith("__"):
            yield from _below(entry, path)
        elif entry.is_file() and entry.name.endswith(_SHOWN):
            yield path, entry.read_bytes()


def reset(exercise: Exercise, folder: Path | None = None) -> Path | None:
    """Begin an exercise again: the file, and what is remembered of its checks.

    Returns:
        Where the learner's version was put; None if there was nothing of theirs.
    """
    path = path_of(exercise, folder)
    aside = _replace(path, material.stub(exercise), keep_if_not=(material.stub(exercise),))
    progress.forget(path.parent.parent, exercise)
    return aside


def catch_up(number: int, folder: Path | None = None) -> list[tuple[Exercise, Path | None]]:
    """Put everybody at an exercise: those before it get their solutions, whatever was there is kept aside.

    Args:
        number: the exercise to go on with, from 1.
        folder: the learner's; the one around us if None.

    Returns:
        For each exercise before: where the learner's version was put, or None.

    Raises:
        UsageError: there is no such exercise, or no folder.
    """
    if not 1 <= number <= len(EXERCISES) + 1:
        raise UsageError(f"There is no exercise {number}.", hint=f"They go from 1 to {len(EXERCISES)}.")
    done = []
    for exercise in EXERCISES[: number - 1]:
        solution = material.solution(exercise)
        done.append((exercise, _replace(path_of(exercise, folder), solution, keep_if_not=(material.stub(exercise), solution))))
    return done


def _replace(path: Path, text: str, keep_if_not: tuple[str, ...]) -> Path | None:
    """Write a file; what stood there is kept beside it, unless it is one of ours."""
    own = files.read_bytes(path) if path.exists() else b""  # what cannot be read is not replaced
    aside = None
    if own and own not in tuple(one.encode() for one in keep_if_not):
        aside = files.write_atomic(_free_name(path), own)
    files.write_atomic(path, text)
    return aside


def _free_name(path: Path) -> Path:
    folder = files.make_folder(path.parent / "mine")
    number = 1
    while (found := folder / f"{path.stem}-{number}.py").exists():
        number += 1
    return found
