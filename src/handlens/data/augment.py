"""Training images changed at random, so that the network learns what does not matter. A pure function of seed and epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from handlens import seeds
from handlens.data import distort
from handlens.errors import UsageError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handlens.data.dataset import Split


@dataclass(frozen=True)
class Augmentation:
    """How far an image may be changed; each is changed by its own amount, drawn evenly from minus to plus the limit.

    Attributes:
        angle: degrees.
        shift: share of width and height.
        scale: 0.1 for 0.9 to 1.1 times the size.
        shear: degrees.
        bend: how far points move along a smooth random field, as a share of the size (elastic distortion, Simard et al. 2003).
        tilt: how much nearer one side is to the camera than the middle, as a share of the distance (perspective; below 0.5).
        thickness: of bright strokes: 1 for up to a pixel on each side.
        noise: largest standard deviation of the noise.
        flip: left and right exchanged in every second image. Never for digits.
        coarse: a third of the images is reduced to as little as this share of its pixels a side, and enlarged again; 1 for none.
        blur: another third is out of focus by up to so many pixels.
        cut: up to this share of the size is missing on one side of the ink, of which MNIST's images have 5/7; a pixel is missing whole.
        centred: at last the ink is scaled and centred as in MNIST, which is what `drawing.normalize` does where the network is used.
    """

    angle: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    bend: float = 0.0
    tilt: float = 0.0
    thickness: float = 0.0
    noise: float = 0.0
    flip: bool = False
    coarse: float = 1.0
    blur: float = 0.0
    cut: float = 0.0
    centred: bool = False

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Changed images.

        Args:
            images: `float32` N,C,H,W in [0, 1].
            generator: of the CPU; decides the amounts.
        """
        count = len(images)

        def draw(limit: float, middle: float = 0.0) -> Tensor:
            """One amount an image. Something is drawn for a limit of 0 too, so that no knob changes what another one draws."""
            return (middle + limit * (2 * torch.rand(count, generator=generator) - 1)).to(images.device)

        angle, across, down, shear = draw(self.angle), draw(self.shift), draw(self.shift), draw(self.shear)
        scale, thickness, noise, side = draw(self.scale, middle=1.0), draw(self.thickness), draw(self.noise), draw(1.0)
        if self.flip:
            images = torch.where(side.view(-1, 1, 1, 1) > 0, images.flip(3), images)
        if self.angle or self.shift or self.scale or self.shear or self.bend or self.tilt:
            bend = _field(images, self.bend, generator) if self.bend else None
            if self.tilt:
                tilted = distort.tilted(images, draw(self.tilt), draw(self.tilt))
                bend = tilted if bend is None else bend + tilted
            images = distort.warp(images, angle=angle, shift=(across, down), scale=scale, shear=shear, bend=bend)
        if self.thickness:
            images = distort.thicken(images, thickness)
        if self.coarse < 1:
            images = self._coarsened(images, generator)
        if self.blur:
            images = self._blurred(images, generator)
        if self.cut:
            images = _cut(images, self.cut, generator)
        if self.centred:
            images = distort.recentre(images)
        return distort.add_noise(images, noise.abs(), generator) if self.noise else images

    def _coarsened(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The first third of a batch, which comes in an order of its own each epoch, by one amount."""
        share = self.coarse + (1 - self.coarse) * torch.rand((), generator=generator).item()
        third = len(images) // 3
        return torch.cat([distort.coarsen(images[:third], share), images[third:]]) if third else images

    def _blurred(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The last third of a batch, by one amount."""
        sigma, rest = self.blur * torch.rand((), generator=generator).item(), len(images) - len(images) // 3
        return torch.cat([images[:rest], distort.blur(images[rest:], sigma)])


def _cut(images: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """One side of each image made black, to where the ink of a centred digit begins and up to a share `limit` of the size further."""
    count = len(images)
    strip = (1 / 7 + limit * torch.rand(count, generator=generator)).to(images.device)
    side = torch.randint(4, (count,), generator=generator).to(images.device)
    y, x = (torch.arange(size, device=images.device) / size for size in images.shape[2:])
    near = torch.stack([distance.expand(images.shape[2:]) for distance in (y[:, None], x, y.flip(0)[:, None], x.flip(0))])
    return images * (near[side] >= strip[:, None, None])[:, None]


def _field(images: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """A smooth random displacement N,2,H,W: few random arrows, with cubic curves between them."""
    arrows = limit * (2 * torch.rand(len(images), 2, 5, 5, generator=generator) - 1)
    return F.interpolate(arrows.to(images.device), size=images.shape[2:], mode="bicubic", align_corners=True)


def mix(images: Tensor, labels: Tensor, num_classes: int, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mixup: each image blended with another one of its batch, and the labels likewise (Zhang et al. 2018).

    Args:
        images: N,C,H,W.
        labels: `int64` N.
        num_classes: K.
        alpha: of the beta distribution that the shares are drawn from; 0.2 mixes a little, 1 anything from none to half.
        generator: of the CPU.

    Returns:
        Images as before, and labels as probabilities N,K.
    """
    share = _shares(len(images), alpha, generator).to(images.device)
    other = torch.randperm(len(images), generator=generator).to(images.device)
    mixed = torch.lerp(images[other], images, share.view(-1, 1, 1, 1))
    return mixed, _blend(labels, other, share, num_classes)


def cut_and_mix(images: Tensor, labels: Tensor, num_classes: int, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """CutMix: a rectangle of each image from another one of its batch, and the labels by area (Yun et al. 2019); else as `mix`."""
    height, width = images.shape[2:]
    side = (1 - _shares(len(images), alpha, generator)).sqrt()
    other = torch.randperm(len(images), generator=generator).to(images.device)
    centres = torch.rand(2, len(images), generator=generator)
    inside = torch.ones(len(images), height, width, dtype=torch.bool)
    for axis, (size, centre) in enumerate(zip((height, width), centres, strict=True)):
        distance = ((torch.arange(size) + 0.5) / size - centre[:, None]).abs() <= side[:, None] / 2
        inside &= distance[:, :, None] if axis == 0 else distance[:, None, :]
    inside = inside.to(images.device)
    mixed = torch.where(inside[:, None], images[other], images)
    return mixed, _blend(labels, other, 1 - inside.float().mean((1, 2)), num_classes)


def _shares(count: int, alpha: float, generator: torch.Generator) -> Tensor:
    """How much of each image stays: from a symmetric beta distribution, the larger part of the two."""
    # Two gamma variables make a beta variable; PyTorch's own sampler of Beta takes no generator.
    gammas = torch._standard_gamma(torch.full((2, count), alpha), generator=generator).clamp_min(1e-8)
    share = gammas[0] / gammas.sum(0)
    return torch.maximum(share, 1 - share)


def _blend(labels: Tensor, other: Tensor, share: Tensor, num_classes: int) -> Tensor:
    one_hot = F.one_hot(labels, num_classes).float()
    return torch.lerp(one_hot[other], one_hot, share[:, None])


Change = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
"""What is done to a batch of images and labels on its way to the network."""


def make_change(name: str, num_classes: int, *, mixup: float = 0.0, cutmix: float = 0.0) -> Change | None:
    """The augmentation of that name (a key of `AUGMENTATIONS`), then mixup or CutMix, whichever is asked for, or by lot; None for nothing.

    Raises:
        UsageError: there is no augmentation of that name.
    """
    if name not in AUGMENTATIONS:
        raise UsageError(f"There is no augmentation '{name}'.", hint=nearest(name, AUGMENTATIONS))
    if name == "none" and not mixup and not cutmix:
        return None

    def change(images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        images = AUGMENTATIONS[name](images, generator)
        cut = torch.rand((), generator=generator).item() * (mixup > 0) < 0.5
        if cutmix and cut:
            return cut_and_mix(images, labels, num_classes, cutmix, generator)
        return mix(images, labels, num_classes, mixup, generator) if mixup else (images, labels)

    return change


def preview(split: Split, name: str, *, count: int = 6, times: int = 8, seed: int = 42) -> Figure:
    """What an augmentation makes of images: each one, and some of the forms in which the network would see it.

    Args:
        split: its first images are taken, one of each class as far as there are.
        name: a key of `AUGMENTATIONS`.
        count: how many images.
        times: how many forms of each.
        seed: decides them.

    Raises:
        UsageError: there is no augmentation of that name.
    """
    from handlens import plots

    change = make_change(name, len(split.classes))
    firsts = [int((split.labels == label).nonzero()[0]) for label in split.labels.unique().tolist()[:count]]
    rows = []
    for index in firsts:
        images = split.images[index].float().div(255).expand(1 + times, -1, -1, -1)
        seen = change(images, split.labels[[index] * len(images)], seeds.generator("augment", seed, index))[0] if change else images
        captions = ["as it is", *[""] * times]
        rows.append(plots.ImageRow(split.classes[int(split.labels[index])], "", torch.cat([images[:1], seen[1:]]).numpy(), captions))
    return plots.plot_rows(rows, f"Augmentation: {name}", "in each epoch every image comes in a form of its own")


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "light": Augmentation(angle=10, shift=0.08, scale=0.1),
    "robust": Augmentation(angle=15, shift=0.1, scale=0.15, shear=15, bend=0.05, thickness=0.7, noise=0.1),
    "photo": Augmentation(shift=0.1, scale=0.1, flip=True),
    "handwriting": Augmentation(
        angle=15, scale=0.1, shear=22, bend=0.07, tilt=0.12, thickness=0.6, noise=0.03, coarse=0.4, blur=0.4, cut=0.02, centred=True
    ),
}
