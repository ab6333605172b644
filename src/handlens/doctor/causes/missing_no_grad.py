"""Testing keeps what only training needs."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOTE, Finding
from handlens.words import counted

SENTENCE = "The test keeps graphs for gradients nobody asks for: right, only slower."
CHANGE = "Put the test under with torch.no_grad()."
DEMO = """\
  model = net()
- scores = model(test_images)
+ with torch.no_grad():
+     scores = model(test_images)
  print("the scores hold a graph:", scores.requires_grad)
"""


def look(case: Case) -> Finding | None:
    """Calls outside training with a graph. It is a remark, no mistake."""
    found = [event for event in case.tests if event.grad]
    return (
        Finding(found[0].line, f"{counted(len(found), 'call')} outside training made a graph.", NOTE) if case.training and found else None
    )
