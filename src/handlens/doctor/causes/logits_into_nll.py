"""The negative log-likelihood gets what are no log-probabilities."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.causes.softmax_before_ce import sums_to_one

SENTENCE = "NLLLoss expects log-probabilities, and gets something else."
CHANGE = "Put log_softmax(..., dim=1) before it, or use CrossEntropyLoss on the raw scores."
DEMO = """\
- learn(net(), loss_fn=nn.NLLLoss())
+ learn(net().append(nn.LogSoftmax(dim=1)), loss_fn=nn.NLLLoss())
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large")
_NEAR = 1e-2


def look(case: Case) -> Finding | None:
    """The exponentials of the rows do not sum to 1."""
    kept = [event for event in case.seen.of("loss") if event.name == "nll_loss" and event.grad and "scores" in event.about]
    wrong = [event for event in kept if event.scores.ndim == 2 and not sums_to_one(event.scores.exp(), 1, _NEAR)]
    if not wrong or len(wrong) < len(kept):
        return None
    if sums_to_one(wrong[0].scores.exp(), 0, _NEAR):
        return None  # that is another mistake: log_softmax over the images
    sums = float(wrong[0].scores.exp().sum(1).mean())
    return Finding(
        case.script.find("NLLLoss(") or wrong[0].line,
        f"The exponentials of a row sum to {sums:.3g}, not to 1; the loss was {case.losses[-1]:.3g} at the end."
        if case.losses
        else f"They sum to {sums:.3g}.",
    )
