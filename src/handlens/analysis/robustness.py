"""How a network stands changes of the images: turned, moved, scaled, noisy, blurred, faded, thicker and thinner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import models, seeds
from handlens.analysis.counted import Counted
from handlens.data import Split, distort
from handlens.errors import UsageError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Change = Callable[[Tensor, float], Tensor]


def _turns(images: Tensor) -> Tensor:
    """1 for every second image, -1 for the others: each change is made both ways."""
    return 1.0 - 2.0 * (torch.arange(len(images)) % 2)


def _rotate(images: Tensor, degrees: float) -> Tensor:
    return distort.warp(images, angle=degrees * _turns(images))


def _shift(images: Tensor, pixels: float) -> Tensor:
    quarter = torch.arange(len(images)) % 4 * torch.pi / 2
    height, width = images.shape[2:]
    return distort.warp(images, shift=(pixels / width * quarter.cos(), pixels / height * quarter.sin()))


def _scale(images: Tensor, factor: float) -> Tensor:
    return distort.warp(images, scale=torch.tensor(factor) ** _turns(images))


def _noise(images: Tensor, strength: float) -> Tensor:
    return distort.add_noise(images, strength, seeds.generator("robustness"))


def _thickness(images: Tensor, pixels: float) -> Tensor:
    return distort.thicken(images, pixels * _turns(images))


CHANGES: Mapping[str, tuple[Change, tuple[float, ...], str]] = {
    "rotate": (_rotate, (10, 20, 30, 40, 50), "± degrees"),
    "shift": (_shift, (1, 2, 3, 4, 5), "pixels left, right, up or down"),
    "scale": (_scale, (1.1, 1.2, 1.3, 1.4, 1.5), "times larger or smaller"),
    "noise": (_noise, (0.1, 0.2, 0.3, 0.4, 0.5), "standard deviation"),
    "blur": (distort.blur, (0.5, 1.0, 1.5, 2.0, 2.5), "sigma in pixels"),
    "contrast": (distort.change_contrast, (0.8, 0.6, 0.4, 0.2, 0.1), "share that is left"),
    "thickness": (_thickness, (0.2, 0.4, 0.6, 0.8, 1.0), "pixels thicker or thinner on each side"),
}


UNCHANGED: Mapping[str, float] = {name: 1.0 if name in ("scale", "contrast") else 0.0 for name in CHANGES}
"""The strength of each change that leaves the images as they are."""


@dataclass(frozen=True)
class Condition(Counted):
    """Images changed in one way by so much.

    Attributes:
        change: a key of `CHANGES`; `none` for the images as they are.
        strength: how much, in the unit of the change.
        n: how many images.
        correct: how many of them are right.
    """

    change: str
    strength: float
    n: int
    correct: int


@dataclass(frozen=True, eq=False)
class Robustness:
    """What comes of each change at five strengths, on the same images.

    Attributes:
        clean: the images as they are.
        conditions: each change, from weak to strong.
        samples: one image under each condition, C,H,W in [0, 1].
    """

    clean: Condition
    conditions: tuple[Condition, ...]
    samples: tuple[NDArray[np.float32], ...]

    def of(self, change: str) -> list[Condition]:
        """One change, from weak to strong."""
        return [condition for condition in self.conditions if condition.change == change]

    @property
    def changes(self) -> list[str]:
        """The changes that were made."""
        return list(dict.fromkeys(condition.change for condition in self.conditions))

    def plot(self) -> Figure:
        """Accuracy by strength, with an image at each."""
        from handlens import plots

        pictures = dict(zip(self.conditions, self.samples, strict=True))
        panels = []
        for change in self.changes:
            found = self.of(change)
            strengths, intervals = [f"{one.strength:g}" for one in found], [one.interval for one in found]
            images = np.stack([pictures[one] for one in found])
            panels.append(plots.Panel(f"{change} ({CHANGES[change][2]})", strengths, [one.accuracy for one in found], intervals, images))
        note = f"{self.clean.n:,} images; bars: 95 % intervals; dashed: the same images unchanged, {self.clean.accuracy * 100:.1f} %"
        return plots.plot_panels(panels, "Accuracy when the images change", note, level=self.clean.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        rows = [asdict(one) | {"accuracy": one.accuracy, "interval": list(one.interval)} for one in (self.clean, *self.conditions)]
        return {"n": self.clean.n, "clean": rows[0], "conditions": rows[1:]}


def robustness(model: nn.Module, split: Split, *, examples: int = 2000, ink: bool = True) -> Robustness:
    """Measure a network on images that are changed in seven ways, at five strengths each. Nothing is learned.

    The idea is that of Hendrycks and Dietterich 2019, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations";
    the changes are those of `data.distort`. Half of the images are turned, scaled or thickened one way, half the other way.

    Args:
        model: any network.
        split: the images.
        examples: how many of them, evenly from the whole split; 0 for all.
        ink: bright strokes on black, so that there is a thickness to change.

    Raises:
        UsageError: there are no images, or `examples` is negative.
        ModelError: the network does not accept the images.
    """
    images, labels = _evenly(split, examples)
    count = len(labels)
    clean = Condition("none", 0.0, count, _correct(model, images, labels))
    conditions, samples = [], []
    for name, (change, strengths, _unit) in CHANGES.items():
        for strength in strengths if ink or name != "thickness" else ():
            changed = change(images, strength)
            conditions.append(Condition(name, strength, count, _correct(model, changed, labels)))
            samples.append(changed[0].numpy())
    return Robustness(clean, tuple(conditions), tuple(samples))


@dataclass(frozen=True, eq=False)
class Changed(Counted):
    """Images changed in several ways at once, and what a network says to them.

    Attributes:
        n: how many images.
        correct: how many of them are right.
        images: `float32` n,C,H,W in [0, 1].
        labels: `int64` n.
        predictions: `int64` n.
    """

    n: int
    correct: int
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]


def changed(model: nn.Module, split: Split, strengths: Mapping[str, float], *, examples: int = 1000) -> Changed:
    """Change images in one or more ways, and ask a network about them.

    Args:
        model: any network.
        split: the images.
        strengths: how much of which of the `CHANGES`; they are made in that order.
        examples: how many of the images, evenly from the whole split; 0 for all.

    Raises:
        UsageError: there is no such change, no image, or `examples` is negative.
        ModelError: the network does not accept the images.
    """
    if unknown := next((name for name in strengths if name not in CHANGES), None):
        raise UsageError(f"Images cannot be changed by '{unknown}'.", hint=nearest(unknown, CHANGES))
    images, labels = _evenly(split, examples)
    for name, (change, _strengths, _unit) in CHANGES.items():
        if strengths.get(name, UNCHANGED[name]) != UNCHANGED[name]:
            images = change(images, strengths[name])
    predictions = models.predict_logits(model, images).argmax(dim=1)
    correct = int((predictions == labels).sum())
    return Changed(len(labels), correct, images.numpy(), labels.numpy(), predictions.numpy())


def _evenly(split: Split, examples: int) -> tuple[Tensor, Tensor]:
    """So many images in [0, 1] with their labels, evenly from the whole split; 0 for all.

    Raises:
        UsageError: there are no images, or `examples` is negative.
    """
    if not len(split) or examples < 0:
        raise UsageError(f"{examples:,} of {len(split):,} {split.name} images cannot be taken.")
    count = min(examples or len(split), len(split))
    chosen = torch.arange(count) * len(split) // count
    return models.to_float(split.images[chosen].cpu()), split.labels[chosen].cpu()


def _correct(model: nn.Module, images: Tensor, labels: Tensor) -> int:
    return int((models.predict_logits(model, images).argmax(dim=1) == labels).sum())
