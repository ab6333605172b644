"""A fully connected layer gets a square image."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import factors, image_sizes, product

SENTENCE = "The image is still a square when it comes to the fully connected layer."
CHANGE = "Flatten it first: x = x.flatten(1), or nn.Flatten()."
DEMO = """\
  x = images
+ x = x.flatten(1)
  print(nn.Linear(784, 10)(x).shape)
"""


def look(case: Case) -> Finding | None:
    """The last dimension is the width of an image, and the layer expects all of its pixels."""
    shapes = product(case)
    if shapes is None or case.failure is None:
        return None
    rows, width, expected, _out = shapes
    square = any(len(shape) > 1 and shape[-1] == width and rows % shape[-2] == 0 for shape in image_sizes(case)) or (
        width in (28, 32, 8) and expected % (width * width) == 0
    )
    maps = rows > 1 and expected % width == 0 and rows % width == 0 and expected >= width * width
    if rows == 1 or not (square or maps):
        return None
    return Finding(case.failure.line, f"{rows} rows of {width} numbers arrive, and the layer expects {factors(expected, case)}.")
