"""Units that give 0 for every image."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.probes import relus

SENTENCE = "Nearly all units of a layer are asleep: they give 0 for every image, so nothing goes through."
CHANGE = "Leave the starting weights and biases as PyTorch makes them; if they are, try a learning rate 10 times smaller."
DEMO = """\
  model = net()
- nn.init.constant_(model[1].bias, -30.0)
  learn(model)
  print(f"{(model[:3](images) == 0).all(0).sum()} of 32 units are 0 for every image")
"""
_FAR = 3.0  # below 0, for a bias
EXPLAINS = ("lr_too_low", "vanishing_sigmoid")


def look(case: Case) -> Finding | None:
    """In some layer more than 90 % of the units give 0 for a whole batch, before the first step or after."""
    if case.start is None or case.model is None or case.images is None or case.learned or case.rate_grows:
        return None
    for when, model in (("before the first step", case.start), ("at the end", case.model)):
        for output in relus(model, case.images):
            dead = float((output == 0).flatten(1).all(0).double().mean())
            if dead > 0.9:
                line = _line(case) if when.startswith("before") else case.line_of_model("")
                return Finding(line, f"{dead:.0%} of a layer's units give 0 for all {len(case.images)} images {when}.", LIKELY)
    return None


def _line(case: Case) -> int:
    """Where weights or biases begin: rather where a number far below 0 stands."""
    low = [
        node.lineno
        for node in case.script.nodes
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and _large(node.operand)
    ]
    return min(low, default=0) or case.script.find("nn.init", "bias", ".fill_(", "constant_(")


def _large(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value >= _FAR
