"""`Program`: which frames are the learner's, and where each of their lines stands in the whole text: a file, or a notebook's cells."""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from handlens.doctor.script import Script
from handlens.doctor.seen import Failure


class Program:
    """The learner's code as it is met.

    Args:
        belongs: whether a frame is of it.
        names: its global variables.
        title: what a file of it is called, by its path.
    """

    def __init__(
        self,
        belongs: Callable[[FrameType], bool],
        names: dict[str, Any] | None = None,
        title: Callable[[str], str] = lambda file: Path(file).name,
    ) -> None:
        self.names = {} if names is None else names
        self._belongs = belongs
        self._ours: tuple[CodeType, ...] = ()
        self._title = title
        self._begins: dict[str, int] = {}
        self._lines: list[str] = []

    @classmethod
    def of_file(cls, file: str, text: str, names: dict[str, Any] | None = None) -> Program:
        """A program of one file, which has been read; others of its folder may be added."""
        folder = Path(file).parent
        found = cls(lambda frame: found.has(frame.f_code.co_filename), names, lambda one: Path(one).relative_to(folder).as_posix())
        found.read(file, text)
        return found

    @classmethod
    def around(cls, frame: FrameType, *others: CodeType) -> Program:
        """The module, or the notebook, in which a frame runs.

        Args:
            frame: the learner's.
            others: functions of ours that do what the learner's would.
        """
        names = frame.f_globals
        cells = [text.strip() for text in names.get("In", [])] if isinstance(names.get("In"), list) else []

        def title(file: str) -> str:
            text = "".join(linecache.getlines(file, names)).strip()
            numbers = [number for number, cell in enumerate(cells) if cell == text and text]
            return f"cell {numbers[-1]}" if numbers else Path(file).name

        found = cls(lambda one: one.f_globals is names or one.f_code in others, names, title)
        found._ours = others
        known = {"".join(entry[2]).strip(): file for file, entry in linecache.cache.items() if len(entry) == 4}
        for file in (known[cell] for cell in cells if cell in known):
            found.read(file, "".join(linecache.getlines(file)))
        found.line(frame)
        return found

    def line(self, frame: FrameType, number: int = 0) -> int:
        """Where the line of a frame, or a line of its file, stands in the whole text, from 1; 0 if the frame is another's."""
        if not self._belongs(frame):
            return 0
        file = frame.f_code.co_filename
        if file not in self._begins:
            self.read(file, "".join(linecache.getlines(file, frame.f_globals)))
        return self._begins[file] + (number or frame.f_lineno)

    def calls(self, depth: int = 2) -> bool:
        """Whether it is the program itself that called the function from which this is asked, or one so many frames above."""
        return self._belongs(sys._getframe(depth))

    def line_in(self, file: str, number: int) -> int:
        """The same for a line of a file; 0 if the file is another's."""
        return self._begins[file] + number if file in self._begins else 0

    def failure(self, error: BaseException) -> Failure:
        """An exception as the doctor keeps it."""
        frames = [self.line(frame, number) for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code not in self._ours]
        lines = [line for line in reversed(frames) if line]
        return Failure(type(error).__name__, str(error), lines[0] if lines else getattr(error, "lineno", 0) or 0, tuple(lines))

    def script(self) -> Script:
        """The whole text."""
        parts = {begin: self._title(file) for file, begin in self._begins.items()}
        return Script("\n".join(self._lines), next(iter(self._begins), ""), parts)

    def has(self, file: str) -> bool:
        """Whether a file's text is in it."""
        return file in self._begins

    @property
    def length(self) -> int:
        """How many lines the whole text has."""
        return len(self._lines)

    def read(self, file: str, text: str) -> int:
        """Add a file, unless it is there; how many lines stand before it."""
        if file in self._begins:
            return self._begins[file]
        self._begins[file] = len(self._lines)
        lines = text.split("\n")
        try:
            ast.parse(text)
        except SyntaxError:
            lines = [""] * len(lines)
        self._lines += lines
        return self._begins[file]
