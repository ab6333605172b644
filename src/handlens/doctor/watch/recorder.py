"""`Recorder`: what was seen of a program, and how to look at it without changing what it does."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from torch import Tensor

from handlens.doctor.loops import Loops
from handlens.doctor.program import Program
from handlens.doctor.seen import Event, Seen

KEPT = 12  # batches of which the tensors are kept, in training and outside it
MEASURED = 12  # steps of which it is measured how far they go
_MOST_EVENTS = 60_000


class Recorder:
    """Takes down what happens.

    Args:
        program: whose frames are looked for.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.seen = Seen()
        self.loops = Loops()
        self.busy = False
        self.outputs: list[tuple[Event, list[Tensor]]] = []  # of forwards that no backward pass has reached yet
        self.undo: list[Callable[[], object]] = []
        self._counts: dict[str, int] = {}

    def restore(self) -> None:
        """Put everything back as it was."""
        for undo in reversed(self.undo):
            undo()
        self.seen.shortened = self.loops.shortened

    def add(self, kind: str, line: int | None = None, **about: Any) -> Event:
        """Something happened, in the line that is under way if none is given."""
        event = Event(kind, self.line() if line is None else line, about, self.loops.turn)
        if len(self.seen.events) < _MOST_EVENTS:
            self.seen.events.append(event)
        return event

    def line(self) -> int:
        """The innermost line of the program that is under way."""
        return next(self.lines(), 0)

    def lines(self) -> Iterator[int]:
        """The lines of the program that are under way, the innermost first."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if line := self.program.line(frame):
                yield line
            frame = frame.f_back

    def few(self, kind: str, most: int) -> bool:
        """Whether this is one of the first few of its kind: of the later ones less is kept."""
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind] <= most

    def patch(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        """Put what `wrap` makes of a function in its place, until `restore`; also where a variable of the program is the function."""
        original = getattr(owner, name)
        own = name in vars(owner) if isinstance(owner, type) else True
        replacement = wrap(original)
        with contextlib.suppress(AttributeError, TypeError):
            functools.update_wrapper(replacement, original)
        setattr(owner, name, replacement)
        for variable in [key for key, value in self.program.names.items() if value is original]:
            self.program.names[variable] = replacement
            self.undo.append(lambda variable=variable: self._give_back(variable, replacement, original))  # type: ignore[misc]
        self.undo.append((lambda: setattr(owner, name, original)) if own else (lambda: delattr(owner, name)))

    def _give_back(self, variable: str, replacement: object, original: object) -> None:
        if self.program.names.get(variable) is replacement:
            self.program.names[variable] = original

    def quiet(self, look: Callable[..., object], *args: Any) -> None:
        """Look at something; whatever goes wrong in that is no business of the program's."""
        if self.busy:
            return
        self.busy = True
        try:
            with contextlib.suppress(Exception):
                look(*args)
        finally:
            self.busy = False
