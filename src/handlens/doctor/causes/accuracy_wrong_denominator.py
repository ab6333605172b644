"""Hits are divided by the number of batches."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import name_of

SENTENCE = "The hits are divided by the number of batches, not of images."
CHANGE = "Divide by the number of images: len(loader.dataset), or count them."
DEMO = """\
  model = net()
  learn(model)
  correct = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
- print("accuracy", correct / len(loader))
+ print("accuracy", correct / len(loader.dataset))
"""


def look(case: Case) -> Finding | None:
    """`correct / len(loader)`, where `correct` counts hits one by one."""
    counts = _counters(case) | _sums(case)
    for node in case.script.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            divided, by = ({one.id for one in ast.walk(side) if isinstance(one, ast.Name)} for side in (node.left, node.right))
            text = ast.unparse(node.right)
            if (divided & counts or _counts(node.left)) and _batches(case, text) and by:
                shown = next((event.text for event in case.seen.of("print") if re.search(r"acc", event.text, re.IGNORECASE)), "")
                return Finding(
                    node.lineno, f"`{ast.unparse(node)}` divides hits by batches" + (f"; printed was: {shown[:60]}" if shown else ".")
                )
            if (
                divided & counts
                and isinstance(node.right, ast.Name | ast.Constant | ast.BinOp)
                and re.search(r"batch_size|\bbatch\b|\bbs\b", text, re.IGNORECASE)
                and not case.script.loops_around(node.lineno)
            ):
                return Finding(node.lineno, f"`{ast.unparse(node)}` divides all hits by the size of one batch.")
    return _too_much(case)


def _too_much(case: Case) -> Finding | None:
    """More than 100 % are said to be right, and hits that were counted are divided."""
    largest = max(case.seen.accuracies(), default=0.0)
    hits = _sums(case) | _counters(case)
    for node in case.script.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            divided = {one.id for one in ast.walk(node.left) if isinstance(one, ast.Name)}
            if largest > 1.005 and divided & hits:
                said = f"`{ast.unparse(node)}` gives an accuracy of {largest:.0%}."
                return Finding(
                    node.lineno, said, LIKELY, sentence="The hits are divided by too small a number: more than all would be right."
                )
    return None


def _batches(case: Case, text: str) -> bool:
    """Whether this is a number of batches, by its words or because the name is a loader's."""
    if "dataset" in text and not re.search(r"len\((\w+\.)*DataLoader\(", text):
        return False
    asked = [getattr(case.names.get(name), "batch_size", None) for name in re.findall(r"len\((\w+)\)", text)]
    words = r"len\([\w.]*(loader|_dl|dl|batches|dataloader)\)|len\((\w+\.)*DataLoader\(|n_?batches|num_?batches"
    return any(size is not None and size > 1 for size in asked) or bool(re.search(words, text))


def _sums(case: Case) -> set[str]:
    """Names that are given a sum of comparisons."""
    return {
        name_of(target)
        for node in case.script.nodes
        if isinstance(node, ast.Assign) and "sum(" in ast.unparse(node.value) and _counts(node.value)
        for target in node.targets
    }


def _counters(case: Case) -> set[str]:
    """Names that are raised by a sum of comparisons."""
    found = set()
    for node in case.script.nodes:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and _counts(node.value):
            found.add(node.target.id)
    return found


def _counts(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return ("==" in text or ".eq(" in text or "correct" in text) and "mean(" not in text and "/" not in text
