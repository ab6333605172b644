"""torch.max gives two things."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "torch.max with a dimension gives two things: the largest values and their places."
CHANGE = "Take the second: _, predicted = torch.max(output, 1)."
DEMO = """\
  scores = net()(images)
- guesses = torch.max(scores, 1)
+ _, guesses = torch.max(scores, 1)
  print((guesses == labels).sum().item(), "hits")
"""


def look(case: Case) -> Finding | None:
    """A pair was compared, and the answer is one bool."""
    if case.failure is None or not case.raised(r"'bool' object has no attribute|'torch.return_types.max'|return_types\.max|'max' object"):
        return None
    line = case.script.find("torch.max(", ".max(")
    return Finding(line or case.failure.line, case.failure.text[:100]) if line else None
