"""What load_state_dict gives is taken for the network."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "load_state_dict changes the network in place, and gives back a report."
CHANGE = "Do not assign it: write model.load_state_dict(...) alone."
DEMO = """\
  model, saved = net(), net().state_dict()
- model = model.load_state_dict(saved)
+ model.load_state_dict(saved)
  print(model(images).shape)
"""


def look(case: Case) -> Finding | None:
    """An assignment of its result, and an exception about the report."""
    if case.failure is None or not case.raised(r"_IncompatibleKeys"):
        return None
    lines = [node.lineno for node in case.script.nodes if isinstance(node, ast.Assign) and "load_state_dict(" in ast.unparse(node.value)]
    return Finding(lines[0] if lines else case.failure.line, "The name now stands for a report of missing keys.")
