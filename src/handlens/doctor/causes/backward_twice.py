"""A graph is gone through twice."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of, names_in, parents

SENTENCE = "Gradients go back through a loss only once, and this one, or a part of it, has been used before."
CHANGE = "Call backward() once for each batch, on a loss made in that batch; for a sum to show, add up loss.item()."
_KEPT = "What is kept from one batch for the next is kept without its gradients: .detach()."
DEMO = """\
  model, total = net(), 0.0
  for x, y in loader:
      loss = loss_fn(model(x), y)
-     total = total + loss
-     total.backward()
+     total = total + loss.item()
+     loss.backward()
  print("total loss", round(total, 2))
"""
_CUT = re.compile(r"\b(detach|item|data|float)\b")


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(r"backward through the graph a second time"):
        return None
    found = f"It failed at the {len(case.steps)}. backward pass."
    kept = _kept(case)
    return Finding(kept, found, change=_KEPT) if kept else Finding(case.failure.line, found)


def _kept(case: Case) -> int:
    """Where something is made of itself and of what the network gave, in each step, and is no loss: a state, or a moving average."""
    losses = {name_of(call.func.value) for call in case.script.calls("backward") if isinstance(call.func, ast.Attribute)}
    for target, value in case.script.pairs():
        if not isinstance(target, ast.Attribute) or target.attr in losses or _CUT.search(ast.unparse(value)):
            continue
        if ast.unparse(target) in {ast.unparse(one) for one in ast.walk(value)} and _of_step(case, target, value):
            return target.lineno
    return 0


def _of_step(case: Case, target: ast.Attribute, value: ast.expr) -> bool:
    """Whether it is made with gradients, of what its function is given or makes: no layer, no counter, no share of pixels."""
    function = case.script.enclosing(target.lineno, ast.FunctionDef)
    if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
        return False
    without = [*function.decorator_list, *(one.items[0] for one in parents(target) if isinstance(one, ast.With))]
    if any("no_grad" in ast.unparse(one) for one in without):
        return False
    inside = {name_of(one) for node in ast.walk(function) if isinstance(node, ast.Assign) for one in node.targets}
    return bool(names_in(value) & ({one.arg for one in function.args.args} - {"self"} | inside))
