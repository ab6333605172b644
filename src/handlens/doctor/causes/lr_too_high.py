"""The steps are so large that they jump over what they look for."""

from __future__ import annotations

from collections.abc import Callable

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.causes.lr_too_low import TINY, line_of_rate, longest_step
from handlens.doctor.probes import Trained

SENTENCE = "The steps are too big: they jump over the good weights."
CHANGE = "Try a learning rate 10 times smaller."
DEMO = """\
- learn(net(), lr=50)
+ learn(net(), lr=0.1)
"""
EXPLAINS = ("dead_relu", "vanishing_sigmoid")


def look(case: Case) -> Finding | None:
    """A few images are not learned by heart with this rate, and are with a smaller one: the cure is tested, not the number."""
    if case.learned or len(case.steps) < 4 or case.rate_grows:
        return None
    if case.probe is None:
        return _by_hand(case)
    train: Callable[..., Trained] = case.probe.train
    count = len(case.probe.images)
    if 0 <= longest_step(case) <= TINY:
        return None  # smaller steps are no cure
    as_it_is = train()
    if as_it_is.fell and case.rose:  # so few images say too little
        train, count = case.probe.replay, sum(len(images) for images, _ in case.probe.batches)
        as_it_is = train()
    if as_it_is.fell:
        return None
    for share in (0.1, 0.01, 0.001):
        smaller = train(lr=share)
        if smaller.fell:
            lr = float(case.probe.knobs["lr"])
            evidence = (
                f"On the same {count} images the loss ends at {as_it_is.last:.3g} with lr = {lr:g}, "
                f"at {smaller.last:.3g} with {lr * share:g}."
            )
            return Finding(case.line_of_optimizer(), evidence, LIKELY, change=f"Try lr={lr * share:g}.")
    return None


def _by_hand(case: Case) -> Finding | None:
    """Weights that the program moves by itself: by more than their own size in a step, and the loss rises."""
    ways = case.moves
    way = ways[3 * len(ways) // 4] if len(ways) >= 4 else 0.0
    if way < 1.0 or case.losses[-1] <= 2 * min(case.chance, case.losses[0]):
        return None
    evidence = f"A step moves the weights by {way:.1f} times their size, and the loss is {case.losses[-1]:.3g} at the end."
    return Finding(line_of_rate(case) or case.line_of_training(), evidence, LIKELY)
