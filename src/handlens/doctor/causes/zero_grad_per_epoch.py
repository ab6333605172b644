"""Gradients are cleared once an epoch, and add up within it."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.words import counted

SENTENCE = "Gradients are cleared once an epoch; within it those of all batches add up."
CHANGE = "Move optimizer.zero_grad() into the batch loop, before loss.backward()."
DEMO = """\
  model = net()
  optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for epoch in range(4):
-     optimizer.zero_grad()
      for x, y in loader:
+         optimizer.zero_grad()
          loss_fn(model(x), y).backward()
          optimizer.step()
  print(f"length of the gradients {model[1].weight.grad.norm():.2f}")
"""
EXPLAINS = ("lr_too_high",)


def look(case: Case) -> Finding | None:
    """There are clearings, but a step follows nearly every backward pass onto gradients that were there before."""
    clearings = case.seen.of("zero_grad")
    stale = sum(step.stale(case.optimized) for step in case.again)
    steps = sum(step.stepped for step in case.steps)
    if not clearings or len(case.steps) < 4 or steps < 0.9 * len(case.steps) or stale < 0.6 * len(case.again):
        return None
    return Finding(
        clearings[0].line,
        f"{counted(len(clearings), 'clearing')} for {counted(len(case.steps), 'backward pass', 'backward passes')}; "
        f"before {stale} of them old gradients were there.",
    )
