"""A run's folder as a folder: who may write into it, and where it goes when nobody wants it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handlens import files
from handlens.errors import RunBusy, RunNotFound
from handlens.runs.names import new_id

_LOCK = "run.lock"
_TRASH = ".trash"


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the right to write into a run's folder.

    Raises:
        RunBusy: another process has it; it says which.
    """
    try:
        with files.lock(folder / _LOCK):
            yield
    except RunBusy as error:
        raise RunBusy(f"Run '{folder.name}' is being trained. {error.what}", where=str(folder), hint="Choose another name.") from error


def is_free(folder: Path) -> bool:
    """Whether nobody is writing into it."""
    try:
        with files.lock(folder / _LOCK):
            return True
    except RunBusy:
        return False


def to_trash(root: Path, name: str) -> Path:
    """Move a run's folder, readable or not, to the trash beside the runs, and say where it is now.

    Raises:
        RunNotFound: there is no folder of exactly that name.
        RunBusy: it is being trained.
    """
    folder = files.child(root, name)
    if not folder.is_dir():
        raise RunNotFound(f"There is no run '{name}'.", where=str(root.resolve()), hint="It needs its exact name: handlens runs ls")
    target = root / _TRASH / f"{name}-{new_id()}"
    with writing(folder):
        files.move(folder, target)
    return target
