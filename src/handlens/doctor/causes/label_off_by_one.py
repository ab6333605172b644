"""Classes are counted from 1."""

from __future__ import annotations

import ast
import re

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "Classes start at 0: the tenth class is class 9."
CHANGE = "Subtract 1 from the labels."
DEMO = """\
- y = labels + 1
+ y = labels
  print(loss_fn(net()(images), y).item())
"""
EXPLAINS = ("too_few_classes",)
_ENOUGH = 40
_LABELS = r"(?<![a-z])ys?(?![a-z])|label|target|digit"


def look(case: Case) -> Finding | None:
    """A label equals the number of outputs, and none is 0; or guesses are moved by one before they are compared."""
    failure = case.failure
    if failure and (match := re.search(r"Target (\d+) is out of bounds", failure.text)):
        labels, line = _labels(case), _counted(case)
        few = len(labels) < _ENOUGH and not line  # of so few, none may be 0 by chance
        if few or int(match[1]) != int(labels.max()) or int(labels.min()) not in ((1, 2) if line else (1,)):
            return None
        return Finding(line or failure.line, f"The labels go from {int(labels.min())} to {int(labels.max())}.")
    if failure and "Target -1 is out of bounds" in failure.text:
        line = _counted(case, ast.Sub)
        return _from_minus_one(case, line) if line else None  # else it may stand for "no label"
    for node in case.script.nodes:
        if isinstance(node, ast.Compare | ast.Call) and any(_moved(side) for side in _sides(node)):
            if _of_numbers(_sides(node)) and any(0 <= one < 0.3 for one in case.seen.accuracies()):
                least = min(case.seen.accuracies())
                return Finding(
                    node.lineno, f"A guess is moved by one before it is compared; the accuracy that is printed is {least:.2f}.", LIKELY
                )
            hits = [event for event in case.seen.of("compare") if event.line == node.lineno]
            shown = case.seen.accuracies()[-1:]  # a good one is counted elsewhere
            if hits and sum(event.hits for event in hits) < 0.3 * sum(event.count for event in hits) and all(one < 0.3 for one in shown):
                return Finding(
                    node.lineno, f"Of {sum(event.count for event in hits):,} guesses {sum(event.hits for event in hits):,} hit.", LIKELY
                )
    return None


def _from_minus_one(case: Case, line: int) -> Finding:
    refused = [event.target.flatten() for event in case.seen.of("refused")]
    labels = torch.cat(refused) if refused else torch.tensor([-1])
    return Finding(
        line,
        f"The labels go from {int(labels.min())} to {int(labels.max())}." if len(labels) > 1 else "A label of -1 arrives.",
        sentence="Classes start at 0, as these labels did; now the first class is -1.",
        change="Subtract nothing from the labels.",
    )


def _labels(case: Case) -> Tensor:
    """All that were seen; not more than one batch of them may have been drawn before the program ended."""
    drawn = [event.labels for event in case.seen.of("batch") if event.labels is not None]
    found = drawn or [event.target for event in case.seen.of("refused")]
    return torch.cat([labels.flatten() for labels in found]) if found else torch.empty(0)


def _counted(case: Case, how: type[ast.operator] = ast.Add) -> int:
    """Where one is added to labels, or taken from them, by their name."""
    moved = [node for node in case.script.nodes if isinstance(node, ast.BinOp) and isinstance(node.op, how) and _moved(node)]
    return next((node.lineno for node in moved if re.search(_LABELS, ast.unparse(node.left).lower())), 0)


def _sides(node: ast.Compare | ast.Call) -> list[ast.expr]:
    """What is compared: by `==`, or by `.eq`."""
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    return [node.func.value, *node.args] if isinstance(node.func, ast.Attribute) and node.func.attr == "eq" else []


def _moved(side: ast.expr) -> bool:
    by_one = isinstance(side, ast.BinOp) and isinstance(side.op, ast.Add | ast.Sub) and isinstance(side.right, ast.Constant)
    return by_one and side.right.value == 1  # type: ignore[attr-defined]


def _of_numbers(compared: list[ast.expr]) -> bool:
    """Whether a guess and a label are compared, by their names, outside tensors too."""
    sides = [ast.unparse(side) for side in compared]
    return any(re.search("pred|guess", side) for side in sides) and any(re.search("label|target|true|truth", side) for side in sides)
