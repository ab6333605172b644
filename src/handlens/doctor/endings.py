"""How a program ended where no cause knows why: its exception in words, and what to do."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MEMORY = r"Unable to allocate|can't allocate memory|not enough memory"
_ARGUMENTS = "What it wants stands behind its name: handlens doctor PROGRAM.py ARGUMENT ..."


def in_words(failure: str, line: int, code: str, *, trained: bool) -> list[str]:
    """What is said of it: a sentence, and what follows.

    Args:
        failure: the exception's kind, a colon, and its text.
        line: where it was raised; 0 if that is not known.
        code: the text of that line.
        trained: whether the program had trained before.
    """
    kind, _, whole = failure.partition(": ")
    text = next(iter(whole.strip().splitlines()), "")
    at = f" at line {line}" if line else ""
    if kind == "EOFError" and text.startswith("EOF when reading a line"):
        return [f"At line {line} it asks for input(), and under the doctor nobody types. Write the answer into the program for this."]
    if kind == "IndexError" and "argv" in code:
        return [f"It asks{at} for an argument that it did not get.", _ARGUMENTS]
    if kind == "SystemExit":
        said = f"It ends itself{at}{'' if trained else ', before it has trained anything'}: {text}"
        return [said, _ARGUMENTS] if "arguments are required" in text else [said]
    if kind == "KeyboardInterrupt":
        return [f"It stops itself{at} with KeyboardInterrupt, as Ctrl+C would."]
    if kind == "OutOfMemoryError" or "CUDA out of memory" in text:
        return [f"It asks{at} for more memory than is free on the graphics card.", "Take fewer images at a time, or smaller ones."]
    if kind.endswith("MemoryError") or re.search(_MEMORY, text):
        return [f"It asks{at} for more memory than the doctor gives a program.", "Take fewer images at a time, or smaller ones."]
    unknown = [f"It ends{at} with an exception that the doctor does not know:", f"  {kind}: {text}" if text else f"  {kind}"]
    return _of_what_is_not_there(kind, text, at, code) or unknown


def _of_what_is_not_there(kind: str, text: str, at: str, code: str) -> list[str]:
    """Of modules, files and other programs."""
    name = found[1] if (found := re.search(r"'([^']+)'(?: -> .*)?$", text)) else ""
    if kind == "ModuleNotFoundError" and name:
        return [
            f"It imports {name}{at}, and Python does not find that.",
            "If it is a file of yours, it must lie beside the program. If not, install it where handlens is, or look at how it is spelled.",
        ]
    if kind == "ImportError" and "relative import" in text:
        return [
            f"It imports with a dot{at}, and that works only inside a package.",
            "A program that is started by itself leaves the dot out: from model import Net.",
        ]
    if kind == "FileNotFoundError" and name and re.search(r"\b(run|call|Popen|check_output|check_call)\(", code):
        return [f"It starts the program {name}{at}, and that is not on this machine."]
    if kind == "FileNotFoundError" and f"{os.sep}hl-" in name:
        return [
            f"It asks{at} for a temporary file of an earlier run, and under the doctor there are none.",
            "Put the file beside the program for this.",
        ]
    if kind == "FileNotFoundError" and name:
        here = "It is looked for from the folder in which you are now: go to that of the program."
        return [f"It asks{at} for {name}, and that is not there.", "Look at how its path is spelled." if Path(name).is_absolute() else here]
    return []
