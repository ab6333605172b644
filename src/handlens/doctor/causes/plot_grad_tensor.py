"""A tensor with its graph goes to NumPy."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "This tensor still hangs on its graph, and NumPy wants numbers."
CHANGE = "Keep loss.item() in place of loss; or write .detach()."
DEMO = """\
  loss = loss_fn(net()(images), labels)
- print(loss.numpy())
+ print(loss.item())
"""
EXPLAINS = ("loss_tensor_kept",)


def look(case: Case) -> Finding | None:
    """PyTorch says so."""
    if case.failure is None or not case.raised(r"Can't call numpy\(\) on Tensor that requires grad"):
        return None
    return Finding(case.failure.line, "The tensor requires grad.")
