"""The class is used where one of its objects is needed."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "This is the class, not a network made from it."
CHANGE = "Add brackets: Net()."
DEMO = """\
  class Net(nn.Sequential):
      def __init__(self):
          super().__init__(nn.Flatten(), nn.Linear(784, 10))
- model = Net
+ model = Net()
  print(len(list(model.parameters())), "weight tensors")
"""


def look(case: Case) -> Finding | None:
    """A method of the class was called without an object, and a name stands for the class itself."""
    if case.failure is None or not case.raised(
        r"missing 1 required positional argument: '\w+'|must be called with|descriptor|unexpected type|has no attribute|"
        r"takes \d+ positional|should be|not a Module"
    ):
        return None
    classes = {owner.name for owner in case.script.classes()}
    for node in case.script.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in classes:
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` makes no network.", change=f"Write {node.value.id}().")
    return None
