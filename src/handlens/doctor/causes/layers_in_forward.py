"""A new layer is made at each call."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.script import name_of

SENTENCE = "A new layer is made each time forward runs, so what it learned is lost."
CHANGE = "Make the layer in __init__ and use it in forward."
DEMO = """\
  class Net(nn.Module):
      def __init__(self):
          super().__init__()
          self.out = nn.Linear(784, 10)
      def forward(self, x):
-         return nn.Linear(784, 10)(x.flatten(1))
+         return self.out(x.flatten(1))
  model = Net()
  print("two calls give the same:", torch.equal(model(images), model(images)))
"""
EXPLAINS = (*NOT_LEARNING, "unregistered_layers", "optimizer_wrong_params", "defined_but_unused")
_LAYERS = ("Linear", "Conv1d", "Conv2d", "BatchNorm1d", "BatchNorm2d", "LayerNorm", "Embedding", "LazyLinear")


def look(case: Case) -> Finding | None:
    """A layer with weights is made inside a forward."""
    for owner in case.script.classes():
        method = case.script.method(owner.name, "forward")
        for node in ast.walk(method) if method else ():
            if isinstance(node, ast.Call) and name_of(node.func) in _LAYERS and not _once(node, method):
                return Finding(node.lineno, f"`{case.script.line(node.lineno)}` stands in forward.")
    return None


def _once(node: ast.AST, method: ast.AST | None) -> bool:
    """Whether it stands under an `if` that may let it happen only once."""
    return any(
        isinstance(one, ast.If)
        and any(part is node for part in ast.walk(one))
        and ("None" in ast.unparse(one.test) or "hasattr" in ast.unparse(one.test))
        for one in (ast.walk(method) if method else ())
    )
