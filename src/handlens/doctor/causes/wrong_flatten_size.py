"""A fully connected layer expects another number of inputs than it gets."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import factors, image_sizes, layer_line, product

SENTENCE = "The layer expects another number of inputs than the flattened image has."
CHANGE = "Give the layer that number of inputs."
DEMO = """\
- head = nn.Linear(4 * 7 * 7, 10)
+ head = nn.Linear(4 * 14 * 14, 10)
  model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), head)
  print(model(images).shape)
"""


def look(case: Case) -> Finding | None:
    """The numbers stand in the message, and what they are made of can be computed."""
    shapes = product(case)
    if shapes is None or case.failure is None:
        return None
    rows, width, expected, out = shapes
    if any(width in shape[-1:] and len(shape) > 1 for shape in image_sizes(case)) or width == 3 * expected or rows == 1:
        return None
    line = layer_line(case, expected, out) or layer_line(case, expected) or case.failure.line
    return Finding(
        line,
        f"An image arrives with {factors(width, case)} numbers; the layer expects {expected}.",
        change=f"Write {width} in place of {expected}.",
    )
