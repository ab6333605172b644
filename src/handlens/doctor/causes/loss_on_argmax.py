"""The loss is computed of the winners."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "argmax has no gradient: the loss gets the winners, not the scores."
CHANGE = "Give the loss the scores."
DEMO = """\
  scores = net()(images)
- loss = F.mse_loss(scores.argmax(1).float(), labels.float())
+ loss = F.cross_entropy(scores, labels)
  loss.backward()
  print("gradients are there")
"""
EXPLAINS = ("no_grad_in_training", "broken_graph")


def look(case: Case) -> Finding | None:
    """No gradient, and an argmax on the way to the loss."""
    if case.failure is None or not case.raised(r"does not require grad"):
        return None
    losses = case.seen.of("loss")
    found = [number for number, event in enumerate(case.seen.events) if event.kind == "argmax"]
    if not found or not losses:
        return None
    line = losses[-1].line or case.failure.line
    return Finding(case.seen.events[found[-1]].line or line, "The loss is made of whole numbers that argmax gave.")
