"""Made-up scans of a hook, dark on white paper and in a corner: what comes back must look as MNIST does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.checks.augmentation import best_fit, centre
from handlens.course.probing import first
from handlens.course.verdict import Mistake

NEEDS = ("prepare",)
CAUSES = ("own_digit_rgb",)


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Three pictures H,W,3 of different sizes, ink in different places."""
    return {"large": _scan(chance, 200, 160, 80), "small": _scan(chance, 90, 120, 44), "square": _scan(chance, 128, 128, 60)}


def _scan(chance: torch.Generator, height: int, width: int, size: int) -> Tensor:
    """A hook, `size` pixels high, somewhere on white paper that is not quite white."""
    down, right = (int(torch.randint(6, room - size - 6, (1,), generator=chance)) for room in (height, width))
    grey = torch.full((height, width), 247.0) + torch.randint(0, 8, (height, width), generator=chance)
    ink, thick = grey[down : down + size, right : right + size], size // 6
    ink[:, :thick] = ink[-thick:, : size * 5 // 8] = ink[:thick, : size // 3] = 25
    return grey.to(torch.uint8)[:, :, None].expand(height, width, 3).clone()


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Prepared by the learner, from pictures as Pillow opens them."""
    from PIL import Image

    return {name: names["prepare"](Image.fromarray(one.numpy())) for name, one in given.items()}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Each of them looks as a digit of MNIST does."""
    return next((found for name in given if (found := _judge_one(values[name], given[name]))), None)


def _judge_one(value: Any, scan: Tensor) -> Mistake | None:
    found = wire.tensor(value)
    if found is None:
        return Mistake("no_tensor", "prepare should give a tensor back.", "End it with return, and turn the picture into a tensor before.")
    seen = f"Shape {tuple(found.shape)}, values from {found.min():.2f} to {found.max():.2f}."
    if found.numel() == 3 * 28 * 28:
        return Mistake("own_digit_rgb", "The picture still has three colour channels.", "Convert it to grey: picture.convert('L').", seen)
    if found.squeeze().shape != (28, 28):
        return Mistake("other_shape", "The picture should be one channel of 28 by 28 pixels.", "Resize, and give 1,28,28 back.", seen)
    image = found.squeeze()[None, None]
    rules = (_range, _inverted, _whole, _turned, _size, _place)
    return first(*(lambda rule=rule: rule(image, _like_mnist(scan), seen) for rule in rules))


def _range(image: Tensor, _right: Tensor, seen: str) -> Mistake | None:
    if image.max() > 1.5:
        return Mistake("inputs_not_scaled", "The pixels still go up to 255.", "Divide them by 255.", seen)
    if image.max() < 0.3 or image.min() < -0.05:
        return Mistake(
            "other_range", "Ink should come out near 1, and paper at 0.", "Look at your smallest and largest value, step by step.", seen
        )
    return None


def _inverted(image: Tensor, _right: Tensor, _seen: str) -> Mistake | None:
    border = torch.cat([image[0, 0, [0, 1, -2, -1]].flatten(), image[0, 0, :, [0, 1, -2, -1]].flatten()])
    if border.mean() < 0.5 and (image > 0.5).double().mean() < 0.3:
        return None
    sentence = "This is dark ink on light paper; the training images are white on black."
    return Mistake(
        "own_digit_inverted",
        sentence,
        "Turn it over: 255 - pixels (or 1 - pixels).",
        f"{(image > 0.5).double().mean():.0%} of the pixels are bright.",
    )


def _whole(image: Tensor, right: Tensor, _seen: str) -> Mistake | None:
    paper = float((image[right == 0] > 0.2).double().mean())
    if image.median() < 0.1:
        return None
    return Mistake(
        "paper_left",
        "Paper should come out quite black, and here it is grey.",
        "Cut off what is nearly white before you scale.",
        f"{paper:.0%} of the paper is lit.",
    )


def _turned(image: Tensor, right: Tensor, _seen: str) -> Mistake | None:
    ways = {"as it is": right, "mirrored": right.flip(3), "upside down": right.flip(2), "turned around": right.flip((2, 3))}
    ways |= {
        "turned left": right.rot90(1, (2, 3)),
        "turned right": right.rot90(3, (2, 3)),
        "rows and columns swapped": right.transpose(2, 3),
    }
    fits = [float(best_fit(_sized(image), _sized(way))) for way in ways.values()]
    best = fits.index(max(fits))
    if best == 0:
        return None
    return Mistake(
        "turned",
        "The digit is turned over.",
        "Keep rows and columns as they are in the picture.",
        f"It looks more like the original {[*ways][best]}.",
    )


def _size(image: Tensor, right: Tensor, _seen: str) -> Mistake | None:
    (height, width), (wanted, across) = _extent(image), _extent(right)
    seen = f"The ink is {height} high and {width} wide; in MNIST the longer side has 20."
    lit = image[image > 0]
    faint = float((lit < 0.06).double().mean())
    if height < 14 and faint > 0.5:
        sentence = "Paper is not quite white, and was taken for ink when the digit was cut out."
        change = "Before you look for the ink, make all that is faint 0: pixels[pixels < 60] = 0."
        return Mistake("paper_taken_for_ink", sentence, change, f"{faint:.0%} of what is left is fainter than any ink. {seen}")
    if height < 14:
        return Mistake(
            "too_small", "The digit is much smaller than those of MNIST.", "Cut the ink out first, then resize it to 20 pixels.", seen
        )
    if height > 23:
        return Mistake(
            "no_margin",
            "The digit fills the whole picture; MNIST leaves a margin of 4 pixels.",
            "Resize the ink to 20, and put it into the middle of 28.",
            seen,
        )
    if abs(width / height - across / wanted) > 0.25:
        return Mistake(
            "stretched",
            "The digit is stretched: it has another proportion than on paper.",
            "Make the longer side 20, and the other in proportion.",
            seen,
        )
    return None


def _place(image: Tensor, right: Tensor, _seen: str) -> Mistake | None:
    off = centre(image)[0] - torch.tensor([13.5, 13.5], dtype=torch.float64)
    box = _box(image)
    middle = (box[0] + box[1] - 27) / 2
    if off.norm() < 2.2 or middle.norm() < 2.2:
        return None
    seen = f"The ink is {off[0]:+.1f} pixels down and {off[1]:+.1f} to the right of the middle."
    return Mistake(
        "not_centred",
        "The digit is not in the middle, as those of MNIST are.",
        "Put the cut-out into the middle of an empty 28 by 28.",
        seen,
    )


def _box(image: Tensor) -> Tensor:
    """First and last row and column with ink."""
    lit = (image[0, 0] > 0.25 * image.max()).nonzero().double()
    return torch.stack([lit.amin(0), lit.amax(0)])


def _extent(image: Tensor) -> tuple[int, int]:
    first_, last = _box(image)
    height, width = (last - first_ + 1).int().tolist()
    return height, width


def _sized(image: Tensor) -> Tensor:
    """Its ink alone, blown up to 28x28, so that only the shape counts."""
    first_, last = _box(image).int().tolist()
    cut = image[:, :, first_[0] : last[0] + 1, first_[1] : last[1] + 1]
    return torch.nn.functional.interpolate(cut, (28, 28), mode="bilinear")


def _like_mnist(scan: Tensor) -> Tensor:
    ink = (255 - scan[:, :, 0].double()).clamp_min(12) - 12
    lit = (ink > 100).nonzero()
    (top, left), (bottom, right) = lit.amin(0).tolist(), lit.amax(0).tolist()
    cut = ink[top : bottom + 1, left : right + 1] / 243
    scale = 20 / max(cut.shape)
    small = torch.nn.functional.interpolate(cut[None, None], [max(1, round(side * scale)) for side in cut.shape], mode="area")
    image = torch.zeros(1, 1, 28, 28, dtype=torch.float64)
    down, across = (28 - small.shape[2]) // 2, (28 - small.shape[3]) // 2
    image[:, :, down : down + small.shape[2], across : across + small.shape[3]] = small
    return image
