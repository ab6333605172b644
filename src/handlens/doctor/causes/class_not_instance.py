"""The class is used where one of its objects is needed."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of

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


_ASKS = ("isinstance", "issubclass", "super", "partial")
_SAID = (
    r"missing 1 required positional argument: 'self'|must be called with|descriptor|unexpected type|has no attribute '_apply'|"
    r"'type' object|not a Module"
)


def look(case: Case) -> Finding | None:
    """A method of the class was called without an object, and a name stands for the class itself."""
    if case.failure is None:
        return None
    classes = {owner.name for owner in case.script.classes()} - {type(model).__name__ for model in case.seen.models}
    for node in case.script.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in classes and _small(node):
            name = node.value.id
            if case.raised(rf"{_SAID}|\b{name}\.\w+\(\) (missing|takes)|type object '{name}'"):
                return Finding(node.lineno, f"`{case.script.line(node.lineno)}` makes no network.", change=f"Write {name}().")
    if not case.raised("missing 1 required positional argument: 'self'"):
        return None
    return _taken_from_table(case, classes) or _handed_over(case, classes)


def _taken_from_table(case: Case, classes: set[str]) -> Finding | None:
    """`model = NETWORKS[name]`, of `NETWORKS = {"small": Small, "large": Large}`."""
    dicts = [(name_of(target), value) for target, value in case.script.pairs() if isinstance(value, ast.Dict) and value.values]
    tables = {name for name, value in dicts if all(name_of(one) in classes for one in value.values)}
    for node in case.script.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript) and name_of(node.value.value) in tables:
            taken = ast.unparse(node.value)
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` takes the class.", change=f"Write {taken}().")
    return None


def _handed_over(case: Case, classes: set[str]) -> Finding | None:
    """`Trainer(Net, loader)`, where `Trainer` does not call what it gets."""
    for node in case.script.nodes:
        if isinstance(node, ast.Call) and name_of(node.func) not in _ASKS:
            for name in {one.id for one in node.args if isinstance(one, ast.Name)} & classes:
                return Finding(node.lineno, f"`{case.script.line(node.lineno)}` hands over the class.", change=f"Write {name}().")
    return None


def _small(node: ast.Assign) -> bool:
    """Whether the name is one for a network: `model`; `MODEL` and `Model` are other names of a class."""
    return all(name_of(target).islower() for target in node.targets)
