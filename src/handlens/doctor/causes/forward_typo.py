"""The method has nearly the right name."""

from __future__ import annotations

import ast
import difflib

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The method must be called forward."
CHANGE = "Name it forward."
DEMO = """\
  class Net(nn.Module):
-     def foward(self, x):
+     def forward(self, x):
          return x.flatten(1)
  print(Net()(images).shape)
"""


def look(case: Case) -> Finding | None:
    """A method whose name is nearly forward, in a class that has none."""
    if case.failure is None or not case.raised(r"missing the required \"forward\" function"):
        return None
    for owner in case.script.classes():
        names = {one.name: one.lineno for one in owner.body if isinstance(one, ast.FunctionDef)}
        near = difflib.get_close_matches("forward", [name for name in names if name != "forward"], 1, 0.6)
        if near and "forward" not in names:
            return Finding(names[near[0]], f"{owner.name} has a method {near[0]}, and none called forward.")
    return Finding(case.line_of_class() or case.failure.line, "The class has no method called forward.")
