"""Gradients of functions, by `torch.func.grad` and `grad_and_value`: there the weights are handed over, new ones at each step."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree

from handlens.doctor.seen import Event, bare, unwrapped
from handlens.doctor.watch.recorder import MEASURED, Recorder


class Functions:
    """Looks at them; inside another transformation only at those of one image each, by `vmap`, whose weights are those of all."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self._known: dict[tuple[torch.Size, ...], tuple[list[Tensor], list[Tensor]]] = {}

    def watch(self) -> None:
        """Begin."""
        for name in ("grad", "grad_and_value"):
            self.record.patch(torch.func, name, functools.partial(self._maker, name))

    def _maker(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def make(func: Any, argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
            compute = original(func, argnums, has_aux)

            @functools.wraps(compute)
            def gradient(*args: Any, **knobs: Any) -> Any:
                if self.record.busy or _elsewhere():
                    return compute(*args, **knobs)
                last = self.record.seen.events[-1] if self.record.seen.events else None
                result = compute(*args, **knobs)
                chosen = [args[number] for number in ([argnums] if isinstance(argnums, int) else argnums)]
                value = result[1] if name == "grad_and_value" else None
                self.record.quiet(self._backward, chosen, value[0] if has_aux and value else value, last)
                return result

            return gradient

        return make

    def _backward(self, arguments: list[Any], value: Tensor | float | None, last: Event | None) -> None:
        """It is as good as a backward pass, to weights that are known by their places."""
        given = [one for one in _pytree.tree_leaves(arguments) if isinstance(one, Tensor)]
        one_by_one = torch._C._functorch.peek_interpreter_stack() is not None
        if any(torch._C._functorch.is_batchedtensor(one) for one in given):  # weights of several networks at once
            return
        if one_by_one and any(unwrapped(one).requires_grad for one in given):  # steps within a step, which goes back through them
            return
        inside = list(itertools.takewhile(lambda event: event is not last, reversed(self.record.seen.events)))
        forwards = [event for event in reversed(inside) if event.kind == "forward"]
        losses = [event for event in inside if event.kind == "loss"]
        for event in (*forwards, *losses):
            event.about["grad"] = True
        for event in forwards:
            event.about["trains"] = True
        if value is None and losses:
            value = losses[0].about.get("value")
        self.record.loops.count_backward()
        weights, moved = self._moved(given)
        event = self.record.add("backward", leaves=weights, stale=set(), forwards=forwards, moved=moved)
        event.about["value"] = float(bare(value, 0).mean()) if isinstance(value, Tensor) else value
        if self.record.few("first values", 1):
            event.about["values"] = [one.detach().clone() for one in given]

    def _moved(self, given: list[Tensor]) -> tuple[list[Tensor], dict[int, float] | None]:
        """Those in whose places they stand, which came first; and how far they went since they were last looked at."""
        shapes = tuple(one.shape for one in given)
        weights, before = self._known.get(shapes, (given, []))
        if not self.record.few(f"values {shapes}", MEASURED):
            return weights, None
        self._known[shapes] = weights, [one.detach().clone() for one in given]
        ways = [float((one.detach() - old).norm() / old.norm().clamp_min(1e-8)) for one, old in zip(given, before, strict=False)]
        return weights, {id(one): way for one, way in zip(weights, ways, strict=False)}


def _elsewhere() -> bool:
    """Whether it is computed inside another transformation than `vmap`, as for a gradient of gradients."""
    around = torch._C._functorch.get_interpreter_stack() or []
    return any(one.key() != torch._C._functorch.TransformType.Vmap for one in around)
