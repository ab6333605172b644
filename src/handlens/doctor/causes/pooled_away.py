"""The image has shrunk to nothing."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The image has shrunk to nothing on its way through the layers."
CHANGE = "Use fewer poolings, smaller kernels, or padding."
DEMO = """\
- pools = [nn.MaxPool2d(2)] * 5
+ pools = [nn.MaxPool2d(2)] * 3
  print(nn.Sequential(*pools)(images).shape)
"""


def look(case: Case) -> Finding | None:
    """PyTorch says how small it would be."""
    match = case.raised(r"Given input size: \((\d+)x(\d+)x(\d+)\).*Calculated output size: \((\d+)x(-?\d+)x(-?\d+)\)") or case.raised(
        r"Kernel size can't be greater than actual input size|Calculated padded input size per channel: \((.*)\)"
    )
    if match is None or case.failure is None:
        return None
    return Finding(case.failure.line, case.failure.text.split(". Output")[0][:120])
