"""What a program makes of the scores: guesses, comparisons, what it prints, and the weights that it loads."""

from __future__ import annotations

import builtins
import logging
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from handlens.doctor.watch.recorder import Recorder, argument


class Answers:
    """Looks at guesses, comparisons, what is printed, and states that are taken and loaded."""

    def __init__(self, record: Recorder) -> None:
        self.record = record

    def watch(self) -> None:
        """Begin."""
        self._watch_guesses()
        self._watch_words_and_states()
        self.record.patch(warnings, "showwarning", self._warning)

    def _warning(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def show(message: Any, category: Any, filename: str, lineno: int, *args: Any, **knobs: Any) -> None:
            if not self.record.busy:
                self.record.seen.warnings.append((str(message), self.record.program.line_in(filename, lineno)))
            original(message, category, filename, lineno, *args, **knobs)

        return show

    def _watch_guesses(self) -> None:
        watcher = self

        def argmax(original: Callable[..., Any]) -> Callable[..., Any]:
            def largest(*args: Any, **knobs: Any) -> Any:
                found = original(*args, **knobs)
                scores, dim = argument(0, ("input",), args, knobs), argument(1, ("dim", "axis"), args, knobs)
                watcher.record.quiet(watcher._argmax, scores, dim, found)
                return found

            return largest

        def equal(original: Callable[..., Any]) -> Callable[..., Any]:
            def compare(*args: Any, **knobs: Any) -> Any:
                found = original(*args, **knobs)
                watcher.record.quiet(watcher._compare, argument(0, ("input",), args, knobs), argument(1, ("other",), args, knobs), found)
                return found

            return compare

        for owner in (torch, Tensor):
            self.record.patch(owner, "argmax", argmax)
            self.record.patch(owner, "max", argmax)
            self.record.patch(owner, "eq", equal)
        self.record.patch(Tensor, "__eq__", equal)

    def _watch_words_and_states(self) -> None:
        watcher = self

        def printing(original: Callable[..., Any]) -> Callable[..., Any]:
            def print_(*args: Any, **knobs: Any) -> None:
                watcher.record.quiet(lambda: watcher.record.add("print", text=str(knobs.get("sep") or " ").join(map(str, args))[:500]))
                original(*args, **knobs)

            return print_

        def logging_(original: Callable[..., Any]) -> Callable[..., Any]:
            def handle(logger: Any, entry: logging.LogRecord) -> None:
                watcher.record.quiet(lambda: watcher.record.add("print", text=entry.getMessage()[:500]))
                original(logger, entry)

            return handle

        def loading(original: Callable[..., Any]) -> Callable[..., Any]:
            def load(module: nn.Module, *args: Any, **knobs: Any) -> Any:
                found = original(module, *args, **knobs)
                missing, unexpected = (list(getattr(found, name, [])) for name in ("missing_keys", "unexpected_keys"))
                state = args[0] if args else knobs.get("state_dict")
                watcher.record.quiet(lambda: watcher.record.add("load", model=module, state=state, missing=missing, unexpected=unexpected))
                return found

            return load

        def state(original: Callable[..., Any]) -> Callable[..., Any]:
            def state_dict(module: nn.Module, *args: Any, **knobs: Any) -> Any:
                found = original(module, *args, **knobs)
                if watcher.record.program.calls():
                    watcher.record.quiet(lambda: watcher.record.add("state_dict", model=module, state=found))
                return found

            return state_dict

        self.record.patch(builtins, "print", printing)
        self.record.patch(logging.Logger, "handle", logging_)
        self.record.patch(nn.Module, "load_state_dict", loading)
        self.record.patch(nn.Module, "state_dict", state)

    def _argmax(self, scores: Tensor, dim: Any, found: Any) -> None:
        alone = dim is None and len(scores) == 1 and isinstance(found, Tensor) and found.dtype == torch.int64 and scores.is_floating_point()
        if scores.ndim == 2 and (isinstance(dim, int) or alone) and self.record.few("argmax", 3000):
            self.record.add("argmax", shape=tuple(scores.shape), dim=1 if dim is None else dim % 2)  # of one image no dim need be named

    def _compare(self, one: Tensor, other: Any, found: Any) -> None:
        if not isinstance(other, Tensor) or not isinstance(found, Tensor):
            return
        if one.ndim + other.ndim < 2 or found.numel() < 2 or not self.record.few("compare", 3000):
            return
        same = one.numel() == other.numel() and torch.equal(one.flatten(), other.flatten())
        self.record.add("compare", shapes=(tuple(one.shape), tuple(other.shape)), hits=int(found.sum()), count=found.numel(), same=same)
