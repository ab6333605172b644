"""The test ends after its first batch."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import always, covers, name_of, names_in
from handlens.doctor.seen import Event
from handlens.words import counted

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
    """A return directly in the body of a loop that counts; or a break there, and its count is divided by that of all images."""
    for node in case.script.nodes:
        if not isinstance(node, ast.For | ast.While):
            continue
        last = next((one for one in node.body if isinstance(one, ast.Return)), None)
        adds = any(isinstance(one, ast.AugAssign) or _collects(one) for one in ast.walk(node))
        asked = [event for event in case.seen.of("forward") if covers(node, event.line)]
        last = last or next((one for one in _returns(node) if _one_batch(case, node)), None)
        if last is not None and adds and asked:
            return Finding(
                last.lineno,
                f"In {counted(len({event.loop for event in asked}), 'call')} only one batch of {asked[0].count} images was looked at.",
            )
        if found := _broken(case, node, asked):
            return found
    return None


def _broken(case: Case, loop: ast.For | ast.While, asked: list[Event]) -> Finding | None:
    """A break that each turn comes to. A quick look at one batch has it too, and divides by the size of that."""
    end = next((one for one in always(loop.body) if isinstance(one, ast.Break)), None)
    if end is None or not asked or any(event.trains for event in asked):
        return None
    counted = {name_of(one.target) for one in always(loop.body) if isinstance(one, ast.AugAssign)}
    bound = {one.id for one in ast.walk(loop) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    for node in case.script.nodes:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and node.lineno > end.lineno):
            continue
        if counted & names_in(node.left) and not bound & names_in(node.right) and not _size(node.right, asked):
            return Finding(
                end.lineno,
                f"Only one batch of {asked[0].count} images was looked at, and `{ast.unparse(node)}` divides by another number.",
                sentence="break stands at the end of the loop, so only the first batch is counted.",
                change="Take the break out.",
            )
    return None


def _size(node: ast.expr, asked: list[Event]) -> bool:
    """Whether it is the number of images in a batch, written out."""
    return isinstance(node, ast.Constant) and node.value in {event.count for event in asked}


def _returns(loop: ast.For | ast.While) -> list[ast.Return]:
    """The returns under a condition in a loop, not those of a loop or a function inside it."""
    found: list[ast.Return] = []
    waiting: list[ast.AST] = [one for one in loop.body if isinstance(one, ast.If | ast.With)]
    while waiting:
        node = waiting.pop()
        found += [node] if isinstance(node, ast.Return) else []
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return found


def _one_batch(case: Case, loop: ast.For | ast.While) -> bool:
    """Whether a loader with more than one batch was begun several times in the loop, and gave one each time."""
    passes: dict[int, list[int]] = {}
    asked, sizes = set(), {}
    for event in case.seen.events:
        if event.kind == "loader":
            last = id(event.loader)
            passes.setdefault(last, []).append(0)
            sizes[last] = event.loader
        elif event.kind == "batch" and id(event.loader) in passes:
            last = id(event.loader)
            passes[last][-1] += 1
        elif event.kind == "forward" and covers(loop, event.line) and passes:
            asked.add(last)
    return any(len(passes[key]) > 1 and set(passes[key]) == {1} and len(sizes[key]) > 1 for key in asked)


def _collects(node: ast.AST) -> bool:
    """Whether it is a line such as `metric.add(...)` or `guesses.append(...)`."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and name_of(call.func) in ("add", "append", "update", "extend")
