"""Pixels go in, and what comes out is compared with pixels / 255."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.verdict import Mistake

NEEDS = ("scale",)
CAUSES = ()


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Two batches: one whose brightest pixel is 255, and a dark one."""
    bright = torch.randint(0, 256, (4, 1, 28, 28), generator=chance)
    bright[0, 0, 0, 0], bright[0, 0, 0, 1] = 255, 0
    dark = torch.randint(20, 90, (3, 1, 28, 28), generator=chance)
    return {"bright": bright.to(torch.uint8), "dark": dark.to(torch.uint8)}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Both scaled."""
    return {name: names["scale"](images.clone()) for name, images in given.items()}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """The same numbers as a division by 255."""
    for name, images in given.items():
        found = wire.plain(values[name])
        if not isinstance(found, Tensor):
            return Mistake("no_tensor", "scale should give a tensor back.", "End it with return, and the scaled images.")
        if (mistake := _judge_one(images, found)) is not None:
            return mistake
    return None


def _judge_one(images: Tensor, found: Tensor) -> Mistake | None:
    expected = images.double() / 255
    seen = f"Pixels from {images.min()} to {images.max()} became {found.double().min():.4g} to {found.double().max():.4g}, {found.dtype}."
    if found.shape != images.shape:
        return Mistake("shape_changed", "The images come back in another shape.", "Change only the numbers, not the shape.", seen)
    if not found.is_floating_point():
        return Mistake(
            "uint8_input",
            "The pixels are still whole numbers; a network calculates with fractions.",
            "Use .float() before you divide.",
            seen,
        )
    if torch.allclose(found.double(), expected, atol=1e-3) and found.dtype == torch.float32:
        return None
    return _named(images.double(), found.double(), expected, seen)


def _named(images: Tensor, found: Tensor, expected: Tensor, seen: str) -> Mistake:
    if torch.allclose(found, images):
        return Mistake("inputs_not_scaled", "The pixels still go from 0 to 255.", "Divide them by 255.", seen)
    if torch.allclose(found, expected / 255, atol=1e-6):
        return Mistake("double_scaling", "The pixels were divided by 255 twice.", "Divide once.", seen)
    if torch.allclose(found, images / 256, atol=1e-4):
        return Mistake("divided_by_256", "White does not become 1: the largest pixel is 255, not 256.", "Divide by 255.", seen)
    if ((found == 0) | (found == 1)).all():
        return Mistake("fractions_lost", "All greys are gone: each pixel became 0 or 1.", "Use / and not //, on float pixels.", seen)
    if found.min() < 0:
        return Mistake(
            "shifted", "Black should become 0 and white 1; here some pixels are below zero.", "Only divide; take nothing away.", seen
        )
    if torch.allclose(found, expected, atol=1e-3):
        return Mistake(
            "other_float", "The values are right; networks expect the type float32.", "Use .float(), not .double() or .half().", seen
        )
    if torch.allclose(found, 1 - expected, atol=1e-3):
        return Mistake("inverted", "Black and white have changed places.", "Divide by 255, and take nothing from 1.", seen)
    if abs(float(found.max()) - 1) < 1e-3:
        sentence = "The brightest pixel of each batch becomes 1: the same grey gives other numbers in another batch."
        return Mistake("depends_on_batch", sentence, "Divide by the fixed number 255, not by the maximum.", seen)
    return Mistake(
        "other_scale", "These are not the pixels divided by 255.", "Compare one pixel by hand: 128 should become about 0.5.", seen
    )
