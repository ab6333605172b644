"""Softmax is not told along which dimension."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import POSSIBLE, Finding

SENTENCE = "Softmax is not told which way to sum."
CHANGE = "Write dim=1, along the classes: softmax(..., dim=1)."
DEMO = """\
- chances = nn.Softmax()(net()(images))
+ chances = nn.Softmax(dim=1)(net()(images))
  print(chances.shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch warns of it."""
    for text, line in case.seen.warnings:
        if "Implicit dimension choice" in text:
            found = next((event.line for event in case.seen.of("softmax") if event.dim is None and event.line), line)
            return Finding(found, "PyTorch warned that the dimension is chosen for you.", POSSIBLE)
    return None
