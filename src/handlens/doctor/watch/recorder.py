"""`Recorder`: what was seen of a program, and how to look at it without changing what it does."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from handlens.doctor.loops import Loops
from handlens.doctor.program import Program
from handlens.doctor.seen import Event, Seen
from handlens.doctor.watch.thinning import thinned

KEPT = 12  # batches of which the tensors are kept, in training and outside it
MEASURED = 12  # steps of which it is measured how far they go
_MOST_EVENTS = 60_000
_CLOSELY, _EACH = 400, 16


def argument(place: int, names: tuple[str, ...], args: tuple[Any, ...], knobs: dict[str, Any]) -> Any:
    """What a call hands over at a place or by one of these names; None if it does not."""
    return args[place] if len(args) > place else next((knobs[name] for name in names if name in knobs), None)


@dataclass(frozen=True)
class Patch:
    """A function in whose place another one stands; also where a variable of the program is that function."""

    owner: Any
    name: str
    original: Any
    replacement: Any
    own: bool
    variables: dict[str, Any]

    def put(self) -> None:
        """Put the other one in its place."""
        setattr(self.owner, self.name, self.replacement)
        self._change(self.original, self.replacement)

    def take_out(self) -> bool:
        """Put the function back; False if the program has put something of its own there, which stays."""
        self._change(self.replacement, self.original)
        if getattr(self.owner, self.name, None) is not self.replacement:
            return False
        if self.own:
            setattr(self.owner, self.name, self.original)
        else:
            delattr(self.owner, self.name)
        return True

    def _change(self, old: object, new: object) -> None:
        for variable in [key for key, value in list(self.variables.items()) if value is old]:
            self.variables[variable] = new


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
        self.waiting: list[Event] = []  # forwards that no backward pass has reached yet
        self.undo: list[Callable[[], object]] = []
        self.patches: list[Patch] = []
        self._counts: dict[str, int] = {}

    def restore(self) -> None:
        """Put everything back as it was."""
        for undo in reversed(self.undo):
            undo()
        for patch in reversed(self.patches):
            patch.take_out()
        self.busy = True  # what the program kept of ours sees nothing more
        self.seen.shortened |= self.loops.shortened

    def add(self, kind: str, line: int | None = None, **about: Any) -> Event:
        """Something happened, in the line that is under way if none is given."""
        event = Event(kind, self.line() if line is None else line, about, self.loops.turn)
        if len(self.seen.events) >= _MOST_EVENTS:
            before = len(self.seen.of("backward"))
            self.seen.events = thinned(self.seen.events)
            self.seen.dropped += before - len(self.seen.of("backward"))
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

    def some(self, kind: str) -> bool:
        """Whether this one is looked at closely: the first hundreds, and a few of the later ones. On a GPU each look waits for all work."""
        return self.few(kind, _CLOSELY) or self._counts[kind] % _EACH == 0

    def patch(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        """Put what `wrap` makes of a function in its place, until `restore`; also where a variable of the program is the function."""
        original = getattr(owner, name)
        own = name in vars(owner) if isinstance(owner, type) else True
        replacement = wrap(original)
        with contextlib.suppress(AttributeError, TypeError):
            functools.update_wrapper(replacement, original)
        patch = Patch(owner, name, original, replacement, own, self.program.names)
        patch.put()
        self.patches.append(patch)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """All is as it was for a while, and nothing is seen."""
        busy, self.busy = self.busy, True
        taken = [patch for patch in reversed(self.patches) if patch.take_out()]
        try:
            yield
        finally:
            for patch in reversed(taken):
                patch.put()
            self.busy = busy

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
