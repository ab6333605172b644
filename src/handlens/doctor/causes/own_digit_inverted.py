"""The own picture is black on white, and was learned from white on black."""

from __future__ import annotations

import torch
from torch import Tensor

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "This picture is dark ink on light paper; the training images are white on black."
CHANGE = "Turn it round: image = 1 - image; then centre it."
DEMO = """\
  model, paper = net(), 1 - test_images
  learn(model)
- shown = paper
+ shown = 1 - paper
  print("accuracy", round(accuracy(model, shown), 2))
"""
_ALIKE = 0.4
EXPLAINS = ("train_test_preprocess_mismatch",)


def look(case: Case) -> Finding | None:
    """The rim of what is asked is light, that of the training images dark; or most of it is light, and little of each of them."""
    seen = case.images
    if seen is None or seen.ndim < 3 or not seen.is_floating_point():
        return None
    known, middle = float(_rim(seen).mean()), float(seen.max() + seen.min()) / 2
    most = float((seen > middle).flatten(1).float().mean(1).max())
    for event in case.evaluations:
        if "images" in event.about and event.count <= 4 and event.images.shape[-2:] == seen.shape[-2:] and _is_picture(event.images):
            rim = float(_rim(event.images).mean())
            if rim - known > 0.4 * float(seen.max() - seen.min()):
                return Finding(event.line, f"The rim of this picture is {rim:.2f} on average, that of the training images {known:.2f}.")
            light = float((event.images > middle).float().mean())
            if light > 1.2 * most and light > 0.4:
                return Finding(
                    event.line, f"{light:.0%} of this picture is light; of no training image that was seen more than {most:.0%}."
                )
    return None


def _is_picture(images: Tensor) -> bool:
    """Whether neighbours are alike, as they are nowhere in noise, which is asked to see how long an answer takes."""
    if images.ndim < 3:
        return False
    pairs = torch.stack([images[..., :-1].flatten(), images[..., 1:].flatten()])
    return float(torch.corrcoef(pairs)[0, 1]) > _ALIKE


def _rim(images: Tensor) -> Tensor:
    return torch.cat([images[..., 0, :].flatten(), images[..., -1, :].flatten(), images[..., 0].flatten(), images[..., -1].flatten()])
