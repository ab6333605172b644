"""A method is named and not called."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "Without brackets this line names the method and does not call it."
CHANGE = "Add the brackets: ()."
DEMO = """\
  model = nn.Sequential(nn.Linear(784, 10), nn.Dropout(0.5))
- model.eval
+ model.eval()
  print("training mode:", model.training)
"""
EXPLAINS = (
    *NOT_LEARNING,
    "missing_zero_grad",
    "zero_grad_per_epoch",
    "missing_step",
    "missing_backward",
    "missing_eval",
    "missing_train_mode",
)
_METHODS = ("zero_grad", "step", "backward", "eval", "train", "zero_", "item", "cpu", "cuda", "close", "show")


def look(case: Case) -> Finding | None:
    """A line that is only `optimizer.zero_grad`, `model.eval`, `optimizer.step`, ..."""
    for node in case.script.nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and node.value.attr in _METHODS:
            written = ast.unparse(node.value)
            return Finding(node.lineno, f"The line is `{written}`.", change=f"Write {written}().")
    return None
