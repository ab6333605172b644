"""The file belongs to another network."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The file belongs to a network with other layers."
CHANGE = "Make the network as it was when the file was saved."
DEMO = """\
  saved = nn.Linear(784, 64).state_dict()
- model = nn.Linear(784, 32)
+ model = nn.Linear(784, 64)
  print(model.load_state_dict(saved))
"""


def look(case: Case) -> Finding | None:
    """PyTorch lists what does not fit."""
    if case.failure is None or not case.raised(r"Error\(s\) in loading state_dict"):
        return None
    return Finding(case.failure.line, " ".join(case.failure.text.split())[:160])
