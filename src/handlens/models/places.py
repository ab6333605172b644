"""Where in a learner's own file an error arose."""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from pathlib import Path

from torch import nn


def line_in(path: Path, error: BaseException) -> str:
    """The file, with the last of its lines that the error came through, if it came through any."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).absolute() == path.absolute()]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f"{path}, line {line}" if line else str(path)


def line_that_says(kind: type, pattern: str = "class ") -> str:
    """The first line of a learner's class in which the regular expression is found; empty if there is none, or no source."""
    if not _is_theirs(kind):
        return ""
    try:
        lines, first = inspect.getsourcelines(kind)
        file = inspect.getsourcefile(kind)
    except (OSError, TypeError):
        return ""
    found = [number for number, line in enumerate(lines, first) if re.search(pattern, line)]
    return f"{file}, line {found[0]}" if found else ""


def line_of(model: nn.Module, error: BaseException) -> str:
    """The same, in the file that the network's class is from; empty if that is none of a learner's."""
    file = getattr(sys.modules.get(type(model).__module__), "__file__", None)
    return line_in(Path(file), error) if file and _is_theirs(type(model)) else ""


def _is_theirs(kind: type) -> bool:
    return not kind.__module__.startswith(("torch.", "handlens."))
