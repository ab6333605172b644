"""A graph is gone through twice."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "Gradients go back through a loss only once, and this one, or a part of it, has been used before."
CHANGE = "Call backward() once for each batch, on a loss made in that batch; for a sum to show, add up loss.item()."
DEMO = """\
  model, total = net(), 0.0
  for x, y in loader:
      loss = loss_fn(model(x), y)
-     total = total + loss
-     total.backward()
+     total = total + loss.item()
+     loss.backward()
  print("total loss", round(total, 2))
"""


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(r"backward through the graph a second time"):
        return None
    return Finding(case.failure.line, f"It failed at the {len(case.steps)}. backward pass.")
