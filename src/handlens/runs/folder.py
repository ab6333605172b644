"""A run's folder as a folder: who may write into it, and where it goes when nobody wants it any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from handlens import files
from handlens.errors import FileError, RunBusy, RunNotFound, UsageError
from handlens.runs.names import new_id

_LOCK = "run.lock"
_TRASH = ".trash"
_REMOVED = re.compile(r"(.+)-\d{8}-\d{6}-\d{6}")  # a name, and the id of when
SWEEPS = "sweeps"
"""The folder among the runs that holds the sweeps, whose trials are runs too."""

RESERVED = ("latest", "best", SWEEPS)
_HALF_MADE = re.compile(
    r"\..*\.tmp|run\.lock.*|(config|run)\.json(\.lock.*)?|env\.json|model\.py|rows\.jsonl|checkpoint\.json|epoch-0000\.safetensors"
)
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
        raise RunBusy(
            f"Run '{folder.name}' is being trained. {error.what}",
            where=str(folder),
            hint=f"Wait until it has ended, or stop it where it runs with Ctrl-C{_or_kill(error.what)}.",
        ) from error


def _or_kill(holder: str) -> str:
    """How to stop the process that a sentence names, from another terminal; handlens ends on SIGTERM as on Ctrl-C."""
    process = re.search(r"process (\d+)", holder)
    return f", or with: {'taskkill /PID' if files.WINDOWS else 'kill'} {process[1]}" if process else ""


def new_place(root: Path, name: str) -> Path:
    """The folder that a run of this name has or would have.

    Raises:
        UsageError: it cannot be a name, or means something else already.
    """
    if name in RESERVED:
        raise UsageError(f"'{name}' cannot be a run's name: it means something else already.", hint="Choose another name.")
    return files.child(root, name)


def strangers(folder: Path) -> list[str]:
    """What is in a folder that no training leaves there which ends before its run is made: one takes the lock before all else."""
    names = [path.name for path in files.entries(folder)]
    ours = any(name.startswith(_LOCK) for name in names)
    return [name for name in names if not ours or not _HALF_MADE.fullmatch(name)]


def is_half_made(folder: Path) -> bool:
    """Whether a training was about to begin here, and no run came of it, or not yet."""
    return not (folder / "run.json").exists() and not strangers(folder)


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
        with suppress(FileError):  # what is no lock file at all holds nobody off
            held.enter_context(writing(folder))
        if files.WINDOWS:  # which moves no folder in which a file is open: neither ours, nor that of one who begins just now
            held.close()
        files.move(folder, target)
        files.remove(target / f"{_LOCK}.holder")


def rename(folder: Path, name: str) -> Path:
    """Give a run's folder another name, and say where it is now.

    Raises:
        UsageError: it cannot be a name, or there is a run of that name.
        RunBusy: it is being trained.
    """
    target = new_place(folder.parent, name)
    if target.exists():
        raise UsageError(f"There is a run '{name}' already.", where=str(target), hint="Choose another name.")
    move(folder, target)
    return target


def existing_place(root: Path, name: str) -> Path:
    """The folder of exactly that name, readable or not.

    Raises:
        RunNotFound: there is none.
    """
    folder = files.child(root, name)
    if not folder.is_dir():
        raise RunNotFound(f"There is no run '{name}'.", where=str(root.resolve()), hint="It needs its exact name: handlens runs ls")
    return folder


def to_trash(root: Path, name: str) -> Path:
    """Move a run's folder, readable or not, to the trash beside the runs, and say where it is now.

    Raises:
        RunNotFound: there is no folder of exactly that name.
        RunBusy: it is being trained.
    """
    folder = existing_place(root, name)
    target = root / _TRASH / f"{name}-{new_id()}"
    move(folder, target)
    return target


def removed(root: Path) -> list[tuple[str, str]]:
    """What is in the trash, the newest first: what each folder there is called, and the name that it had."""
    found = [(path.name, match[1]) for path in files.entries(root / _TRASH) if (match := _REMOVED.fullmatch(path.name))]
    return sorted(found, key=lambda pair: pair[0][len(pair[1]) :], reverse=True)


def take_back(root: Path, entry: str) -> Path:
    """Move a folder from the trash to where it was, and say where it is now.

    Raises:
        RunNotFound: nothing in the trash is called exactly that.
        UsageError: there is another run of its name by now.
    """
    name = dict(removed(root)).get(entry)
    if name is None:
        raise RunNotFound("This run is not in the trash.", where=str(root / _TRASH), hint="It may have been put back already.")
    target = new_place(root, name)
    if target.exists():
        raise UsageError(f"There is another run '{name}' by now.", where=str(target), hint="Rename or remove that one first.")
    files.move(root / _TRASH / entry, target)
    return target
