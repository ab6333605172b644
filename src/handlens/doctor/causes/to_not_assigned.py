"""What .to gives is thrown away."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "images.to(device) gives a copy, and this line throws it away."
CHANGE = "Keep it: images = images.to(device)."
DEMO = """\
  model, x = net().to("meta"), images
- x.to("meta")
+ x = x.to("meta")
  print(model(x).device)
"""
EXPLAINS = ("device_mismatch", "uint8_input")


def look(case: Case) -> Finding | None:
    """A line that is only `x.to(...)`, where x is no network, and devices or kinds did not fit."""
    if case.failure is None or not case.raised(r"same device|should be the same|same dtype|meta"):
        return None
    for node in case.script.nodes:
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
            and node.value.func.attr in ("to", "cuda", "cpu", "float")
        ):
            owner = node.value.func.value
            if isinstance(owner, ast.Name) and not re.search(r"model|net|criterion|loss_fn", owner.id, re.IGNORECASE):
                return Finding(
                    node.lineno,
                    f"`{case.script.line(node.lineno)}` changes nothing.",
                    change=f"Write {owner.id} = {ast.unparse(node.value)}.",
                )
    return None
