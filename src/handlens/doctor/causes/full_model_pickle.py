"""The whole network was saved."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The file holds the whole network, and PyTorch loads only weights from it."
CHANGE = "Save model.state_dict(), and load it into a new network."
DEMO = """\
  file, model = io.BytesIO(), net()
- torch.save(model, file)
+ torch.save(model.state_dict(), file)
  file.seek(0)
  print(len(torch.load(file)), "weight tensors")
"""


def look(case: Case) -> Finding | None:
    """PyTorch refuses to unpickle it."""
    if case.failure is None or not case.raised(r"Weights only load failed"):
        return None
    saved = [node.lineno for node in case.script.calls("save") if node.args and "state_dict" not in ast.unparse(node.args[0])]
    return Finding(saved[0] if saved else case.failure.line, "torch.load takes weights only.")
