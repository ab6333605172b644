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


def look(case: Case) -> Finding | None:
    """The first argument is named for the predictions, the second for the labels, and the function takes the labels first."""
    for node in case.script.calls("confusion_matrix", "from_predictions"):
        first, second = [ast.unparse(one).lower() for one in node.args[:2]] if len(node.args) >= 2 else ("", "")
        named = re.search(_GUESSES, first) and re.search(_TRUE, second) and not re.search("pred", second)
        if named and _labels_first(case, name_of(node.func)):
            return Finding(node.lineno, f"It is called with ({first}, {second}).", LIKELY)
    return None


def _labels_first(case: Case, name: str) -> bool:
    """Whether a function takes the true classes first: scikit-learn's does, and the program's own if it names them so."""
    own = [node for node in case.script.nodes if isinstance(node, ast.FunctionDef) and node.name == name]
    if own:
        return bool(own[0].args.args) and re.search(_TRUE, own[0].args.args[0].arg.lower()) is not None
    imports = [ast.unparse(node) for node in case.script.nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return any("sklearn" in one for one in imports) and not any("torchmetrics" in one for one in imports)
