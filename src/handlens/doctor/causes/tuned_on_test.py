"""The setting is chosen by its score on the test images."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import name_of

SENTENCE = "The best of several settings is chosen by its test score, so that score is too good."
CHANGE = "Choose by validation images, and look at the test set once, at the end."
DEMO = """\
  guesses = torch.randint(0, 10, (100, 150))  # a hundred settings, each of which guesses
  hits = (guesses == torch.randint(0, 10, (150,))).float()
  validation, test = hits[:, :50].mean(1), hits[:, 50:].mean(1)
- best = test.argmax()
+ best = validation.argmax()
  print(f"test accuracy {test[best]:.2f}, and guessing gives 0.10")
"""


def look(case: Case) -> Finding | None:
    """In a loop over settings, in which networks are made, the largest test score is kept."""
    for node in case.script.nodes:
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare)):
            continue
        compared = {name_of(one) for one in ast.walk(node.test)}
        loop = next(iter(case.script.loops_around(node.lineno)), None)
        if loop is None or not any("best" in name for name in compared):
            continue
        header = ast.unparse(loop).split(":")[0].lower()
        makes = any(
            isinstance(one, ast.Call) and name_of(one.func) in (type(case.model).__name__, "make_model", "build_model", "train")
            for one in ast.walk(loop)
        )
        if "epoch" not in header and makes and any(_from_test(loop, name) for name in compared):
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` compares scores on test images.", LIKELY)
    return None


def _from_test(loop: ast.AST, name: str) -> bool:
    """Whether a name got its value from something called test."""
    if "test" in name and "best" not in name:
        return True
    values = [one.value for one in ast.walk(loop) if isinstance(one, ast.Assign) and any(name_of(target) == name for target in one.targets)]
    return bool(name) and "best" not in name and any("test" in ast.unparse(value).lower() for value in values)
