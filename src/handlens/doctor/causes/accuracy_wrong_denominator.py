"""Hits are divided by the number of batches."""

from __future__ import annotations

import ast
import contextlib
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import name_of, names_in
from handlens.doctor.seen import Event

SENTENCE = "The hits are divided by the number of batches, not of images."
CHANGE = "Divide by the number of images: len(loader.dataset), or count them."
_BATCHES = "batches"
DEMO = """\
  model = net()
  learn(model)
  correct = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
- print("accuracy", correct / len(loader))
+ print("accuracy", correct / len(loader.dataset))
"""


def look(case: Case) -> Finding | None:
    """`correct / len(loader)`, where `correct` counts hits one by one, and that is what was printed; or more than 100 % was."""
    return _by_batches(case) or _too_much(case)


def _by_batches(case: Case) -> Finding | None:
    """Divisions by a number of batches, and then those by the size of one: the latter are more often right."""
    divisions = [(_divisor(case, node), node) for node in case.script.nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    for by, node in sorted((one for one in divisions if one[0]), key=lambda one: one[0] != _BATCHES):
        rest = case.script.line(node.lineno).replace(ast.unparse(node.right), "")
        if shown := _contradiction(case, percent="100" in rest):
            return Finding(node.lineno, f"`{ast.unparse(node)}` divides all hits by {by}; printed was: {shown[:60]}")
    return None


def _divisor(case: Case, node: ast.BinOp) -> str:
    """What hits are divided by; empty if it is something else, or if they are no hits."""
    divided = names_in(node.left) & (_counters(case) | _sums(case))
    if (divided or _compares(node.left)) and _batches(case, ast.unparse(node.right)):
        return _BATCHES
    return "the size of one batch" if divided and _batch(node.right) and not case.script.loops_around(node.lineno) else ""


def _contradiction(case: Case, *, percent: bool) -> str:
    """What was printed after a test that is its hits by a number, or a size, of batches, and not their share; empty if nothing was."""
    sizes = _loader_sizes(case)
    tested: dict[int, list[Event]] = {}
    for event in case.seen.events:
        if event.kind == "backward":
            tested = {}
        elif event.kind == "compare":
            tested.setdefault(event.line, []).append(event)
        elif event.kind == "print":
            for compared in tested.values():
                hits, share = sum(one.hits for one in compared), sum(one.hits for one in compared) / sum(one.count for one in compared)
                right = _says(event.text, share) or ((percent or "%" in event.text) and _says(event.text, 100 * share))
                other = [times * hits / size for size in sizes | {len(compared)} for times in (1, 100)]
                if hits and not right and any(_says(event.text, value) for value in other):
                    return str(event.text)
    return ""


def _says(text: str, value: float) -> bool:
    """Whether a number stands in a text, as it was rounded there."""
    numbers = [(float(number), len(number.partition(".")[2])) for number in re.findall(r"\d+\.\d+|\d+(?=\s*%)", text)]
    return any(abs(number - value) <= max(0.51 * 10.0**-decimals, 1e-6 * value) for number, decimals in numbers)


def _loader_sizes(case: Case) -> set[int]:
    """Of each loader: how many batches it has, and how many images are in one."""
    found: set[int] = set()
    for event in case.seen.of("made"):
        with contextlib.suppress(TypeError):  # of a stream that has no end
            found |= {len(event.loader), event.loader.batch_size or 0}
    return found - {0}


def _too_much(case: Case) -> Finding | None:
    """More than 100 % are said to be right, and hits that were counted are divided."""
    largest = max(case.seen.accuracies(), default=0.0)
    hits = _sums(case) | _counters(case)
    for node in case.script.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            divided = names_in(node.left)
            if largest > 1.005 and divided & hits:
                said = f"`{ast.unparse(node)}` gives an accuracy of {largest:.0%}."
                return Finding(
                    node.lineno, said, LIKELY, sentence="The hits are divided by too small a number: more than all would be right."
                )
    return None


def _batches(case: Case, text: str) -> bool:
    """Whether this is a number of batches, by its words or because the name is a loader's."""
    if "*" in text or ("dataset" in text and not re.search(r"len\((\w+\.)*DataLoader\(", text)):
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


def _batch(node: ast.expr) -> bool:
    """Whether this is the size of a batch, by its words."""
    return isinstance(node, ast.Name | ast.Constant) and bool(re.search(r"batch_size|\bbatch\b|\bbs\b", ast.unparse(node), re.IGNORECASE))


def _counts(node: ast.expr) -> bool:
    return _compares(node) or ("correct" in ast.unparse(node) and not _shares(node))


def _compares(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return ("==" in text or ".eq(" in text) and not _shares(node)


def _shares(node: ast.expr) -> bool:
    return bool(re.search(r"mean\(|/|100|percent|share", ast.unparse(node)))
