"""Rows and columns of the confusion matrix are swapped."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "The arguments are swapped: rows should be the true classes."
CHANGE = "Write confusion_matrix(true, predicted)."
DEMO = """\
  def confusion_matrix(true, predicted):
      return torch.bincount(2 * true + predicted, minlength=4).reshape(2, 2).tolist()
  true, predicted = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1])
- print("rows are guesses:", confusion_matrix(predicted, true))
+ print("rows are true classes:", confusion_matrix(true, predicted))
"""


def look(case: Case) -> Finding | None:
    """The first argument is named for the predictions, the second for the labels."""
    for node in case.script.calls("confusion_matrix", "ConfusionMatrixDisplay.from_predictions", "from_predictions"):
        names = [ast.unparse(one).lower() for one in node.args[:2]]
        if (
            len(names) == 2
            and re.search("pred|guess|output", names[0])
            and re.search("true|label|target|actual|y_test|gt", names[1])
            and not re.search("pred", names[1])
        ):
            return Finding(node.lineno, f"It is called with ({names[0]}, {names[1]}).", LIKELY)
    return None
