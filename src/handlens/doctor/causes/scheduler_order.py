"""The schedule moves on before the first step."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "The scheduler moves before the optimizer, so the first rate is skipped."
CHANGE = "First optimizer.step(), then scheduler.step()."


def look(case: Case) -> Finding | None:
    """PyTorch warns of it."""
    for text, line in case.seen.warnings:
        if "lr_scheduler.step()` before `optimizer.step()" in text:
            calls = case.seen.of("scheduler")
            return Finding(calls[0].line if calls else line, "PyTorch warned of the order.", LIKELY)
    return None
