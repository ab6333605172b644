"""A convolution gets images without a dimension for channels."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import batch_sizes

SENTENCE = "The images have no dimension for channels: N,28,28 in place of N,1,28,28."
CHANGE = "Add it: x = x.unsqueeze(1)."
DEMO = """\
  x = images.squeeze(1)
+ x = x.unsqueeze(1)
  print(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten())(x).shape)
"""
EXPLAINS = ("wrong_in_channels",)


def look(case: Case) -> Finding | None:
    """As many channels arrive as a batch has images."""
    match = case.raised(r"to have (\d+) channels?, but got (\d+) channels")
    if match is None or case.failure is None:
        return None
    return (
        Finding(case.failure.line, f"{match[2]} channels arrive: that is the number of images in the batch.")
        if int(match[2]) in batch_sizes(case) and int(match[2]) > 4
        else None
    )
