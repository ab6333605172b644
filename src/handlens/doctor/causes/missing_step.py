"""Gradients are computed, and no weight is ever moved."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "The gradients are ready, but nothing moves the weights: optimizer.step() is missing."
CHANGE = "Write optimizer.step() after loss.backward()."
DEMO = """\
  model = net()
  optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for step in range(2):
      optimizer.zero_grad()
      loss = loss_fn(model(images), labels)
      loss.backward()
+     optimizer.step()
      print(f"loss {loss.item():.4f}")
"""
EXPLAINS = (*NOT_LEARNING, "missing_zero_grad", "zero_grad_per_epoch")


def look(case: Case) -> Finding | None:
    """Backward passes, an optimizer, and no step; the weights stay where they are."""
    moved = [way for step in case.steps for way in (step.backward.moved or {}).values()]
    if len(case.steps) < 3 or case.seen.of("step") or any(way > 0 for way in moved) or not moved:
        return None
    return Finding(case.line_of_training(), f"{len(case.steps)} backward passes and no step; the weights did not move.")
