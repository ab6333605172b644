"""What is said when the learner's code did not come so far that its answer could be judged."""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from handlens.course.verdict import Mistake
from handlens.errors import FileError
from handlens.files import printable

UNTOUCHED = Mistake(
    "not_begun", "This is still the stub: nothing is written here yet.", "Read the task at its top, and begin at the first TODO."
)
OTHER_FORM = Mistake(
    "other_form",
    "What comes back has another form than the task asks for.",
    "Compare your return line with the task at the top of the file.",
)
ENCODING = Mistake(
    "encoding",
    "This file is not saved as UTF-8, so Python cannot read its letters.",
    "Save it anew, and choose UTF-8 as its encoding: your editor asks, or shows it in its last line.",
    "A letter such as ü or é is there in another code.",
)
OUTPUT = Mistake("too_much_output", "Your code prints more than 32 MB.", "Take the print out of the inner loop.")
MEMORY = Mistake(
    "too_much_memory",
    "Your code asks for more than 4 GB of memory.",
    "Look for a list or a tensor that grows in a loop, or is far too large.",
)
NO_LAYERS = Mistake(
    "no_layers",
    "The network has no weights yet: no layer is defined.",
    "Define the layers in __init__: self.conv1 = nn.Conv2d(...), self.fc1 = nn.Linear(...).",
)
_BY_WORDS = {  # of Python's and PyTorch's, where the doctor knows no better
    "no attribute 'dataset'": Mistake(
        "list_has_no_dataset",
        "batches may be a list of pairs, and a list has no dataset.",
        "Count the images in the loop: total += len(labels).",
    ),
    "size of tensor a (10)": Mistake(
        "argmax_wrong_dim",
        "This picks the best image for each class, not the best class for each image.",
        "Write dim=1: scores.argmax(1).",
    ),
    "empty parameter list": NO_LAYERS,
    "does not require grad": Mistake(
        "no_grad_in_training",
        "What should go backward hangs on no weight: it was computed without a graph.",
        "Take no_grad, .data and .detach() out of the training.",
    ),
}


@dataclass(frozen=True)
class Ended:
    """How the process of the learner's code ended, and what it printed."""

    stdout: str = ""
    stderr: str = ""
    returncode: int = 0


def empty(name: str) -> Mistake:
    """A file with nothing in it, or none."""
    return Mistake("empty", "There is nothing in this file yet.", f"Lay out the stub: handlens course reset {name}")


def unread(error: FileError) -> Mistake:
    """A file that is there, and cannot be read."""
    advice = "It should be a file of at most 1 MB: keep pictures and tables in files of their own."
    return Mistake("unread", "This file is there, and cannot be read.", advice, error.what)


def unreadable(error: SyntaxError | ValueError) -> Mistake:
    """A text that is no Python."""
    said, line = (f"{error.msg}: {(error.text or '').strip()}", error.lineno or 0) if isinstance(error, SyntaxError) else (str(error), 0)
    return Mistake(
        "syntax", "Python cannot read this line.", "Look at it, and at the end of the line above it.", printable(said, 200), line
    )


def vanished(ended: Ended) -> Mistake:
    """The process ended without an answer."""
    last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
    if "MemoryError" in ended.stderr or "bad_alloc" in ended.stderr:
        return MEMORY
    return Mistake(
        "vanished",
        "The program ended before the check could see an answer.",
        "Take out what ends the process, such as exit(), and run the file alone: python FILE.py",
        printable(last, 200),
    )


def stopped(failure: dict[str, Any], named: Mistake | None, beside: Path) -> Mistake:
    """An exception ended it, or the clock.

    Args:
        failure: its kind, its text and its line.
        named: what the doctor says of it, if it knows the exception.
        beside: the folder of the learner's file, in which the check does not stand.
    """
    kind, text, line = str(failure["kind"]), str(failure["text"]), int(failure["line"])
    said = printable(f"{kind}: {text.splitlines()[0] if text else ''}".rstrip(": "), 200)
    if kind == "Missing":
        return Mistake(
            "missing_name", f"There is no {printable(text, 40)} in your file.", f"Define {printable(text, 40)}, with just this name."
        )
    if kind == "NotImplementedError" and named is None:
        return Mistake("not_begun", "This part is not written yet.", "Write it in place of the raise.", said, line)
    if kind == "Slow":
        return Mistake(
            "endless",
            f"After {printable(text, 10)} s your code is still in this line.",
            "Let its loop end, or take fewer steps; put long trainings under: if __name__ == '__main__':",
            "",
            line,
        )
    if kind in ("SystemExit", "KeyboardInterrupt"):
        return Mistake("exits", "Your code ends the program itself.", "Take the exit out: the check has to go on after it.", said, line)
    if kind == "Fenced":
        advice = "Leave other files and programs alone; write only beside your own file."
        return Mistake("fenced", "Your code wants to change something outside of its own folder.", advice, text, line)
    if kind == "OSError" and "File too large" in text:
        return replace(OUTPUT, line=line)
    if kind == "MemoryError" or "can't allocate memory" in text or "not enough memory" in text:
        return replace(MEMORY, line=line)
    if kind == "FileNotFoundError" and (file := _there(text, beside)):
        sentence = f"The check runs a copy of your program elsewhere, where {printable(file, 40)} is not."
        return Mistake("file_elsewhere", sentence, "Put what opens it under: if __name__ == '__main__':", said, line)
    if named is None and (known := next((mistake for words, mistake in _BY_WORDS.items() if words in text), None)):
        return replace(known, evidence=said, line=0 if known is NO_LAYERS else line)
    advice = "Read what Python says, and look at each name in this line."
    return named or Mistake("exception", "Python stops in this line.", advice, said, line)


def _there(text: str, beside: Path) -> str:
    """The file that was not found, if it is where the learner's own program finds it: beside it, or where they stand."""
    found = re.search(r"""(['"]).+\1$""", text)
    with contextlib.suppress(OSError, ValueError, SyntaxError):
        file = str(ast.literal_eval(found[0])) if found else ""
        if file and any((folder / file).exists() for folder in (beside, Path.cwd())):
            return file
    return ""
