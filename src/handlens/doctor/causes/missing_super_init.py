"""nn.Module was not prepared."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "__init__ does not prepare nn.Module before layers are put into it."
CHANGE = "Make super().__init__() the first line of __init__."
DEMO = """\
  class Net(nn.Module):
      def __init__(self):
+         super().__init__()
          self.out = nn.Linear(784, 10)
  print(len(list(Net().parameters())), "weight tensors")
"""


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(r"before Module\.__init__\(\) call|has no attribute '_(modules|parameters|buffers)'"):
        return None
    for owner in case.script.classes():
        method = case.script.method(owner.name, "__init__")
        if (
            method
            and "super()" not in ast.unparse(method)
            and any(line in range(method.lineno, (method.end_lineno or method.lineno) + 1) for line in case.failure.lines)
        ):
            return Finding(method.lineno, f"{owner.name}.__init__ has no super().__init__().")
    return Finding(case.failure.line, "The first layer could not be put into the network.")
