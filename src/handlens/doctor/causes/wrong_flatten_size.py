"""A fully connected layer expects another number of inputs than it gets."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import asked, factors, image_sizes, layer_line, product

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
    if any(width in shape[-1:] and len(shape) > 1 for shape in image_sizes(case)) or (rows == 1 and asked(case) != 1):
        return None
    line = layer_line(case, expected, out) or layer_line(case, expected) or case.failure.line
    if width == out and _multiplied(case):
        return Finding(
            line,
            f"{expected}x{out} weights, and {width} numbers for each image.",
            sentence="The weights lie the other way round: the first number of their shape must be that of the inputs.",
            change="Turn them: x @ weights.t().",
        )
    return Finding(
        line,
        f"An image arrives with {factors(width, case)} numbers; the layer expects {expected}.",
        change=f"Write {width} in place of {expected}.",
    )


def _multiplied(case: Case) -> bool:
    """Whether the program multiplies by itself where it ended, without a layer."""
    words = ("@", "matmul(", ".mm(")
    return case.failure is not None and any(word in case.script.line(case.failure.line).split("#")[0] for word in words)
