"""A colour picture for a network of grey ones."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import product

SENTENCE = "The picture has three colour channels, and the network was made for one."
CHANGE = 'Make it grey: Image.open(...).convert("L").'
DEMO = """\
  picture = torch.rand(1, 3, 28, 28)
+ picture = picture.mean(1, keepdim=True)
  print(net()(picture).shape)
"""
EXPLAINS = ("flatten_whole_batch", "wrong_flatten_size", "wrong_in_channels")


def look(case: Case) -> Finding | None:
    """Three times as many numbers arrive, or three channels."""
    shapes = product(case)
    if shapes is not None and shapes[1] == 3 * shapes[2]:
        found = f"{shapes[1]} = 3 * {shapes[2]} numbers arrive"
    elif case.raised(r"to have 1 channels?, but got 3 channels"):
        found = "3 channels arrive"
    else:
        return None
    line = case.script.find('convert("RGB")', "convert('RGB')") or case.script.find("Image.open(", "imread(")
    return Finding(line or (case.failure.line if case.failure else 0), f"{found}; the network expects one channel.")
