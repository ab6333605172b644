"""Mean and standard deviation belong to another range of numbers."""

from __future__ import annotations

import re

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.seen import spread

SENTENCE = "These mean and std numbers belong to another range: the images become nearly constant."
CHANGE = "Take mean and std of these images, in the range they have now: 0.1307 and 0.3081 for MNIST in 0 to 1."
DEMO = """\
- mean, std = 33.3, 78.6
+ mean, std = images.mean(), images.std()
  x = (images - mean) / std
  print(f"mean {x.mean():.2f}, standard deviation {x.std():.2f}")
  learn(net(), x)
"""
EXPLAINS = (*NOT_LEARNING, "init_too_large")
_SCALES = re.compile(r"Normalize\(|\bmean\b|\bstd\b|-\s*[\w.]+\)\s*/|\.sub\(")


def look(case: Case) -> Finding | None:
    """After normalising all pixels are nearly the same, and not near zero; or they spread over hundreds."""
    values = case.input
    if values is None or not values.is_floating_point() or values[0].numel() < 16:
        return None
    mean, deviation = spread(values)
    line = next((number for number, text in enumerate(case.script.lines, start=1) if _SCALES.search(text.split("#")[0])), 0)
    squeezed = deviation < 0.1 and abs(mean) > 3 * deviation and abs(mean) > 0.05
    if not line or not squeezed:
        return None
    return Finding(
        line, f"The pixels that reach the first layer have mean {mean:.3f} and standard deviation {deviation:.4f}; 0 and 1 were meant."
    )
