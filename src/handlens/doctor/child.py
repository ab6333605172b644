"""The process in which the doctor runs the program: `python -m handlens.doctor.child SCRIPT [ARGUMENT ...]`.

The answer goes, as JSON, into the file that HANDLENS_DOCTOR_ANSWER names; what the program prints goes where it would go.
"""

from __future__ import annotations

import _thread
import builtins
import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from handlens.doctor.case import Case
from handlens.doctor.cause import SYNTAX, Diagnosis, conclude
from handlens.doctor.clock import worked_s
from handlens.doctor.examine import ANSWER, MEASURING
from handlens.doctor.loops import FOR, WHILE
from handlens.doctor.measured import measured
from handlens.doctor.modules import Modules
from handlens.doctor.program import Program
from handlens.doctor.sandbox import aside
from handlens.doctor.script import Script
from handlens.doctor.seen import Failure, Seen
from handlens.doctor.watch import Watcher
from handlens.doctor.watch.compiler import without_compiler
from handlens.files import read_source, write_atomic

LONGEST_S = 8.0
_BY_THE_CLOCK = 1.4  # times as long at most, whatever it waits for: an answer is to be there in 15 s
_AGAIN_S = 1.0  # of a program that catches what ends it
_ALARM: int = getattr(signal, "SIGALRM", None) or signal.SIGBREAK  # type: ignore[attr-defined]  # of Windows
_CHANGES = {
    TabError: "Indent with spaces alone: here are tabs too.",
    IndentationError: "Look at the spaces before it: all lines of a block begin at the same place.",
    SyntaxError: "Look at it, and at the end of the one above it.",
}


class SeenEnough(BaseException):
    """Ends the program, through its `except Exception` too."""


def run(file: str, arguments: list[str], longest_s: float = LONGEST_S) -> tuple[Script, Seen, dict[str, Any]]:
    """Run a program as `python FILE ARGUMENTS` would, and look on.

    Args:
        file: its path.
        arguments: what it finds in `sys.argv`.
        longest_s: after so many seconds of work it is ended; see `until_enough`.
    """
    path = Path(file).resolve()
    text = read_source(path)
    main = types.ModuleType("__main__")
    program = Program.of_file(str(path), text, main.__dict__)
    main.__dict__.update(__file__=str(path), __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    sys.argv = [file, *arguments]
    sys.path[0] = str(path.parent)
    watcher = Watcher(program)
    without_compiler()
    modules = Modules(path.parent, program, {FOR: watcher.loops.through, WHILE: watcher.loops.going})
    main.__dict__.update(modules.loops)
    code = modules.compiled(str(path), text, imported=False)
    with (
        watcher.watching() as seen,
        threads_heard(seen, program),
        warnings.catch_warnings(),
        aside(path.parent) as place,
        modules.importing(),
        ending_told(),
    ):
        warnings.simplefilter("always")
        until_enough(longest_s, watcher.loops.end)
        try:
            exec(code, main.__dict__)
        except SeenEnough as end:
            seen.shortened = seen.stopped = True
            seen.stopped_at = program.failure(end).line
        except SystemExit as end:
            if end.code not in (None, 0) and (not isinstance(end.code, int) or not seen.of("backward")):
                seen.failure = program.failure(end)
        except BaseException as error:  # whatever a program may raise
            if isinstance(error, SyntaxError) and modules.owns(error.filename):
                raise
            seen.failure = program.failure(error)
        finally:
            signal.signal(_ALARM, signal.SIG_IGN)
        if seen.failure:  # of a file that was to be written, with the name that the program gave it
            seen.failure.text = seen.failure.text.replace(str(place.resolve()), "")
    return program.script(), seen, {**modules.names(), **main.__dict__}


def until_enough(seconds: float, first: Callable[[], object] = lambda: None) -> None:
    """Raise `SeenEnough` in this thread after so many seconds of work, and again as long as that is caught.

    Args:
        seconds: of work; by the clock at most 1.4 times as many, for one that sleeps or waits for other processes.
        first: is called before.
    """
    began, at_latest = worked_s(), time.perf_counter() + _BY_THE_CLOCK * seconds

    def end(*_: object) -> None:
        left = min(seconds - (worked_s() - began), at_latest - time.perf_counter())
        if left > 0:
            _wake_after(max(left, 0.1))
            return
        first()
        _wake_after(_AGAIN_S)
        raise SeenEnough

    signal.signal(_ALARM, end)
    _wake_after(seconds)


def _wake_after(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # without a thread: one more is seen by programs that fork
        return
    timer = threading.Timer(seconds, _thread.interrupt_main, (_ALARM,))  # Windows
    timer.daemon = True
    timer.start()


@contextlib.contextmanager
def threads_heard(seen: Seen, program: Program) -> Iterator[None]:
    """An exception that ends a thread is the program's where nothing was trained."""
    hook = threading.excepthook
    failures: list[Failure] = []

    def hear(given: threading.ExceptHookArgs) -> None:
        if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
            failures.append(program.failure(given.exc_value))
        hook(given)

    threading.excepthook = hear
    try:
        yield
    finally:
        threading.excepthook = hook
        if failures and seen.failure is None and not seen.of("backward"):
            seen.failure = failures[0]


@contextlib.contextmanager
def ending_told() -> Iterator[None]:
    """`os._exit` ends the program and not this process; in the processes that it starts it does what it always does."""
    leave, own = os._exit, os.getpid()

    def end(status: int) -> NoReturn:
        if os.getpid() != own:
            leave(status)
        raise SystemExit(status)

    os._exit = end
    try:
        yield
    finally:
        os._exit = leave


def main() -> None:
    """Run the program and write the diagnosis."""
    answer, measuring = os.environ.pop(ANSWER), os.environ.pop(MEASURING, "")
    file, arguments = sys.argv[1], sys.argv[2:]
    try:
        case = Case(*run(file, arguments))
        diagnosis = dataclasses.replace(conclude(case), measured=measured(case) if measuring else ())
    except SyntaxError as error:
        diagnosis = unreadable(error)
    content = dataclasses.asdict(diagnosis)
    write_atomic(Path(answer), json.dumps(content).encode())
    sys.stdout.flush()
    os._exit(0)  # a program may leave threads and processes behind


def unreadable(error: SyntaxError) -> Diagnosis:
    """What is said of a program that is no Python."""
    said = error.msg.removeprefix("invalid syntax").lstrip(". ") or "Something is missing here, or too much"
    return Diagnosis(
        (SYNTAX,),
        "Python cannot read this line.",
        next(change for kind, change in _CHANGES.items() if isinstance(error, kind)),
        error.lineno or 0,
        said if said[-1] in ".?!" else f"{said}.",
        place=Path(error.filename or "").name,
        code=(error.text or "").strip(),
    )


if __name__ == "__main__":
    main()
