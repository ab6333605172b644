"""`examine`: a program under the doctor's eyes, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from handlens.doctor.cause import Diagnosis, Finding, Measured
from handlens.errors import FileError, UsageError
from handlens.files import is_file, is_locked, lock, make_folder, printable, read_bytes, read_source, remove
from handlens.limits import Finished, Limits, run_limited

ANSWER = "HANDLENS_DOCTOR_ANSWER"
MEASURING = "HANDLENS_DOCTOR_MEASURING"
_MOST_BYTES = 1 << 20
_LIMITS = Limits(time_s=60.0, memory_bytes=8 << 30)
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # the variables that name the folder for temporary files
_PREFIX = "hl-"  # short: paths of sockets may stand in such a folder
_LOCK = "doctor.lock"
_SAVE = "If it is one, save it as UTF-8 in your editor."
_IN_NOTEBOOK = "In the notebook, write import handlens as hl, and around its training: with hl.doctor():"


def examine(script: str | os.PathLike[str], arguments: Sequence[str] = (), *, measuring: bool = False) -> tuple[Diagnosis, Finished]:
    """Run a training program as it is, for as long as it takes to see what it does, and say what is wrong with it.

    It runs in a process of its own, in the folder where the caller stands. Its loops are cut short once enough was seen, and what it writes
    goes aside, so no file of the learner's is changed. Its temporary files are deleted with it, however it ends; if we are killed, by the
    next one.

    Args:
        script: the program, in Python.
        arguments: what it finds in `sys.argv` after its name.
        measuring: whether the number of each probe is wanted, too, which takes some seconds more.

    Returns:
        The diagnosis, and what the program printed.

    Raises:
        FileError: there is no such file, or it cannot be read.
        UsageError: it is no text, empty, or a notebook, or it ended its process so that nothing could be seen.
    """
    path = Path(script)
    _readable(path)
    _remove_left()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder, lock(Path(folder, _LOCK)):
        answer, own = Path(folder, "answer.json"), make_folder(Path(folder, "t")).resolve()
        environment = {**os.environ, ANSWER: str(answer), MEASURING: "1" if measuring else "", "MPLBACKEND": "Agg"}
        environment |= dict.fromkeys(_TEMPORARY, str(own))
        command = [sys.executable, "-m", "handlens.doctor.child", str(path), *arguments]
        finished = run_limited(command, _LIMITS, environment=environment)
        try:
            found = json.loads(read_bytes(answer, _MOST_BYTES))
        except (FileError, ValueError) as error:
            raise _no_answer(path, finished) from error
    findings = {name: Finding(**finding) for name, finding in found.pop("findings").items()}
    found["measured"] = tuple(Measured(**one) for one in found["measured"])
    found["failure"] = _with_last_words(found["failure"], finished)
    found["seconds"] = round(finished.time_s, 2)
    found |= {name: tuple(found[name]) for name in ("causes", "notes", "checked", "losses")}
    return Diagnosis(**found, findings=findings), finished


def _readable(path: Path) -> None:
    """That a file may be a program.

    Raises:
        FileError: as in `read_bytes`.
        UsageError: it is a notebook, no text, or empty.
    """
    try:
        text = "" if path.suffix == ".ipynb" else read_source(path)
    except SyntaxError as error:
        raise UsageError("This is no Python program: it is no text in UTF-8.", where=str(path), hint=_SAVE) from error
    if path.suffix == ".ipynb" or (text.startswith("{") and '"nbformat"' in text):
        raise UsageError("This is a notebook; the doctor runs programs.", where=str(path), hint=_IN_NOTEBOOK)
    if "\0" in text:
        raise UsageError("This is no Python program: there are zero bytes in it.", where=str(path))
    if not text.strip():
        raise UsageError("There is nothing in this file.", where=str(path), hint="Save it in your editor first.")


def _remove_left() -> None:
    """Delete the folders of doctors that were killed: they are older than a program may run, and nobody holds their lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, FileError):
            is_old = time.time() - folder.stat().st_mtime > _LIMITS.time_s  # a younger one may not have its lock yet
            if is_old and is_file(folder / _LOCK) and not is_locked(folder / _LOCK):
                remove(folder)


def _with_last_words(failure: str, finished: Finished) -> str:
    """A number in `sys.exit(2)` says little; `argparse` has written what is missing before that."""
    kind, _, status = failure.partition(": ")
    if kind != "SystemExit" or not status.isdigit():
        return failure
    return f"{kind}: exit status {status}. {printable(_last(finished), 200)}"


def _last(finished: Finished) -> str:
    return (finished.stderr.strip().splitlines() or ["It said nothing."])[-1]


def _no_answer(path: Path, finished: Finished) -> UsageError:
    if finished.timed_out:
        return UsageError(
            f"In {_LIMITS.time_s:.0f} s the program did not come so far that its training could be seen.",
            where=str(path),
            hint="Let it train on fewer images, or load its data faster.",
        )
    return UsageError(
        f"The program ended its process (exit status {finished.returncode}), and nothing could be seen: {printable(_last(finished), 200)}",
        where=str(path),
        hint="Run it alone first: python SCRIPT.py",
    )
