"""Where the lessons, slides, guide and handout lie in the package, and a copy of them for a learner."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from handlens import files
from handlens.errors import UsageError, nearest

PAGES = ("slides", "guide", "handout")
EXAMPLE = "session_2_example_code.py"


def home() -> Path:
    """The folder of the course in the package.

    Raises:
        UsageError: handlens was not installed as files.
    """
    folder = resources.files("handlens.course")
    if not isinstance(folder, Path):
        raise UsageError("The lessons are in an archive.", hint="Install handlens with pip, so that its files lie in a folder.")
    return folder


def lessons() -> list[str]:
    """The names of the lessons, in their order, such as `01_recap`."""
    return sorted(path.stem for path in (home() / "lessons").glob("[0-9]*.ipynb"))


def notebook(lesson: str) -> Path:
    """The notebook of a lesson, by its name or its number.

    Raises:
        UsageError: there is none.
    """
    number = lesson.zfill(2)
    found = next((name for name in lessons() if name == lesson or name.split("_")[0] == number), None)
    if found is None:
        raise UsageError(f"There is no lesson '{lesson}'.", hint=nearest(lesson, lessons()))
    return home() / "lessons" / f"{found}.ipynb"


def page(name: str) -> Path:
    """The file of the slides, the guide or the handout: HTML that holds all that it shows.

    Raises:
        UsageError: there is no page of that name.
    """
    if name not in PAGES:
        raise UsageError(f"There is no page '{name}'.", hint=nearest(name, PAGES))
    return home() / "slides" / f"{name}.html"


def material() -> list[Path]:
    """All that a learner is given: the notebooks, the example, the handout."""
    return [*map(notebook, lessons()), home() / "lessons" / EXAMPLE, page("handout")]


def copy(folder: Path) -> list[Path]:
    """Lay what a learner is given into a folder; what is there already, and may have been changed, stays. Gives what was written.

    Raises:
        FileError: the disk refuses.
    """
    missing = [path for path in material() if not (folder / path.name).exists()]
    return [files.write_atomic(folder / path.name, path.read_bytes()) for path in missing]
