"""Weights are missing in the file, and nobody is told."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.words import counted

SENTENCE = "Some layers were not loaded at all: strict=False hides that."
CHANGE = "Take strict=False out and make the network the file is for."
DEMO = """\
  saved = {f"body.{name}": weights for name, weights in net().state_dict().items()}
- report = net().load_state_dict(saved, strict=False)
+ report = net().load_state_dict({name.removeprefix("body."): weights for name, weights in saved.items()})
  print(len(report.missing_keys), "weight tensors were not loaded")
"""


def look(case: Case) -> Finding | None:
    """Keys were missing: any, where nothing was trained after that; else at least half of them."""
    for event in case.seen.of("load"):
        least = 0.5 * len(list(event.model.parameters())) if case.steps else 1
        if event.missing and event.line and len(event.missing) >= least:
            missing = counted(len(event.missing), "tensor was", "tensors were")
            return Finding(event.line, f"{missing} not in the file: {', '.join(event.missing[:3])}.", LIKELY)
    return None
