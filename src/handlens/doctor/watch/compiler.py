"""PyTorch's compilers: a program that is only looked at compiles nothing, and TorchScript reads what it would read otherwise."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any

import torch

from handlens.doctor.watch.recorder import Recorder


def without_compiler() -> None:
    """`torch.compile` gives back what it got, for the rest of this process."""
    torch.compile = lambda model=None, *_args, **_knobs: model if model is not None else lambda one: one  # type: ignore[assignment]
    if "torch._dynamo" not in sys.modules:
        torch._dynamo = sys.modules["torch._dynamo"] = _Compiler()


class Scripts:
    """Lets TorchScript read PyTorch's own functions, in whose place the doctor's stand: it can compile no others."""

    def __init__(self, record: Recorder) -> None:
        self.record = record

    def watch(self) -> None:
        """Begin."""
        record = self.record

        def scripting(original: Callable[..., Any]) -> Callable[..., Any]:
            def script(*args: Any, _frames_up: int = 0, **knobs: Any) -> Any:
                with record.away():
                    return original(*args, _frames_up=_frames_up + 1, **knobs)  # it looks for names in the frame of its caller

            return script

        def tracing(original: Callable[..., Any]) -> Callable[..., Any]:
            def trace(*args: Any, **knobs: Any) -> Any:
                with record.away():
                    return original(*args, **knobs)

            return trace

        record.patch(torch.jit, "script", scripting)
        record.patch(torch.jit, "trace", tracing)


class _Compiler(types.ModuleType):
    """Stands where `torch._dynamo` would, of which hardly anything is needed; to import it takes longer than all the rest."""

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
