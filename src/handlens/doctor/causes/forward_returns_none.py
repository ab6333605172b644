"""forward computes and gives nothing back."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "forward calculates and gives nothing back."
CHANGE = "End it with: return x."
DEMO = """\
  class Net(nn.Module):
      def forward(self, x):
          x = x.flatten(1)[:, :10]
+         return x
  print(loss_fn(Net()(images), labels).item())
"""


def look(case: Case) -> Finding | None:
    """None arrives where scores are expected, and a forward has no return."""
    if case.failure is None or not case.raised(r"NoneType"):
        return None
    for owner in case.script.classes():
        method = case.script.method(owner.name, "forward")
        if method and not any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(method)):
            return Finding(method.end_lineno or method.lineno, f"{owner.name}.forward has no return.")
    return None
