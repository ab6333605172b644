"""Gradients are computed, and no weight is ever moved."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.words import counted

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
    stepped = {id(event.optimizer) for event in case.seen.of("step")}
    idle = [optimizer for optimizer in case.seen.optimizers if id(optimizer) not in stepped]
    held = {id(one) for optimizer in idle for group in optimizer.param_groups for one in group["params"]}
    waiting = [step for step in case.steps if not stepped or any(id(leaf) in held for leaf in step.backward.leaves)]
    moved = [way for step in waiting for key, way in (step.backward.moved or {}).items() if not stepped or key in held]
    if len(waiting) < (20 if stepped else 3) or any(way > 0 for way in moved) or not moved:
        return None
    return Finding(
        waiting[0].backward.line,
        f"{counted(len(waiting), 'backward pass', 'backward passes')} and no step; the weights did not move.",
        sentence="" if case.seen.optimizers else "The gradients are ready, but nothing moves the weights.",
        change="" if case.seen.optimizers else "Change the weights by them, and keep what comes out.",
    )
