"""The steps are so large that they jump over what they look for."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding

SENTENCE = "The steps are too big: they jump over the good weights."
CHANGE = "Try a learning rate 10 times smaller."
EXPLAINS = ("dead_relu", "vanishing_sigmoid")


def look(case: Case) -> Finding | None:
    """A few images are not learned by heart with this rate, and are with a smaller one: the cure is tested, not the number."""
    if case.probe is None or case.learned or len(case.steps) < 4:
        return None
    as_it_is = case.probe.train()
    if as_it_is.fell:
        return None
    for share in (0.1, 0.01, 0.001):
        smaller = case.probe.train(lr=share)
        if smaller.fell:
            lr = float(case.probe.knobs["lr"])
            evidence = (
                f"On the same {len(case.probe.images)} images the loss ends at {as_it_is.last:.3g} with lr = {lr:g}, "
                f"at {smaller.last:.3g} with {lr * share:g}."
            )
            return Finding(case.line_of_optimizer(), evidence, LIKELY, change=f"Try lr={lr * share:g}.")
    return None
