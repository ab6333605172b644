"""Digits of a known place are changed: a little, at random, each in its own way, and never into something else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.probing import first
from handlens.course.verdict import Mistake

NEEDS = ("augment",)
CAUSES = ()
_COUNT = 48
_FARTHEST = 2.7  # 2 pixels and a turn of 10 degrees move the centre of these digits by 2.4


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Digits made of strokes, all alike: an L and a hook, which a flip or a turn would show."""
    image = torch.zeros(28, 28)
    image[6:22, 9:12] = 1.0
    image[19:22, 9:19] = 1.0
    image[6:9, 12:15] = 0.6
    shade = 0.7 + 0.3 * torch.rand(_COUNT, 1, 1, 1, generator=chance)
    return {"images": image.expand(_COUNT, 1, 28, 28) * shade}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Changed twice."""
    images = given["images"].clone()
    found = {"one": names["augment"](images)}
    return {**found, "two": names["augment"](given["images"].clone()), "kept": torch.equal(images, given["images"])}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Still the same digits, and not the same images."""
    one, two, images = wire.tensor(values["one"]), wire.tensor(values["two"]), given["images"].double()
    if one is None or two is None:
        return Mistake("no_tensor", "augment should give the changed images back.", "End it with return.")
    if one.shape != images.shape:
        return Mistake(
            "shape_changed", "The images come back in another shape.", "Move the pixels, and keep N,1,28,28.", f"Shape {tuple(one.shape)}."
        )
    rules = (_same, _alike, _range, _ink, _turned_over, _too_far)
    return first(lambda: _in_place(values["kept"]), *(lambda rule=rule: rule(images, one, two) for rule in rules))


def _in_place(kept: bool) -> Mistake | None:
    if kept:
        return None
    return Mistake(
        "changed_in_place",
        "The original images are changed as well: each epoch would move them further.",
        "Work on a copy: images.clone().",
    )


def _same(images: Tensor, one: Tensor, two: Tensor) -> Mistake | None:
    if torch.allclose(one, images, atol=1e-4):
        return Mistake("nothing_changed", "The images come back as they were.", "Shift or turn them by a random, small amount.")
    if torch.allclose(one, two, atol=1e-6):
        return Mistake(
            "not_random",
            "Called twice, it does just the same: nothing is random.",
            "Draw the shift anew in each call: torch.randint(-2, 3, (2,)).",
        )
    return None


def _alike(images: Tensor, one: Tensor, _two: Tensor) -> Mistake | None:
    moves = centre(one) - centre(images)
    shapes = one / one.amax((1, 2, 3), keepdim=True).clamp_min(1e-9)
    if moves.std(0).max() < 0.02 and (shapes - shapes[:1]).abs().max() < 0.02:
        return Mistake(
            "all_alike",
            "All images of the batch are changed in the same way.",
            "Draw a shift for each image: loop over the batch.",
            "48 images, one shift.",
        )
    return None


def _range(_images: Tensor, one: Tensor, _two: Tensor) -> Mistake | None:
    if one.min() > -1e-3 and one.max() < 1.001:
        return None
    return Mistake(
        "out_of_range", "The pixels leave the range from 0 to 1.", "End with .clamp(0, 1).", f"From {one.min():.2f} to {one.max():.2f}."
    )


def _ink(images: Tensor, one: Tensor, _two: Tensor) -> Mistake | None:
    share = one.sum((1, 2, 3)) / images.sum((1, 2, 3))
    corners = one[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    if corners.mean() > 0.5:
        return Mistake(
            "background_lit",
            "The background is white now.",
            "Fill what is uncovered with 0, which is black.",
            f"Corners: {corners.mean():.2f}.",
        )
    if share.min() > 0.6 and share.max() < 1.7:
        return None
    return Mistake(
        "ink_lost",
        "Some images have far less or far more ink than before.",
        "Keep the change small: 2 pixels, 10 degrees, 10 %.",
        f"From {share.min():.0%} to {share.max():.0%} of the ink.",
    )


def _turned_over(images: Tensor, one: Tensor, _two: Tensor) -> Mistake | None:
    changes = {"as it was": images, "mirrored": images.flip(3), "upside down": images.flip(2), "turned around": images.flip((2, 3))}
    changes |= {"turned left": images.rot90(1, (2, 3)), "turned right": images.rot90(3, (2, 3)), "transposed": images.transpose(2, 3)}
    fits = torch.stack([best_fit(one, changed) for changed in changes.values()])
    best = fits.argmax(0)
    if (best == 0).double().mean() > 0.97:
        return None
    name = [*changes][int(best[best != 0].mode().values)]
    seen = f"{int((best != 0).sum())} of {_COUNT} images look more like the original {name}."
    return Mistake(
        "bad_augmentation", "A digit that is flipped or turned over is no longer the same digit.", "Use small shifts and turns only.", seen
    )


def _too_far(images: Tensor, one: Tensor, _two: Tensor) -> Mistake | None:
    far = (centre(one) - centre(images)).abs().max()
    blur = best_fit(one, images).min()
    if far > _FARTHEST:
        return Mistake(
            "too_far",
            "Some digits are moved by more than 2 pixels: others may leave the picture.",
            "Draw each shift from -2 to 2: torch.randint(-2, 3, (2,)).",
            f"By up to {far:.1f} pixels, down or to the side.",
        )
    if blur < 0.6:
        return Mistake(
            "hardly_the_same",
            "Some digits can hardly be recognised any more.",
            "Keep the change small: 2 pixels, 10 degrees, 10 %.",
            f"Likeness down to {blur:.2f}.",
        )
    return None


def centre(images: Tensor) -> Tensor:
    """The centre of the ink of each image N,1,28,28: row and column."""
    places = torch.arange(28, dtype=images.dtype)
    ink = images.clamp_min(0).sum((1, 2, 3)).clamp_min(1e-9)
    rows = (images.clamp_min(0).sum((1, 3)) * places).sum(1) / ink
    columns = (images.clamp_min(0).sum((1, 2)) * places).sum(1) / ink
    return torch.stack([rows, columns], 1)


def best_fit(images: Tensor, others: Tensor) -> Tensor:
    """How alike they are at best, wherever one is shifted to: the peak of their cross-correlation, from 0 to 1."""
    spectrum = torch.fft.rfft2(images) * torch.fft.rfft2(others).conj()
    peak = torch.fft.irfft2(spectrum, s=(28, 28)).amax((1, 2, 3))
    best: Tensor = peak / (images.pow(2).sum((1, 2, 3)) * others.pow(2).sum((1, 2, 3))).sqrt().clamp_min(1e-9)
    return best
