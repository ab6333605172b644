"""Graphs of losses: which of them are kept for longer than their step."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable

from torch import Tensor

from handlens.doctor.seen import Event
from handlens.doctor.watch.recorder import Recorder

_LATER = 6  # backward passes: until then a loss may wait for those of other networks, as in a GAN
_MOST = 400  # losses


class Graphs:
    """Follows the graphs of losses until some steps later."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self._waiting: deque[tuple[Event, Callable[[], object]]] = deque()

    def follow(self, backward: Event, loss: Tensor) -> None:
        """At each backward pass: take down whether the graph of an earlier one is still there, as `kept` of its event."""
        if len(self._waiting) == _LATER:
            event, graph = self._waiting.popleft()
            event.about["kept"] = graph() is not None
        if loss.grad_fn is not None and self.record.few("graphs", _MOST):
            self._waiting.append((backward, self._reference(loss)))

    def _reference(self, loss: Tensor) -> Callable[[], object]:
        """A weak reference to a hook in the last node of a graph, which ends with it: Python's objects for nodes are made anew."""

        def hook(_gradients: object) -> None:
            return None

        assert loss.grad_fn is not None
        self.record.undo.append(loss.grad_fn.register_prehook(hook).remove)
        return weakref.ref(hook)
