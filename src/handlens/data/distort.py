"""Images changed in one way by a known amount: turned, moved, bent, thickened. Whole batches at once, on any device.

All take and give `float32` N,C,H,W in [0, 1]; an amount is one number for all images, or a tensor with one for each.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

Amount = float | Tensor


def warp(
    images: Tensor,
    *,
    angle: Amount = 0.0,
    shift: tuple[Amount, Amount] = (0.0, 0.0),
    scale: Amount = 1.0,
    shear: Amount = 0.0,
    bend: Tensor | None = None,
) -> Tensor:
    """Images turned, moved, scaled, sheared and bent in one resampling (bilinear; what comes in from outside repeats the rim).

    Args:
        images: N,C,H,W.
        angle: degrees, counter-clockwise.
        shift: to the right and downward, in shares of width and height.
        scale: 2 makes everything twice as large.
        shear: degrees by which upright lines lean to the right.
        bend: N,2,H,W: how far each point moves to the right and downward, in shares of width and height.
    """
    count = len(images)
    angle, shear = (torch.deg2rad(_each(amount, images)) for amount in (angle, shear))
    scale, across, down = (_each(amount, images) for amount in (scale, *shift))
    # The grid asks where each point of the result comes from, so everything is done backwards.
    cos, sin, lean = angle.cos() / scale, angle.sin() / scale, shear.tan()
    tall = images.shape[2] / images.shape[3]  # the grid goes from -1 to 1 along both sides, however long they are
    rows = torch.stack([cos + lean * sin, (lean * cos - sin) * tall, sin / tall, cos], 1).view(count, 2, 2)
    offset = -rows @ torch.stack([2 * across, 2 * down], 1)[:, :, None]
    grid = F.affine_grid(torch.cat([rows, offset], 2), list(images.shape), align_corners=False)
    if bend is not None:
        grid = grid - 2 * bend.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def tilted(images: Tensor, across: Amount, down: Amount) -> Tensor:
    """How a sheet's points move when it is not looked at straight on: a perspective, as `warp` takes a `bend`.

    Args:
        images: N,C,H,W; their size is meant.
        across: how much nearer the right rim is than the middle, as a share of the distance; negative for the left.
        down: the same for the lower rim.

    Returns:
        N,2,H,W.
    """
    height, width = images.shape[2:]
    x, y = ((torch.arange(size, device=images.device) + 0.5) * 2 / size - 1 for size in (width, height))
    points = torch.stack(torch.meshgrid(x, y, indexing="xy"))
    across, down = (_each(amount, images).view(-1, 1, 1) for amount in (across, down))
    nearer = across * points[0] + down * points[1]
    return points * (nearer / (1 + nearer))[:, None] / 2


def move(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Images moved by whole pixels, each by its own lot, up to `most` along each side; what comes in from outside repeats the rim.

    Args:
        images: N,C,H,W of any type; nothing is interpolated, so bytes stay bytes.
        most: pixels.
        generator: of the CPU; decides how far.
    """
    steps = range(-most, most + 1)
    lots = torch.randint(len(steps) ** 2, (len(images),), generator=generator).to(images.device)
    rows, columns = (torch.arange(size, device=images.device) for size in images.shape[2:])
    moved = torch.empty_like(images)
    for lot, (down, right) in enumerate((down, right) for down in steps for right in steps):
        some = (lots == lot).nonzero().squeeze(1)
        lower = images[some].index_select(2, (rows - down).clamp(0, len(rows) - 1))
        moved[some] = lower.index_select(3, (columns - right).clamp(0, len(columns) - 1))
    return moved


def thicken(images: Tensor, amount: Amount) -> Tensor:
    """Bright strokes made thicker (up to 1: by a pixel on each side) or thinner (down to -1)."""
    amount = _each(amount, images).view(-1, 1, 1, 1)
    grown = F.max_pool2d(images, 3, stride=1, padding=1)
    shrunk = -F.max_pool2d(-images, 3, stride=1, padding=1)
    return torch.lerp(images, torch.where(amount > 0, grown, shrunk), amount.abs())


def blur(images: Tensor, sigma: float) -> Tensor:
    """Images out of focus: a Gaussian of that many pixels."""
    if sigma <= 0:
        return images
    radius = max(1, math.ceil(3 * sigma))
    line = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=images.device) / sigma) ** 2)
    kernel = (line / line.sum()).expand(images.shape[1], 1, 1, -1)
    rows = F.conv2d(F.pad(images, (radius, radius, 0, 0), mode="replicate"), kernel, groups=images.shape[1])
    return F.conv2d(F.pad(rows, (0, 0, radius, radius), mode="replicate"), kernel.transpose(2, 3), groups=images.shape[1])


def change_contrast(images: Tensor, factor: Amount) -> Tensor:
    """Images with all differences from their mean multiplied: 0 is grey, 1 the image."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return (mean + (images - mean) * _each(factor, images).view(-1, 1, 1, 1)).clamp(0, 1)


def add_noise(images: Tensor, strength: Amount, generator: torch.Generator) -> Tensor:
    """Images with normal noise of that standard deviation on each pixel."""
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return (images + noise * _each(strength, images).view(-1, 1, 1, 1)).clamp(0, 1)


def coarsen(images: Tensor, share: float) -> Tensor:
    """Images reduced to a share of their width and height, enlarged again, and with steeper edges."""
    height, width = images.shape[2:]
    small = F.interpolate(images, size=(max(4, round(share * height)), max(4, round(share * width))), mode="area")
    large = F.interpolate(small, size=(height, width), mode="bilinear")
    return ((large - 0.2) / 0.6).clamp(0, 1)


def recentre(images: Tensor) -> Tensor:
    """White ink on black as MNIST has it: the longer side 5/7 of the image (20 of 28 pixels), the centre of mass in the middle.

    The brightest pixel becomes white.
    """
    images = images / images.amax((1, 2, 3), keepdim=True).clamp_min(0.2)
    size = images.new_tensor(images.shape[:1:-1])  # width, height
    ink = images.amax(1)
    spans = [_span((ink > 0.2).any(axis)) for axis in (1, 2)]  # of columns and of rows
    longer = torch.maximum(*(last - first for first, last in spans))
    scale = longer.clamp_min(3) / (5 / 7 * size.max())
    mass = ink.sum((1, 2)).clamp_min(1e-6)
    centres = [
        (ink.sum(axis) @ (torch.arange(int(side), device=images.device) + 0.5)) / mass * 2 / side - 1
        for axis, side in ((1, size[0]), (2, size[1]))
    ]
    zero = torch.zeros_like(scale)
    across, down = (centre - scale / side for centre, side in zip(centres, size, strict=True))  # the middle is the pixel 14 of 0 to 27
    affine = torch.stack([torch.stack([scale, zero, across], 1), torch.stack([zero, scale, down], 1)], 1)
    return F.grid_sample(images, F.affine_grid(affine, list(images.shape), align_corners=False), align_corners=False)


def _span(seen: Tensor) -> tuple[Tensor, Tensor]:
    """The first place of N rows of booleans that is true, and the first one behind the last."""
    count = seen.shape[1]
    return seen.byte().argmax(1), count - seen.flip(1).byte().argmax(1)


def _each(amount: Amount, images: Tensor) -> Tensor:
    return torch.as_tensor(amount, dtype=images.dtype, device=images.device).expand(len(images))
