"""A schedule that counts epochs is moved on at each batch."""

from __future__ import annotations

import ast
from typing import Any

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import covers
from handlens.doctor.seen import Event

SENTENCE = "This scheduler counts epochs, but it is called at each batch: the rate is gone within one epoch."
CHANGE = "Call scheduler.step() once an epoch, after the batch loop."
DEMO = """\
  optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
  scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
  for epoch in range(2):
      for x, y in loader:
          optimizer.step()
-         scheduler.step()
+     scheduler.step()
      print("rate after epoch", epoch, "is", optimizer.param_groups[0]["lr"])
"""
EXPLAINS = NOT_LEARNING
_BY_EPOCH = ("StepLR", "MultiStepLR", "ExponentialLR", "MultiplicativeLR")
_LEFT = 0.2  # of the rate: less, and it is gone
_LEFT_IN_CHAIN = 0.01  # where kinds are joined, one that is meant for steps may go down far


def look(case: Case) -> Finding | None:
    """Calls at nearly each step, of a kind that multiplies the rate, which falls to nothing."""
    calls = [event for event in case.seen.of("scheduler") if _counts_epochs(event.scheduler)]
    steps = [event for event in case.seen.of("step") if calls and event.optimizer is calls[0].scheduler.optimizer]
    if len(calls) < 4 or not steps or len(calls) < 0.8 * len(steps) or _all_at_once(case):
        return None
    loop, training = (_loop(case, event) for event in (calls[0], steps[0]))
    if (
        loop is not training
        or loop is None
        or (not any(other is not loop for other in case.script.loops_around(loop.lineno)) and "epoch" in ast.unparse(loop).split(":")[0])
    ):
        return None
    first, last = max(event.lr for event in steps), calls[-1].lr
    if last > (_LEFT if type(calls[0].scheduler).__name__ in _BY_EPOCH else _LEFT_IN_CHAIN) * first:
        return None
    line = next(line for line in calls[0].lines if covers(loop, line))
    return Finding(line, f"In {len(calls)} batches the learning rate went from {first:g} to {last:.2g}.")


def _loop(case: Case, event: Event) -> ast.For | ast.While | None:
    """The innermost loop around it; not one through what is written there, as `for optimizer in (first, second):`."""
    loops = [one for line in event.lines for one in case.script.loops_around(line)]
    return next((one for one in loops if not isinstance(getattr(one, "iter", None), ast.Tuple | ast.List)), None)


def _counts_epochs(scheduler: Any) -> bool:
    """Whether it is of such a kind, or one of those that it goes through is."""
    return any(type(one).__name__ in _BY_EPOCH for one in (scheduler, *getattr(scheduler, "_schedulers", ())))


def _all_at_once(case: Case) -> bool:
    """Whether each step sees all images, so that a batch is an epoch."""
    known = [set(event.rows) for event in case.training if event.about.get("rows")]
    return bool(known) and all(some == case.trained_rows for some in known)
