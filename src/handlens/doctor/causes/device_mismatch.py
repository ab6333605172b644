"""The network and the images are on different devices."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The network and the images are not on the same device."
CHANGE = "Move both: images = images.to(device)."
DEMO = """\
  model = net().to("meta")
- x = images
+ x = images.to("meta")
  print(model(x).shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch says which devices."""
    if case.failure is None or not case.raised(
        r"Expected all tensors to be on the same device|Input type .* and weight type .* should be the same|device type meta|"
        r"on device meta|is on meta|different from other tensors"
    ):
        return None
    if case.raised(r"Byte|Long|Double|unsigned"):
        return None
    return Finding(case.failure.line, case.failure.text.splitlines()[0][:140])
