"""The counter begins again at each batch."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import always, covers

SENTENCE = "The counter is set to 0 again at each batch, so only the last one counts."
CHANGE = "Set it to 0 once, before the loop."
DEMO = """\
  seen = 0
  for x, y in loader:
-     seen = 0
      seen += len(y)
  print(seen, "of", len(images), "images counted")
"""


def look(case: Case) -> Finding | None:
    """A name is set to 0 in the loop over batches, added to in the same loop, and used after it."""
    for loop in (node for node in case.script.nodes if isinstance(node, ast.For | ast.While)):
        if not any(covers(loop, event.line) for event in case.seen.of("forward", "compare", "loss")):
            continue
        body = list(always(loop.body))
        reset = {target.id: one.lineno for one in body if isinstance(one, ast.Assign) and _zero(one.value) for target in _names(one)}
        added = {one.target.id for one in body if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name)}
        for name in reset.keys() & added:
            if _used_after(case, loop, name):
                return Finding(reset[name], f"`{name}` is set to 0 in the loop in which it is added to, and used after it.")
    return None


def _zero(node: ast.expr) -> bool:
    values = node.elts if isinstance(node, ast.Tuple) else [node]
    return all(isinstance(value, ast.Constant) and value.value in (0, 0.0) for value in values)


def _names(node: ast.Assign) -> list[ast.Name]:
    targets = [part for target in node.targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return [target for target in targets if isinstance(target, ast.Name)]


def _used_after(case: Case, loop: ast.For | ast.While, name: str) -> bool:
    owner = case.script.enclosing(loop.lineno, ast.FunctionDef) or case.script.tree
    end = loop.end_lineno or loop.lineno
    uses = [one for one in ast.walk(owner) if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)]
    inside = [one for one in ast.walk(loop) if isinstance(one, ast.Name) and one.id == name and isinstance(one.ctx, ast.Load)]
    return any(one.lineno > end for one in uses) and not inside
