"""A run's folder as a folder: who may write into it, and where it goes when nobody wants it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from handlens import files
from handlens.errors import RunBusy, RunNotFound
from handlens.runs.names import new_id

_LOCK = "run.lock"
_TRASH = ".trash"
_PATIENCE_S = 0.5  # whoever lists runs looks at the lock for a moment


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold the right to write into a run's folder.

    Raises:
        RunBusy: another process has it; it says which.
    """
    try:
        with files.lock(folder / _LOCK, wait_s=_PATIENCE_S):
            yield
    except RunBusy as error:
        raise RunBusy(f"Run '{folder.name}' is being trained. {error.what}", where=str(folder), hint="Choose another name.") from error


def is_free(folder: Path) -> bool:
    """Whether nobody is writing into it."""
    return not files.is_locked(folder / _LOCK)


def move(folder: Path, target: Path) -> None:
    """Give a run's folder another place.

    Raises:
        RunBusy: it is being trained.
        FileError: something is there already, or the disk refuses.
    """
    with ExitStack() as held:
        held.enter_context(writing(folder))
        if files.WINDOWS:  # which moves no folder in which a file is open: neither ours, nor that of one who begins just now
            held.close()
        files.move(folder, target)
        files.remove(target / f"{_LOCK}.holder")


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
    move(folder, target)
    return target
