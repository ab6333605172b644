"""Optimizers and schedulers: their steps, how far they go, and when gradients are cleared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from handlens.doctor.watch.recorder import MEASURED, Recorder


class Optimizers:
    """Looks at optimizers and schedulers."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self._before: list[Tensor] | None = None

    def watch(self) -> None:
        """Begin."""
        watcher = self
        before = register_optimizer_step_pre_hook(lambda optimizer, *_: self.record.quiet(self._before_step, optimizer))
        after = register_optimizer_step_post_hook(lambda optimizer, *_: self.record.quiet(self._after_step, optimizer))
        self.record.undo += [before.remove, after.remove]

        def zero_grad(original: Callable[..., Any]) -> Callable[..., Any]:
            def zero(owner: Any, *args: Any, **knobs: Any) -> Any:
                watcher.record.quiet(lambda: watcher.record.add("zero_grad", owner=owner))
                return original(owner, *args, **knobs)

            return zero

        def made(original: Callable[..., Any]) -> Callable[..., Any]:
            def init(optimizer: Any, *args: Any, **knobs: Any) -> Any:
                result = original(optimizer, *args, **knobs)
                if not watcher.record.busy:
                    watcher.record.seen.optimizers.append(optimizer)
                    watcher.record.quiet(lambda: watcher.record.add("optimizer", optimizer=optimizer, lines=tuple(watcher.record.lines())))
                return result

            return init

        def scheduled(original: Callable[..., Any]) -> Callable[..., Any]:
            def step(scheduler: Any, *args: Any, **knobs: Any) -> Any:
                result = original(scheduler, *args, **knobs)
                if watcher.record.program.calls():
                    lrs = [group["lr"] for group in scheduler.optimizer.param_groups]
                    watcher.record.quiet(
                        lambda: watcher.record.add(
                            "scheduler",
                            lines=tuple(watcher.record.lines()),
                            lr=max(map(float, lrs)),
                            scheduler=scheduler,
                        )
                    )
                return result

            return step

        self.record.patch(torch.optim.Optimizer, "zero_grad", zero_grad)
        self.record.patch(nn.Module, "zero_grad", zero_grad)
        self.record.patch(torch.optim.Optimizer, "__init__", made)
        schedulers = [one for one in vars(torch.optim.lr_scheduler).values() if isinstance(one, type) and "step" in vars(one)]
        for kind in schedulers:
            self.record.patch(kind, "step", scheduled)

    def _before_step(self, optimizer: torch.optim.Optimizer) -> None:
        parameters = [one for group in optimizer.param_groups for one in group["params"]]
        if not any(optimizer is one for one in self.record.seen.optimizers):
            self.record.seen.optimizers.append(optimizer)
        event = self.record.add(
            "step",
            optimizer=optimizer,
            lr=max(float(group["lr"]) for group in optimizer.param_groups),
            moved=None,
            lines=tuple(self.record.lines()),
        )
        event.about["empty"] = (
            all(one.grad is None or not bool(one.grad.ne(0).any()) for one in parameters) if self.record.few("empty", 400) else None
        )
        self._before = [one.detach().clone() for one in parameters] if self.record.few("steps", MEASURED) else None

    def _after_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self._before is None:
            return
        event = next(event for event in reversed(self.record.seen.events) if event.kind == "step")
        parameters = [one for group in optimizer.param_groups for one in group["params"]]
        event.about["moved"] = [
            float((now.detach() - old).norm() / old.norm().clamp_min(1e-8))
            for now, old in zip(parameters, self._before, strict=True)
            if now.ndim > 1  # a bias begins at 0 and goes infinitely far
        ]
