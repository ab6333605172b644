"""The loss is computed of the winners."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "argmax has no gradient: the loss gets the winners, not the scores."
CHANGE = "Give the loss the scores themselves: criterion(output, labels)."
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
    losses, winners, calls = case.seen.of("loss")[-1:], case.seen.of("argmax")[-1:], case.seen.of("forward")[-1:]
    if not losses or not winners or not all(event.recording for event in calls):
        return None
    one_each = (winners[0].shape[1 - winners[0].dim],)  # a number for each image is left
    if losses[0].shapes[0] not in (one_each, (*one_each, 1)):
        return None
    return Finding(winners[0].line or losses[0].line or case.failure.line, "The loss is made of whole numbers that argmax gave.")
