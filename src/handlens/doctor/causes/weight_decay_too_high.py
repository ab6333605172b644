"""The weights are pulled to zero faster than they learn."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.probes import Trained

SENTENCE = "Weight decay pulls the weights to zero faster than they can learn."
CHANGE = "Leave weight_decay out, or take 0.0001."
DEMO = """\
- learn(net(), weight_decay=5.0)
+ learn(net(), weight_decay=1e-4)
"""
EXPLAINS = ("lr_too_high", "lr_too_low")


def look(case: Case) -> Finding | None:
    """With it a few images are not learned by heart, without it they are."""
    if case.probe is None or case.learned:
        return None
    decay = float(case.probe.knobs.get("weight_decay", 0) or 0)
    usual = inspect.signature(case.probe.optimizer.__init__).parameters.get("weight_decay")
    if decay <= 1e-3 or (usual is not None and decay == usual.default):
        return None
    train: Callable[..., Trained] = case.probe.train
    with_it = train()
    if with_it.fell and case.rose:  # so few images say too little
        train = case.probe.replay
        with_it = train()
    without = train(weight_decay=0.0)
    if with_it.fell or not without.fell:
        return None
    evidence = f"On the same images the loss ends at {with_it.last:.3g} with weight_decay = {decay:g}, at {without.last:.3g} without."
    return Finding(case.line_of_optimizer(), evidence)
