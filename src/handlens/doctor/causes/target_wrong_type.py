"""The labels are not what the loss takes."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of, names_in

SENTENCE = "Labels should be whole numbers, one for each image."
CHANGE = "Make them so: labels.long(), of shape N for N images."
DEMO = """\
- y = labels.float()
+ y = labels.long()
  print(loss_fn(net()(images), y).item())
"""
_MAKERS = ("from_numpy", "tensor", "as_tensor")


def look(case: Case) -> Finding | None:
    """PyTorch names the kind or the shape."""
    found = case.raised(
        r"expected (target dtype|scalar type)|Expected floating point type for target|multi-target not supported|"
        r"0D or 1D target tensor expected|Expected target size|must match the size of tensor|target dtype|"
        r"\"nll_loss\w*\" not implemented|result type Float can't be cast to|Found dtype Long but expected Float"
    )
    if found is None or case.failure is None or not case.raised(r"target|nll_loss|dtype|cast"):
        return None
    return Finding(_made(case) or case.failure.line, case.failure.text.splitlines()[0][:140])


def _made(case: Case) -> int:
    """Where labels become a tensor, if they do so once, and of what NumPy has as fractions; 0 if the line of the loss is the place."""
    fractions = {
        name_of(target) for target, value in case.script.pairs() if "float32" in ast.unparse(value) or "float64" in ast.unparse(value)
    }
    made = [
        target.lineno
        for target, value in case.script.pairs()
        if re.search("label|target|^y", ast.unparse(target))
        and isinstance(value, ast.Call)
        and name_of(value.func) in _MAKERS
        and names_in(value) & fractions
    ]
    return made[0] if len(made) == 1 else 0
