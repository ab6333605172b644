"""The process in which the learner's code runs: `python -m handlens.course.child FOLDER ...`.

In each FOLDER stand `job.json` and what the check gives; the copy of the learner's file is in its `room`, the one place where it may write.
The values that come back are answered there. Whether they are right is judged elsewhere, by the process that asked.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from handlens import files
from handlens.course import fence, kept, wire
from handlens.doctor.case import Case
from handlens.doctor.cause import all_causes, conclude
from handlens.doctor.program import Program
from handlens.doctor.seen import Failure, Seen
from handlens.doctor.watch import Watcher

CPU_S, IDLE_S, WALL_S = 5.0, 4.0, 30.0  # a busy computer takes longer, and must not make right code fail
_TIMES_WITH_RUN = 8  # a kept network has all 10,000 test images to read
_BUSY_S = 0.02  # what this clock itself may take in so long
_MOST_BYTES = 1 << 20


class Missing(Exception):
    """A name that the file should define, and does not."""


def work(folder: Path) -> None:
    """Run the learner's file, play the exercise with it, and write what came of it."""
    job = json.loads(files.read_bytes(folder / "job.json", _MOST_BYTES))
    room = folder / "room"
    path = room / job["file"]
    text = path.read_text(encoding="utf-8")
    program, check = Program.of_file(str(path), text), importlib.import_module(job["module"])
    given = wire.read(folder / "given")
    _enter(room, job["beside"])
    _watch_the_clock(room, str(path), _TIMES_WITH_RUN if kept.IMAGES in given else getattr(check, "TIMES", 1))
    names = _module(path)
    with Watcher(program).watching() as seen:
        values = _tried(program, seen, lambda: _play(check, names, text, job["needs"], given))
    if seen.failure is None and hasattr(check, "play_on"):  # what needs nobody to look on
        later = Seen()
        values |= _tried(program, later, lambda: check.play_on(names, given))
        seen = later if later.failure else seen  # what was seen before has nothing to do with it
    answer = {"values": values, **_told(seen.failure), "diagnosis": _diagnosis(program, seen, names, check.CAUSES)}
    wire.write(room / "answer", answer)


def _enter(room: Path, beside: str) -> None:
    """Stand in the room, and see the learner's other files last, so that none of them can pass for a library."""
    os.chdir(room)
    os.environ["TMPDIR"] = tempfile.tempdir = str(room)
    sys.dont_write_bytecode = True
    sys.path.append(beside)
    torch.manual_seed(0)
    fence.close(room)


def _module(path: Path) -> dict[str, Any]:
    """The variables of the module that the learner's file will be."""
    module = types.ModuleType("exercise")
    module.__dict__.update(__file__=str(path))
    sys.modules["exercise"] = module
    return module.__dict__


def _play(check: Any, names: dict[str, Any], text: str, needs: list[str], given: dict[str, torch.Tensor]) -> Any:
    exec(compile(text, names["__file__"], "exec"), names)
    for name in needs:
        if name not in names:
            raise Missing(name)
    return check.play(names, given)


def _tried(program: Program, seen: Seen, play: Callable[[], Any]) -> Any:
    """What comes of it; nothing where an exception ends it, which is noted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return play()
        except BaseException as error:  # whatever a learner's code may raise
            seen.failure = program.failure(error)
            if not isinstance(error, Exception | SystemExit):
                traceback.print_exc()
    return {}


def _told(failure: Failure | None) -> dict[str, Any]:
    if failure is None:
        return {"failure": None}
    return {"failure": {"kind": failure.kind, "text": failure.text[:2000], "line": failure.line}}


def _diagnosis(program: Program, seen: Seen, names: Mapping[str, Any], causes: tuple[str, ...]) -> dict[str, Any]:
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = conclude(Case(program.script(), seen, dict(names), probing=False), () if seen.failure else causes or ("no_activation",))
    first = found.causes[0] if found.causes else ""
    return {"cause": first, "sentence": found.sentence, "change": found.change, "evidence": found.evidence, "line": found.line}


def _watch_the_clock(room: Path, file: str, times: int) -> None:
    """After so many times the usual time, say in which line the code was, and end."""
    main, end = threading.get_ident(), time.monotonic() + WALL_S * min(times, 2)
    start = busy = time.process_time()
    since = time.monotonic()

    def watch() -> None:
        nonlocal busy, since
        while time.process_time() - start < CPU_S * times and time.monotonic() < min(end, since + IDLE_S):
            time.sleep(0.05)
            if time.process_time() - busy > _BUSY_S:
                busy, since = time.process_time(), time.monotonic()
        frame, line = sys._current_frames().get(main), 0
        while frame is not None and not line:
            line = frame.f_lineno if frame.f_code.co_filename == file else 0
            frame = frame.f_back
        wire.write(
            room / "answer", {"values": None, "failure": {"kind": "Slow", "text": f"{CPU_S * times:g}", "line": line}, "diagnosis": None}
        )
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _import_all() -> None:
    """What PyTorch and the doctor import when they are first used, before processes are copied."""
    weight = torch.zeros(1, requires_grad=True)
    weight.sum().backward()
    torch.optim.SGD([weight]).step()
    all_causes()
    for name in ("scipy.ndimage", "sklearn.metrics", "PIL.Image", "handlens.data.drawing"):
        importlib.import_module(name)


def main(folders: list[str]) -> None:
    """Do each job; where there are several, each in a process of its own that has imported everything."""
    torch.set_num_threads(1)
    if len(folders) > 1:
        _import_all()
    for folder in folders:
        if len(folders) > 1 and hasattr(os, "fork"):
            process = os.fork()
            if process:
                os.waitpid(process, 0)
                continue
        try:
            work(Path(folder).resolve())
        except BaseException:
            traceback.print_exc()
        os._exit(0)  # a learner's code may leave threads behind


if __name__ == "__main__":
    main(sys.argv[1:])
