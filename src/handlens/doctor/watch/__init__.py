"""`Watcher`: sees what a program does with PyTorch, without changing what that gives."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import torch

from handlens.doctor.seen import Seen
from handlens.doctor.watch.answers import Answers
from handlens.doctor.watch.batches import Batches
from handlens.doctor.watch.losses import Losses
from handlens.doctor.watch.networks import Networks
from handlens.doctor.watch.optimizers import Optimizers
from handlens.doctor.watch.recorder import Recorder


class Watcher:
    """Looks on while a program runs.

    Args:
        file: the program's path, as its frames name it.
    """

    def __init__(self, file: str) -> None:
        self._record = Recorder(file)
        self.loops = self._record.loops

    @contextlib.contextmanager
    def watching(self) -> Iterator[Seen]:
        """Everything that happens inside is seen."""
        Networks(self._record).watch()
        _without_compiler()
        for part in (Losses, Optimizers, Batches, Answers):
            part(self._record).watch()
        try:
            yield self._record.seen
        finally:
            self._record.restore()


class _Compiler(types.ModuleType):
    """Stands where `torch._dynamo` would, of which nothing is needed; to import it takes longer than all the rest."""

    def __init__(self) -> None:
        super().__init__("torch._dynamo")
        self.__path__ = []

    @staticmethod
    def disable(function: Any = None, *_args: Any, **_knobs: Any) -> Any:
        return function if function is not None else lambda one: one

    @staticmethod
    def graph_break(*_args: Any, **_knobs: Any) -> None:
        return None

    @staticmethod
    def is_compiling() -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        """What a program needs of it all the same: then it is imported."""
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get("torch._dynamo") is self:
            del sys.modules["torch._dynamo"], torch._dynamo
        return getattr(importlib.import_module("torch._dynamo"), name)


def _without_compiler() -> None:
    if "torch._dynamo" not in sys.modules:
        torch._dynamo = sys.modules["torch._dynamo"] = _Compiler()
