"""The new gradients are cleared before the step could use them."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "zero_grad() wipes the new gradients out before step() can use them."
CHANGE = "Put optimizer.zero_grad() before loss.backward()."
DEMO = """\
  model = net()
  optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
  for step in range(2):
+     optimizer.zero_grad()
      loss = loss_fn(model(images), labels)
      loss.backward()
-     optimizer.zero_grad()
      optimizer.step()
      print(f"loss {loss.item():.4f}")
"""
EXPLAINS = (*NOT_LEARNING, "missing_zero_grad", "weight_decay_too_high")


def look(case: Case) -> Finding | None:
    """Backward pass, clearing, and then a step with nothing in its hands."""
    wasted = []
    for step in case.steps:
        kinds = [event.kind for event in step.after]
        if "step" in kinds and "zero_grad" in kinds[: kinds.index("step")] and step.after[kinds.index("step")].empty:
            wasted.append(step.after[kinds.index("zero_grad")])
    stepped = sum(any(event.kind == "step" for event in step.after) for step in case.steps)
    if len(wasted) < max(2, 0.6 * stepped):
        return None
    return Finding(wasted[0].line, f"{len(wasted)} of {stepped} steps found only zeros for gradients.")
