"""The picture has its channel in front."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "Matplotlib wants the channel last, or none; this image has it first."
CHANGE = "Take it away: images[0].squeeze()."
DEMO = """\
  from matplotlib.figure import Figure
  axes = Figure().subplots()
- axes.imshow(images.numpy()[0])
+ axes.imshow(images.numpy()[0].squeeze())
  print("drawn:", axes.get_images()[0].get_size())
"""


def look(case: Case) -> Finding | None:
    """Matplotlib names the shape."""
    match = case.raised(r"Invalid shape \((.*)\) for image data")
    return Finding(case.failure.line, f"The shape is ({match[1]}).") if match and case.failure else None
