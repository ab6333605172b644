"""Each epoch begins with a new network."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import covers, parents
from handlens.doctor.seen import held

SENTENCE = "A new network is made in each epoch, and what the one before learned is thrown away."
CHANGE = "Move the line that makes the network above the loop over epochs."
DEMO = """\
+ model = net()
  for epoch in range(3):
-     model = net()
      learn(model, steps=4)
"""
EXPLAINS = (*NOT_LEARNING, "optimizer_wrong_params")


_EPOCH = r"(?<![a-z])[eé]p(och|oche|oca|oque)?(?![a-z])"  # not `epochs`: that is how many, and may be what is tried


def look(case: Case) -> Finding | None:
    """A network is made in the very loop whose turns are epochs, or its bare weights are."""
    trained = {id(event.model) for event in case.training}
    if len(trained) < 2:
        return _by_hand(case)
    for node in case.script.calls(*case.script.makers(type(case.model).__name__)):
        for loop in case.script.loops_around(node.lineno)[:1]:
            if _over_epochs(loop) and _gets_a_name(node):
                return Finding(node.lineno, f"{len(trained)} networks were trained, one for each epoch that was watched.")
    return None


def _by_hand(case: Case) -> Finding | None:
    """Without a network: each epoch makes an optimizer for other weights than the one before."""
    made = [event for event in case.seen.of("optimizer") if event.line and not case.training]
    for line in {event.line for event in made}:
        weights = [held(event.optimizer) for event in made if event.line == line]
        loop = next(iter(case.script.loops_around(line)), None)
        if len(weights) > 1 and not set.intersection(*weights) and loop is not None and _over_epochs(loop):
            given = {one.id for one in ast.walk(loop) if isinstance(one, ast.Name) and one.lineno == line}
            lines = [node.lineno for name in given for node in case.script.assignments(name) if covers(loop, node.lineno)]
            return Finding(min(lines, default=line), f"{len(weights)} optimizers were made, each for weights of its own.")
    return None


def _gets_a_name(node: ast.Call) -> bool:
    """Whether one network gets a name; several at once may be those of a generation."""
    around = list(parents(node))
    return any(isinstance(above, ast.Assign) for above in around) and not any(
        isinstance(above, ast.comprehension | ast.ListComp) for above in around
    )


def _over_epochs(loop: ast.For | ast.While) -> bool:
    """Whether a loop counts epochs: `for ep in`, `for _ in range(epochs)`, `while epoch <`."""
    if isinstance(loop, ast.While):
        return bool(re.search(_EPOCH, ast.unparse(loop.test).lower()))
    counted = isinstance(loop.iter, ast.Call) and "epoch" in ast.unparse(loop.iter).lower()
    target = ast.unparse(loop.target).lower()
    return bool(re.search(_EPOCH, target)) or (counted and "epochs" not in target)
