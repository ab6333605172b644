"""The best weights are a link, not a copy."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of

SENTENCE = "state_dict() gives a link to the weights, not a copy: the best ones become the last ones."
CHANGE = "Keep a copy: copy.deepcopy(model.state_dict())."


def look(case: Case) -> Finding | None:
    """A state is put into a name in a loop, without a copy, and used after it."""
    for node in case.script.nodes:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value.func) == "state_dict"):
            continue
        names = {name_of(target) for target in node.targets}
        if not case.script.loops_around(node.lineno) and not case.script.enclosing(node.lineno, ast.FunctionDef):
            continue
        used = [
            call
            for call in case.script.calls("load_state_dict", "save")
            if any(isinstance(one, ast.Name | ast.Attribute) and name_of(one) in names for one in ast.walk(call))
        ]
        if (
            used
            and case.script.loops_around(node.lineno)
            and not any(loop in case.script.loops_around(used[0].lineno) for loop in case.script.loops_around(node.lineno)[:1])
        ):
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` keeps a link; training went on after it.")
    return None
