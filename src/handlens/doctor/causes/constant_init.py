"""All units of a layer begin alike."""

from __future__ import annotations

import contextlib

from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.words import counted

SENTENCE = "All units of a layer start with the same weights, so they stay the same."
CHANGE = "Leave the starting weights random, as PyTorch makes them."
DEMO = """\
  model = net()
- for weights in model.parameters():
-     nn.init.constant_(weights, 0.01)
  learn(model)
  print(f"the units of the first layer differ by {model[1].weight.std(0).mean():.3f}")
"""
_FILLERS = ("constant_(", ".fill_(", "ones_(", "zeros_(")
_MAKERS = ("torch.zeros(", "torch.ones(", "torch.full(", ".zero_()", "zeros(", "ones(", "full(")
EXPLAINS = (*NOT_LEARNING, "no_activation", "relu_on_output", "missing_zero_grad")


def look(case: Case) -> Finding | None:
    """All rows of a weight matrix are equal before the first step, and so are their gradients: nothing will tell the units apart."""
    if case.start is None:
        return _by_hand(case)
    if case.loaded:
        return None
    gradients: dict[str, Tensor] = {}
    with contextlib.suppress(Exception):
        gradients = case.probe.gradients() if case.probe else {}
    ends = dict(case.model.named_parameters()) if case.model else {}
    for name, weights in case.start.named_parameters():
        if weights.ndim >= 2 and len(weights) > 1 and _alike(weights) and _alike(gradients.get(name, ends[name].detach())):
            return Finding(_line(case) or case.line_of_model(name), f"All {len(weights)} rows of {name} begin equal, and change alike.")
    return None


def _alike(weights: Tensor) -> bool:
    return not weights.is_meta and bool((weights - weights[:1]).abs().max() <= 1e-5 * weights.abs().max())  # without numbers on meta


def _by_hand(case: Case) -> Finding | None:
    """Without a network: in each of at least two matrices all numbers are the same, and in no other, or they are neither 0 nor 1."""
    matrices = [weights for weights in case.weights.values() if weights.ndim >= 2 and len(weights) > 1]
    alike = [weights for weights in matrices if bool((weights == weights.flatten()[0]).all())]
    some = [one for one in alike if one.flatten()[0] not in (0, 1)]  # zeros may end a branch, and ones may be a scale
    filled = [one for one in some if sum(size > 1 for size in one.shape) > 1]
    if len(alike) < 2 or (len(alike) < len(matrices) and len(filled) < 2):
        return None
    return Finding(_line(case), f"In {counted(len(alike), 'matrix', 'matrices')} of weights all numbers begin equal.")


def _line(case: Case) -> int:
    """Where weights are filled; else where they are made."""
    return case.script.find(*_FILLERS) or case.script.find(*_MAKERS)
