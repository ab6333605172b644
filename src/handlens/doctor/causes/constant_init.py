"""All units of a layer begin the same."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding

SENTENCE = "All units of a layer start with the same weights, so they stay the same."
CHANGE = "Leave the starting weights random, as PyTorch makes them."
EXPLAINS = (*NOT_LEARNING, "no_activation", "relu_on_output", "missing_zero_grad")


def look(case: Case) -> Finding | None:
    """All rows of a weight matrix are equal before the first step."""
    if case.start is None or case.loaded:
        return None
    for name, weights in case.start.named_parameters():
        if weights.ndim >= 2 and len(weights) > 1 and bool((weights == weights[:1]).all()):
            line = case.script.find("zeros_(", "ones_(", "constant_(", ".fill_(", "torch.zeros(", "torch.ones(", "torch.full(", ".zero_()")
            return Finding(line or case.line_of_model(name), f"All {len(weights)} rows of {name} begin equal.")
    return None
