"""A colour picture for a network of grey ones."""

from __future__ import annotations

from torch import nn

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.shapes import image_sizes, product

SENTENCE = "The picture has three colour channels, and the network was made for one."
CHANGE = 'Make it grey: Image.open(...).convert("L").'
DEMO = """\
  picture = torch.rand(1, 3, 28, 28)
+ picture = picture.mean(1, keepdim=True)
  print(net()(picture).shape)
"""
EXPLAINS = ("flatten_whole_batch", "wrong_flatten_size", "wrong_in_channels")


def look(case: Case) -> Finding | None:
    """Three channels arrive, or three times as many numbers at the first layer; and there is a picture that they can come from."""
    shapes = product(case)
    if shapes is not None and shapes[1] == 3 * shapes[2] and _begins_with(case, shapes[2]):
        found = f"{shapes[1]} = 3 * {shapes[2]} numbers arrive"
    elif case.raised(r"to have 1 channels?, but got 3 channels"):
        found = "3 channels arrive"
    else:
        return None
    line = case.script.find('convert("RGB")', "convert('RGB')") or case.script.find("Image.open(", "imread(", "read_image(")
    if not line and not {1, 3} <= {shape[0] for shape in image_sizes(case)}:  # no picture: all images may be in colour
        return None
    return Finding(line or (case.failure.line if case.failure else 0), f"{found}; the network expects one channel.")


def _begins_with(case: Case, expected: int) -> bool:
    """Whether the first fully connected layer of a network takes so many numbers."""
    layers = [[one for one in model.modules() if isinstance(one, nn.Linear)] for model in case.seen.models]
    return any(some and some[0].in_features == expected for some in layers)
