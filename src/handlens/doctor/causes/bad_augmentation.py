"""The images are changed so that their labels no longer hold."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import covers, name_of

SENTENCE = "A digit that is flipped or turned over is no longer the same digit."
CHANGE = "For digits use small shifts and turns, up to about 10 degrees."
DEMO = """\
  model = net()
- learn(model, images.flip(-1))
+ learn(model, images.roll(1, dims=-1))
  print("accuracy on upright images", round(accuracy(model), 2))
"""


def look(case: Case) -> Finding | None:
    """A flip, or a turn of more than 45 degrees, of digits on the way into training for ten classes."""
    if case.outputs != 10:  # the turn itself may be what is to be learned
        return None
    if not re.search(r"mnist|digit", case.script.text, re.IGNORECASE) or re.search(
        r"fashion|kmnist|cifar", case.script.text, re.IGNORECASE
    ):
        return None
    for node in case.script.calls(
        "RandomHorizontalFlip", "RandomVerticalFlip", "hflip", "vflip", "flip", "fliplr", "flipud", "RandomRotation", "rot90", "rotate"
    ):
        name = name_of(node.func)
        if name in ("flip", "fliplr", "flipud") and (_of_order(node) or _of_network(case, node)):
            continue
        if name in ("RandomRotation", "rotate") and not _wide(node):
            continue
        if not name.startswith("Random") and _all_alike(case, node):
            continue  # as those of EMNIST must be
        return Finding(node.lineno, f"`{case.script.line(node.lineno)}`: a 2 becomes a shape that no one writes, a 6 a 9.", LIKELY)
    return None


def _all_alike(case: Case, node: ast.Call) -> bool:
    """Whether all images are turned, those of the test too, and not some of them, or some by chance."""
    function, condition = (case.script.enclosing(node.lineno, kind) for kind in (ast.FunctionDef, ast.If))
    around = [case.script.line(node.lineno), ast.unparse(condition.test) if isinstance(condition, ast.If) else ""]
    if function and not covers(function, case.line_of_training()):
        around.append(ast.unparse(function))
    some = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Subscript)
    trains = any(covers(loop, case.line_of_training()) for loop in case.script.loops_around(node.lineno))
    once = trains and len(case.script.calls(name_of(node.func))) == 1
    return not (some or once or re.search(r"rand|uniform|choice|bernoulli|shuffle|permutation", " ".join(around)))


def _of_order(node: ast.Call) -> bool:
    """Whether what is flipped is no image: what a sorting gave, or the rows of a batch."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else node
    flipped = ast.unparse(owner if name_of(owner) not in ("torch", "np", "numpy") else (node.args or [node])[0])
    rows = name_of(node.func) == "flip" and [ast.unparse(one) for one in node.args[-1:]] in (["0"], ["[0]"], ["(0,)"])
    return bool(re.search(r"sort|topk|order|cumsum|arange|range\(", flipped)) or (rows and not re.search("im(g|age)|pic|digit", flipped))


def _of_network(case: Case, node: ast.Call) -> bool:
    """Whether the network reads all its images that way round, as from right to left."""
    function = case.script.enclosing(node.lineno, ast.FunctionDef)
    return case.script.in_forward(node.lineno) and not case.script.find("rand", within=function)


def _wide(node: ast.Call) -> bool:
    numbers = [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, int | float)]
    return any(abs(number) > 45 for number in numbers)
