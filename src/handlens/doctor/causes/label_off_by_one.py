"""Classes are counted from 1."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "Classes start at 0: the tenth class is class 9."
CHANGE = "Take 1 from the labels."
DEMO = """\
- y = labels + 1
+ y = labels
  print(loss_fn(net()(images), y).item())
"""
EXPLAINS = ("too_few_classes",)


def look(case: Case) -> Finding | None:
    """A label equals the number of outputs, and none is 0; or guesses are moved by one before they are compared."""
    failure = case.failure
    if failure and (match := re.search(r"Target (\d+) is out of bounds", failure.text)):
        labels = next((event.labels for event in case.seen.of("batch") if event.labels is not None), None)
        if labels is not None and int(labels.min()) == 1 and int(match[1]) == int(labels.max()):
            return Finding(failure.line, f"The labels go from {int(labels.min())} to {int(labels.max())}.")
        return None
    for node in case.script.nodes:
        if isinstance(node, ast.Compare) and any(
            isinstance(side, ast.BinOp)
            and isinstance(side.op, ast.Add | ast.Sub)
            and isinstance(side.right, ast.Constant)
            and side.right.value == 1
            for side in (node.left, *node.comparators)
        ):
            if _of_numbers(node) and any(0 <= one < 0.3 for one in case.seen.accuracies()):
                shown = min(case.seen.accuracies())
                return Finding(
                    node.lineno, f"A guess is moved by one before it is compared; the accuracy that is printed is {shown:.2f}.", LIKELY
                )
            hits = [event for event in case.seen.of("compare") if event.line == node.lineno]
            if hits and sum(event.hits for event in hits) < 0.3 * sum(event.count for event in hits):
                return Finding(
                    node.lineno, f"Of {sum(event.count for event in hits):,} guesses {sum(event.hits for event in hits):,} hit.", LIKELY
                )
    return None


def _of_numbers(node: ast.Compare) -> bool:
    """Whether a guess and a label are compared, by their names, outside tensors too."""
    sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
    return any(re.search("pred|guess", side) for side in sides) and any(re.search("label|target|true|truth", side) for side in sides)
