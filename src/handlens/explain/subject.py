"""What is explained: a run or any network, and images in any of the usual forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import device, models
from handlens.errors import UsageError, nearest
from handlens.runs import Run

Subject = Run | nn.Module
Images = Tensor | NDArray[Any]
Targets = int | Sequence[int] | NDArray[np.int64] | Tensor | None

IMAGE_SHAPE = (1, 28, 28)


def network(subject: Subject) -> nn.Module:
    """The trained network of a run, on the device that the run's config names if this machine has it; a network is taken as it is.

    Raises:
        RunDamaged, ModelError: the weights or the network of the run cannot be had.
        UsageError: it is neither a run nor a network.
    """
    if isinstance(subject, nn.Module):
        return subject
    if not isinstance(subject, Run):
        raise UsageError(f"A {type(subject).__name__} cannot be explained.", hint="Give a run, hl.load_run('latest'), or an nn.Module.")
    return subject.model().to(_device(subject))


def _device(run: Run) -> torch.device:
    try:
        return device.choose(run.config.device)
    except UsageError:  # trained on a machine that had a card
        return device.choose("auto")


def image_shape(subject: Subject, given: Sequence[int] | None = None) -> tuple[int, ...]:
    """Channels, height and width of the images that it takes: as `given`, else the run's own, else those of MNIST."""
    return tuple(given or (subject.about.image_shape if isinstance(subject, Run) else IMAGE_SHAPE))


def float_images(images: Images) -> Tensor:
    """Images as `float32` N,C,H,W in [0, 1].

    Args:
        images: one, H,W or C,H,W, or several, N,C,H,W; `uint8`, or floats in [0, 1].

    Raises:
        UsageError: they have another shape or none at all.
    """
    tensor = torch.as_tensor(images)
    if tensor.ndim not in (2, 3, 4) or tensor.numel() == 0:
        raise UsageError(
            f"Images of shape {tuple(tensor.shape)} cannot be explained.", hint="Give one image C,H,W, or several N,C,H,W; at least one."
        )
    while tensor.ndim < 4:
        tensor = tensor.unsqueeze(0)
    return models.to_float(tensor).float()


def class_targets(targets: Targets, logits: Tensor) -> Tensor:
    """The class that each image is explained for: `int64` N.

    Args:
        targets: one class for all, one for each image, or None for those that the network predicts.
        logits: N,K.

    Raises:
        UsageError: there is no such class, or not one for each image.
    """
    count, classes = logits.shape
    if targets is None:
        return logits.argmax(1)
    chosen = torch.as_tensor(targets, dtype=torch.int64).cpu()
    chosen = chosen.expand(count) if chosen.ndim == 0 else chosen
    if chosen.shape != (count,):
        raise UsageError(f"There are {len(chosen)} target classes for {count} images.", hint="Give one for all, or one for each.")
    wrong = chosen[(chosen < 0) | (chosen >= classes)]
    if len(wrong):
        raise UsageError(f"There is no class {int(wrong[0])}.", hint=f"The classes are 0 to {classes - 1}.")
    return chosen


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """The layer of that name, as the layer table shows it.

    Raises:
        UsageError: there is none.
    """
    layers: dict[str, nn.Module] = {found: module for found, module in model.named_modules() if found}
    if name not in layers:
        raise UsageError(f"{type(model).__name__} has no layer '{name}'.", hint=nearest(name, layers))
    return layers[name]
