"""A graph is gone through twice."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of

SENTENCE = "Gradients go back through a loss only once, and this one, or a part of it, has been used before."
CHANGE = "Call backward() once for each batch, on a loss made in that batch; for a sum to show, add up loss.item()."
_KEPT = "What is kept from one batch for the next is kept without its gradients: .detach()."
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
    found = f"It failed at the {len(case.steps)}. backward pass."
    kept = _kept(case)
    return Finding(kept, found, change=_KEPT) if kept else Finding(case.failure.line, found)


def _kept(case: Case) -> int:
    """Where something is made of itself and of what the network gave, in each step, and is no loss: a state, or a moving average."""
    losses = {name_of(call.func.value) for call in case.script.calls("backward") if isinstance(call.func, ast.Attribute)}
    for target, value in case.script.pairs():
        own, words = ast.unparse(target), ast.unparse(value)
        itself = isinstance(target, ast.Name | ast.Attribute) and own in {ast.unparse(one) for one in ast.walk(value)}
        if itself and name_of(target) not in losses and "." in own and not re.search(r"\b(detach|item|data|float|no_grad)\b", words):
            return target.lineno
    return 0
