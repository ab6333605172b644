"""Each step makes a new iterator, and gets the first batch."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import name_of

SENTENCE = "Each step makes a new iterator, so training sees the same first batch again and again."
CHANGE = "Go through the loader: for images, labels in train_loader."
DEMO = """\
  used = set()
- for step in range(4):
-     x, y = next(iter(loader))
+ for x, y in loader:
      used |= {image.sum().item() for image in x}
  print(len(used), "different images were used")
"""
EXPLAINS = ("train_test_preprocess_mismatch",)


def look(case: Case) -> Finding | None:
    """`next(iter(loader))` within the loop that trains, and the same images at each step."""
    rows = [frozenset(event.rows) for event in case.training if "rows" in event.about]
    for node in case.script.calls("next"):
        inner = node.args[0] if node.args else None
        if (
            isinstance(inner, ast.Call)
            and name_of(inner.func) == "iter"
            and case.script.loops_around(node.lineno)
            and len(rows) > 3
            and len(set(rows)) <= max(1, len(rows) // 8)
        ):
            return Finding(node.lineno, f"{len(rows)} steps saw {len(set(rows))} different batch(es).")
    return None
