"""The labels are not what the loss takes."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "Labels should be whole numbers, one for each image."
CHANGE = "Make them so: labels.long(), of shape N for N images."
DEMO = """\
- y = labels.float()
+ y = labels.long()
  print(loss_fn(net()(images), y).item())
"""


def look(case: Case) -> Finding | None:
    """PyTorch names the kind or the shape."""
    found = case.raised(
        r"expected (target dtype|scalar type)|Expected floating point type for target|multi-target not supported|"
        r"0D or 1D target tensor expected|Expected target size|must match the size of tensor|target dtype|"
        r"\"nll_loss\w*\" not implemented|result type Float can't be cast to|Found dtype Long but expected Float"
    )
    if found is None or case.failure is None or not case.raised(r"target|nll_loss|dtype|cast"):
        return None
    return Finding(case.failure.line, case.failure.text.splitlines()[0][:140])
