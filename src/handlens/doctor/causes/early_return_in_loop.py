"""The test ends after its first batch."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers, name_of

SENTENCE = "return stands inside the loop, so only the first batch is counted."
CHANGE = "Move the return out of the loop, to the left."
DEMO = """\
  def count():
      seen = 0
      for x, y in loader:
          seen += len(y)
-         return seen
+     return seen
  print(count(), "of", len(images), "images counted")
"""
EXPLAINS = ("stats_reset_in_loop", "accuracy_wrong_denominator")


def look(case: Case) -> Finding | None:
    """A return directly in the body of a loop that counts."""
    for node in case.script.nodes:
        if not isinstance(node, ast.For | ast.While):
            continue
        last = next((one for one in node.body if isinstance(one, ast.Return)), None)
        adds = any(isinstance(one, ast.AugAssign) or _collects(one) for one in ast.walk(node))
        asked = [event for event in case.seen.of("forward") if covers(node, event.line)]
        if last is not None and adds and asked:
            return Finding(
                last.lineno, f"In {len({event.loop for event in asked})} call(s) only one batch of {asked[0].count} images was looked at."
            )
    return None


def _collects(node: ast.AST) -> bool:
    """Whether it is a line such as `metric.add(...)` or `guesses.append(...)`."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and name_of(call.func) in ("add", "append", "update", "extend")
