"""The loss is kept with its whole graph."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import parents
from handlens.words import counted

SENTENCE = "The loss is kept with the whole graph that made it, so memory grows with each batch."
CHANGE = "Keep the number only: loss.item()."
_SEVERAL = 3
DEMO = """\
  model, total = net(), 0.0
  for x, y in loader:
-     total += loss_fn(model(x), y)
+     total += loss_fn(model(x), y).item()
  print("the sum keeps every graph alive:", torch.is_tensor(total))
"""


def look(case: Case) -> Finding | None:
    """The graphs of losses are still there some steps later, and the name that backward is called on is added up or appended as it is."""
    followed = [event.kept for event in case.seen.of("backward") if "kept" in event.about]
    if sum(followed) < _SEVERAL:
        return None
    names = {
        node.func.value.id
        for node in case.script.calls("backward")
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    for node in sorted(case.script.nodes, key=lambda node: getattr(node, "lineno", 0)):
        kept = None
        if not isinstance(node, ast.AugAssign | ast.Call):
            continue
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            kept = node.value if not (isinstance(node.target, ast.Name) and node.target.id in names) else None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append" and node.args:
            kept = node.args[0]
        if kept is not None and _is_loss(kept, names) and case.script.loops_around(node.lineno) and not _without_graph(case, node):
            evidence = f"`{case.script.line(node.lineno)}` keeps a tensor: of "
            evidence += f"{counted(len(followed), 'graph')} {counted(sum(followed), 'was', 'were')} there 6 steps later."
            return Finding(node.lineno, evidence, LIKELY)
    return None


def _without_graph(case: Case, node: ast.AST) -> bool:
    """Whether it stands where no graph is made, or where the loss has become a number: `loss = loss.item()`."""
    around = [one for one in parents(node) if isinstance(one, ast.With | ast.FunctionDef)]
    said = [ast.unparse(item) for one in around for item in (one.items if isinstance(one, ast.With) else one.decorator_list)]
    numbers = [one.lineno for one in case.script.assignments("loss") if re.search(r"item\(\)|detach\(|float\(", ast.unparse(one.value))]
    return any(re.search("no_grad|inference_mode|set_grad_enabled", text) for text in said) or any(
        number < getattr(node, "lineno", 0) <= number + 5 for number in numbers
    )


def _is_loss(node: ast.expr, names: set[str]) -> bool:
    """`loss`, or a product of it with a number of images."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        return _is_loss(node.left, names) or _is_loss(node.right, names)
    return isinstance(node, ast.Name) and node.id in names
