"""Each epoch begins with a new network."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import parents

SENTENCE = "A new network is made in each epoch, and what the one before learned is thrown away."
CHANGE = "Move the line that makes the network above the loop over epochs."
DEMO = """\
+ model = net()
  for epoch in range(3):
-     model = net()
      learn(model, steps=4)
"""
EXPLAINS = (*NOT_LEARNING, "optimizer_wrong_params")


def look(case: Case) -> Finding | None:
    """A network is made in the very loop whose turns are epochs."""
    trained = {id(event.model) for event in case.training}
    name = type(case.model).__name__
    for node in case.script.calls(name):
        for loop in case.script.loops_around(node.lineno)[:1]:
            if len(trained) > 1 and "epoch" in ast.unparse(loop).split(":")[0].lower() and _assigns(node):
                return Finding(node.lineno, f"{len(trained)} networks were trained, one for each epoch that was watched.")
    return None


def _assigns(node: ast.Call) -> bool:
    return any(isinstance(above, ast.Assign) for above in parents(node))
