"""The batch is flattened into one long row."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.shapes import asked, batch_sizes, product

SENTENCE = "flatten() without a number melts the whole batch into one row."
CHANGE = "Keep the batch: x.flatten(1), or x.view(len(x), -1)."
DEMO = """\
- x = images.flatten()
+ x = images.flatten(1)
  print(nn.Linear(784, 10)(x).shape)
"""
EXPLAINS = ("wrong_flatten_size", "missing_flatten")


def look(case: Case) -> Finding | None:
    """One row arrives, of as many numbers as all images of the batch have; or there is one answer for many labels."""
    if case.failure is None:
        return None
    line = case.script.find(
        "flatten()", "view(-1)", "reshape(-1)", "ravel()", "torch.flatten(x)", "flatten(images)", "flatten(X)", "flatten(inputs)"
    )
    shapes = product(case)
    if shapes is None:
        refused = line and case.raised(r"size mismatch|shape '|Expected input batch_size|vec")
        return Finding(line, "One row arrives in place of a batch.", LIKELY) if refused else None
    rows, width, expected, _ = shapes
    if rows > 1 or asked(case) == 1:
        return None  # of one image, one row is right
    count = width // expected
    if width == count * expected and count in batch_sizes(case) - {1}:
        return Finding(line or case.failure.line, f"One row of {width:,} numbers arrives: {count} images of {expected}.")
    return Finding(line, f"One row arrives in place of a batch, of {width:,} numbers.", LIKELY) if line else None
