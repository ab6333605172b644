"""The loss takes a sigmoid of what is a sigmoid already."""

from __future__ import annotations

import torch

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "BCEWithLogitsLoss applies sigmoid itself; here it gets one already."
CHANGE = "Give it the raw scores, or use BCELoss."
DEMO = """\
  y = F.one_hot(labels, 10).float()
- model = net().append(nn.Sigmoid())
+ model = net()
  learn(model, y=y, lr=1.0, loss_fn=nn.BCEWithLogitsLoss())
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large")


def look(case: Case) -> Finding | None:
    """What reaches it lies between 0 and 1 in every batch, and comes from a sigmoid."""
    kept = [
        event
        for event in case.seen.of("loss")
        if event.name == "binary_cross_entropy_with_logits" and event.grad and "scores" in event.about
    ]
    if not kept or not all(bool(((event.scores > 0) & (event.scores < 1)).all()) for event in kept):
        return None
    if not any(name.startswith(("Sigmoid", "Softmax")) for name in kept[0].made):
        return None  # small scores, as at the start
    line = case.script.find("sigmoid(", "Sigmoid(", "softmax(", "Softmax(")
    low, high = (float(extreme(torch.stack([extreme(event.scores) for event in kept]))) for extreme in (torch.min, torch.max))
    return Finding(line or kept[0].line, f"All that reaches the loss lies between {low:.2f} and {high:.2f}.")
