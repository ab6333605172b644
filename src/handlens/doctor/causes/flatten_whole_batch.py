"""The batch is flattened into one long row."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.shapes import product

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
    if shapes is not None and shapes[0] == 1 and shapes[1] % shapes[2] == 0 and shapes[1] > shapes[2]:
        return Finding(
            line or case.failure.line, f"One row of {shapes[1]:,} numbers arrives: {shapes[1] // shapes[2]} images of {shapes[2]}."
        )
    if line and case.raised(r"size mismatch|shape '|Expected input batch_size|mat1 and mat2|vec"):
        widths = [shapes[1]] if shapes else []
        return Finding(line, f"One row arrives in place of a batch{f', of {widths[0]:,} numbers' if widths else ''}.", LIKELY)
    return None
