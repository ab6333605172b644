"""Normalize comes before there is a tensor."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "Normalize comes before ToTensor, and gets a picture in place of numbers."
CHANGE = "Swap the two: first ToTensor, then Normalize."
DEMO = """\
  from PIL import Image
  to_tensor = lambda image: torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) / 255
  normalize = lambda x: (x - 0.1307) / 0.3081
- steps = [normalize, to_tensor]
+ steps = [to_tensor, normalize]
  x = Image.new("L", (28, 28))
  for step in steps:
      x = step(x)
  print(f"black is now {x[0].item():.2f}")
"""


def look(case: Case) -> Finding | None:
    """It says that it wants a tensor."""
    if case.failure is None or not case.raised(r"[Ii]mg should be Tensor [Ii]mage"):
        return None
    return Finding(case.script.find("Normalize(") or case.failure.line, case.failure.text[:100])
