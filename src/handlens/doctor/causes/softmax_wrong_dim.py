"""Softmax is taken over the images of a batch."""

from __future__ import annotations

from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, NOT_LEARNING, Finding
from handlens.doctor.causes.softmax_before_ce import sums_to_one

SENTENCE = "This softmax compares the images of the batch with each other, not the classes of one image."
CHANGE = "Write dim=1, along the classes."
DEMO = """\
  scores = net()(images)
- chances = scores.softmax(dim=0)
+ chances = scores.softmax(dim=1)
  print(f"chances of one image sum to {chances[0].sum().item():.2f}")
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large", "batch_scramble", "logits_into_nll", "softmax_before_ce")


def look(case: Case) -> Finding | None:
    """Columns sum to 1, and rows do not."""
    for event in case.seen.of("loss"):
        if not event.grad or "scores" not in event.about or event.scores.ndim != 2 or len(event.scores) < 2:
            continue
        for scores in (event.scores, event.scores.exp()):
            if _sum_to_one(scores, 0) and not _sum_to_one(scores, 1):
                line = case.script.find("oftmax(dim=0", "oftmax(0)", "oftmax(dim=-2") or next(
                    (one.line for one in case.seen.of("softmax") if one.dim in (0, -2) and one.line), 0
                )
                return Finding(
                    line or case.script.find("dim=0", "(0)", "sum(0", "axis=0") or event.line,
                    "Each column sums to 1 over the batch; the rows do not.",
                )
    counts = {event.count for event in case.training} | {event.shapes[1][0] for event in case.seen.of("loss") if event.shapes[1]}
    wrong = [
        event
        for event in case.seen.of("softmax")
        if event.dim in (0, -2) and len(event.shape) == 2 and event.shape[0] in counts and event.grad and not event.weights
    ]
    return Finding(wrong[0].line, "A softmax with dim=0 of a batch with a row for each image.", LIKELY) if wrong else None


def _sum_to_one(scores: Tensor, dim: int) -> bool:
    return bool((scores >= 0).all()) and sums_to_one(scores, dim)
