"""The process in which the doctor runs the program: `python -m handlens.doctor.child SCRIPT [ARGUMENT ...]`.

The answer goes, as JSON, into the file that HANDLENS_DOCTOR_ANSWER names; what the program prints goes where it would go.
"""

from __future__ import annotations

import builtins
import dataclasses
import json
import os
import signal
import sys
import time
import traceback
import types
import warnings
from pathlib import Path
from typing import Any

from handlens.doctor.case import Case
from handlens.doctor.cause import Diagnosis, diagnose
from handlens.doctor.examine import ANSWER
from handlens.doctor.loops import FOR, WHILE, instrument
from handlens.doctor.sandbox import aside
from handlens.doctor.script import Script
from handlens.doctor.seen import Failure, Seen
from handlens.doctor.watch import Watcher
from handlens.files import write_atomic

LONGEST_S = 14.0


class SeenEnough(BaseException):
    """Ends the program, through its `except Exception` too."""


def run(file: str, arguments: list[str], longest_s: float = LONGEST_S) -> tuple[Script, Seen, dict[str, Any]]:
    """Run a program as `python FILE ARGUMENTS` would, and look on.

    Args:
        file: its path.
        arguments: what it finds in `sys.argv`.
        longest_s: after so many seconds it is ended.
    """
    path = Path(file).resolve()
    script = Script(path.read_text(encoding="utf-8"), str(path))
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=str(path), __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    sys.argv = [file, *arguments]
    sys.path[0] = str(path.parent)
    watcher = Watcher(script.file)
    main.__dict__.update({FOR: watcher.loops.through, WHILE: watcher.loops.going})
    code = compile(instrument(Script(script.text, script.file).tree), script.file, "exec")
    with watcher.watching() as seen, warnings.catch_warnings(record=True) as caught, aside(path.parent):
        warnings.simplefilter("always")
        _until(longest_s)
        try:
            exec(code, main.__dict__)
        except SeenEnough:
            seen.shortened = True
        except SystemExit as end:
            if end.code not in (None, 0) and not isinstance(end.code, int):
                seen.failure = failure_of(end, script.file)
        except BaseException as error:  # whatever a program may raise
            seen.failure = failure_of(error, script.file)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    seen.warnings = [(str(one.message), one.lineno if one.filename == script.file else 0) for one in caught]
    return script, seen, main.__dict__


def _until(seconds: float) -> None:
    def end(*_: object) -> None:
        raise SeenEnough

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def failure_of(error: BaseException, file: str) -> Failure:
    """An exception as the doctor keeps it."""
    frames = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line = frames[-1] if frames else getattr(error, "lineno", 0) or 0
    return Failure(type(error).__name__, str(error), line, tuple(reversed(frames)))


def main() -> None:
    """Run the program and write the diagnosis."""
    began = time.perf_counter()
    answer = os.environ.pop(ANSWER)
    file, arguments = sys.argv[1], sys.argv[2:]
    try:
        diagnosis = diagnose(Case(*run(file, arguments)))
    except SyntaxError as error:
        diagnosis = unreadable(error)
    content = dataclasses.asdict(dataclasses.replace(diagnosis, seconds=round(time.perf_counter() - began, 2)))
    write_atomic(Path(answer), json.dumps(content).encode())
    sys.stdout.flush()
    os._exit(0)  # a program may leave threads and processes behind


def unreadable(error: SyntaxError) -> Diagnosis:
    """What is said of a program that is no Python."""
    said = f"{error.msg}: {(error.text or '').strip()}"
    return Diagnosis(
        ("syntax",), "Python cannot read this line.", "Look at it, and at the end of the one above it.", error.lineno or 0, said
    )


if __name__ == "__main__":
    main()
