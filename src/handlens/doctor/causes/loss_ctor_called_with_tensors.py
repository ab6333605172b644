"""The loss is built from tensors."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of

SENTENCE = "Here the loss is built, where it should be used."
CHANGE = "First make it, then call it: nn.CrossEntropyLoss()(output, labels)."
DEMO = """\
- print(nn.CrossEntropyLoss(net()(images), labels))
+ print(nn.CrossEntropyLoss()(net()(images), labels).item())
"""


def look(case: Case) -> Finding | None:
    """Two arguments for a class of losses."""
    if case.failure is None:
        return None
    for node in case.script.calls("CrossEntropyLoss", "NLLLoss", "MSELoss", "BCELoss", "BCEWithLogitsLoss"):
        tensors = [one for one in node.args[:2] if not isinstance(one, ast.Constant)]
        if len(tensors) == 2 and node.lineno in case.failure.lines:
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` gives {name_of(node.func)} the tensors when it is made.")
    return None
