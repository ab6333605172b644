"""Rows and columns of the confusion matrix are swapped."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import name_of

SENTENCE = "The arguments are swapped: rows should be the true classes."
CHANGE = "Write confusion_matrix(true, predicted)."
DEMO = """\
  def confusion_matrix(true, predicted):
      return torch.bincount(2 * true + predicted, minlength=4).reshape(2, 2).tolist()
  true, predicted = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1])
- print("rows are guesses:", confusion_matrix(predicted, true))
+ print("rows are true classes:", confusion_matrix(true, predicted))
"""


_GUESSES = "pred|guess|output"
_TRUE = "true|label|target|actual|y_test|gt"
_ROWS_TRUE = re.compile(r"\brows?\b((?!pred|guess|col)[^.,;])*\b(true|actual)\b", re.IGNORECASE)
_RECALL = re.compile(r"recall.*(\.sum\((dim=|axis=)?-?1\)|\w\[\w+\]\.sum\(\))|(\.sum\((dim=|axis=)?-?1\)|\w\[\w+\]\.sum\(\)).*recall")


def look(case: Case) -> Finding | None:
    """The function takes the labels first and gets the guesses; or guesses choose the row of a table with true classes in its rows."""
    return _called(case) or _filled(case)


def _called(case: Case) -> Finding | None:
    for node in case.script.calls("confusion_matrix", "from_predictions"):
        first, second = [ast.unparse(one).lower() for one in node.args[:2]] if len(node.args) >= 2 else ("", "")
        if _swapped(first, second) and _labels_first(case, name_of(node.func)):
            return Finding(node.lineno, f"It is called with ({first}, {second}).", LIKELY)
    return None


def _filled(case: Case) -> Finding | None:
    if not any(_ROWS_TRUE.search(line) or _RECALL.search(line) for line in case.script.lines):
        return None  # a table may have the guesses in its rows as well
    for node in case.script.nodes:
        places = _places(node)
        if len(places) == 2 and _swapped(*(_meaning(case, one) for one in places)):
            line: int = node.lineno  # type: ignore[attr-defined]
            return Finding(
                line,
                f"In `{case.script.line(line)}` the guess chooses the row, and the rows are read as true classes.",
                LIKELY,
                sentence="The table has the guesses in its rows, and is read as if they were the true classes.",
                change="Swap the two: the true class chooses the row.",
            )
    return None


def _swapped(first: str, second: str) -> bool:
    """Whether the first is named for guesses, and the second for labels."""
    return bool(re.search(_GUESSES, first) and re.search(_TRUE, second)) and not re.search("pred", second)


def _places(node: ast.AST) -> list[ast.expr]:
    """Row and column of `table[row, column] += 1` and of `bincount(row * 10 + column)`."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript) and isinstance(node.target.slice, ast.Tuple):
        return node.target.slice.elts
    counted = node.args[0] if isinstance(node, ast.Call) and name_of(node.func) == "bincount" and node.args else None
    if isinstance(counted, ast.BinOp) and isinstance(counted.op, ast.Add):
        product = next((one for one in (counted.left, counted.right) if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Mult)), None)
        if product is not None:
            row = product.right if isinstance(product.left, ast.Constant) else product.left
            return [row, counted.right if counted.left is product else counted.left]
    return []


def _meaning(case: Case, place: ast.expr) -> str:
    """Its text; of a name that goes through one of several lists, the list's: `t` of `for t, p in zip(labels, guesses)`."""
    for node in case.script.nodes:
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call) and name_of(node.iter.func) == "zip":
            names = [name_of(one) for one in getattr(node.target, "elts", [])]
            if name_of(place) in names and len(names) == len(node.iter.args):
                return ast.unparse(node.iter.args[names.index(name_of(place))]).lower()
    return ast.unparse(place).lower()


def _labels_first(case: Case, name: str) -> bool:
    """Whether a function takes the true classes first: scikit-learn's does, and the program's own if it names them so."""
    own = [node for node in case.script.nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    if own:
        return bool(own[0].args.args) and re.search(_TRUE, own[0].args.args[0].arg.lower()) is not None
    imports = [ast.unparse(node) for node in case.script.nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return any("sklearn" in one for one in imports) and not any("torchmetrics" in one for one in imports)
