"""The schedule moves on before the first step."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "The scheduler moves before the optimizer, so the first rate is skipped."
CHANGE = "First optimizer.step(), then scheduler.step()."
DEMO = """\
  optimizer = torch.optim.SGD(net().parameters(), lr=0.1)
  scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
- scheduler.step()
- optimizer.step()
+ optimizer.step()
+ scheduler.step()
  print("rate of the next step", optimizer.param_groups[0]["lr"])
"""


def look(case: Case) -> Finding | None:
    """PyTorch warns of it."""
    for text, line in case.seen.warnings:
        if "lr_scheduler.step()` before `optimizer.step()" in text:
            calls = case.seen.of("scheduler")
            return Finding(calls[0].line if calls else line, "PyTorch warned of the order.", LIKELY)
    return None
