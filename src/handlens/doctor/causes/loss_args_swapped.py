"""The labels stand where the scores belong."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers

SENTENCE = "The arguments of the loss are swapped."
CHANGE = "First the scores, then the labels: criterion(output, labels)."
DEMO = """\
- print(loss_fn(labels, net()(images)).item())
+ print(loss_fn(net()(images), labels).item())
"""
EXPLAINS = ("target_wrong_type",)


def look(case: Case) -> Finding | None:
    """The first argument is made of whole numbers."""
    found = case.raised(
        r"not implemented for 'Long'|not implemented for 'Int'|expected scalar type Long but found Float|"
        r"dimension out of range|Dimension out of range|0D or 1D target|Expected floating point type|input.*target"
    )
    if found is None or case.failure is None:
        return None
    turned = [event for event in case.seen.of("refused") if not event.scores.is_floating_point() and event.target.is_floating_point()]
    if turned and turned[-1].scores.ndim < turned[-1].target.ndim:
        return Finding(case.failure.line, f"Its first argument holds whole numbers, its second is {list(turned[-1].target.shape)}.")
    for node in case.script.nodes:
        if isinstance(node, ast.Call) and covers(node, case.failure.line) and len(node.args) >= 2:
            names = [ast.unparse(one).lower() for one in node.args[:2]]
            if re.fullmatch(r"(\w*(label|target)\w*|y|yb|y_batch|y_true|batch_y|yy)", names[0]) and not re.search(
                r"label|target|^y$|^yb$|y_true", names[1]
            ):
                if _written_by_hand(names[1]):
                    continue
                return Finding(case.failure.line, f"It is called with ({names[0]}, {names[1]}).")
    return None


def _written_by_hand(name: str) -> bool:
    """Whether it is a number, which no scores are."""
    return name.isdecimal()
