"""The training stands under no_grad."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers

SENTENCE = "The training runs under no_grad, so there is no graph for the gradients."
CHANGE = "Take the training out of torch.no_grad()."
DEMO = """\
  model = net()
- with torch.no_grad():
+ with torch.enable_grad():
      loss = loss_fn(model(images), labels)
      loss.backward()
  print("gradients are there")
"""
EXPLAINS = ("broken_graph",)


def look(case: Case) -> Finding | None:
    """No gradient, and the loop stands in a `with` or under a decorator that switches them off."""
    if case.failure is None or not case.raised(r"does not require grad"):
        return None
    calls = [line for event in case.seen.of("forward")[-1:] if not event.recording for line in event.lines]
    for node in case.script.nodes:
        if isinstance(node, ast.With) and _off(node.items[0].context_expr):
            if any(covers(node, line) for line in case.failure.lines):
                return Finding(node.lineno, "The backward pass stands inside it.")
            if any(covers(node, line) for line in calls):
                return Finding(node.lineno, "The network is called inside it, and the backward pass comes after.")
        if isinstance(node, ast.FunctionDef) and any(covers(node, line) for line in case.failure.lines):
            for decorator in node.decorator_list:
                if _off(decorator):
                    return Finding(decorator.lineno, f"{node.name} is decorated with it.")
    line = case.script.find("set_grad_enabled(False)")
    return Finding(line, "Gradients are switched off for the whole program.") if line else None


def _off(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return "no_grad" in text or "inference_mode" in text or "set_grad_enabled(False)" in text
