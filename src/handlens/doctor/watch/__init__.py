"""`Watcher`: sees what a program does with PyTorch, without changing what that gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from handlens.doctor.program import Program
from handlens.doctor.seen import Seen
from handlens.doctor.watch.answers import Answers
from handlens.doctor.watch.batches import Batches
from handlens.doctor.watch.compiler import Scripts
from handlens.doctor.watch.functions import Functions
from handlens.doctor.watch.losses import Losses
from handlens.doctor.watch.networks import Networks
from handlens.doctor.watch.optimizers import Optimizers
from handlens.doctor.watch.recorder import Recorder


class Watcher:
    """Looks on while a program runs."""

    def __init__(self, program: Program) -> None:
        self._record = Recorder(program)
        self.loops = self._record.loops

    @contextlib.contextmanager
    def watching(self) -> Iterator[Seen]:
        """Everything that happens inside is seen; at the end all is as it was."""
        try:
            for part in (Networks, Losses, Optimizers, Batches, Answers, Scripts, Functions):
                part(self._record).watch()
            yield self._record.seen
        finally:
            self._record.restore()
