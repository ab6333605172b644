"""A `DataLoader` of the user's own: whether it gives what a training needs, looked at before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from handlens import models
from handlens.config import FIELDS, Config
from handlens.errors import DataError, ModelError, UsageError

PREVIEW = 4


def check_idle(config: Config) -> None:
    """Whether no knob is set that would change nothing: a loader of the user's own gives what it gives.

    Raises:
        UsageError: one is.
    """
    knobs = ("examples", "epoch_part", "with_data", "augment", "shift", "mixup", "cutmix", "class_weights")
    idle = [name for name in knobs if getattr(config, name) != FIELDS[name].default]
    if idle:
        raise UsageError(
            f"{', '.join(idle)} cannot be used with a DataLoader of your own.", hint="Do it in the loader, or give its data set."
        )


def check_loader(model: nn.Module, loader: DataLoader[Any]) -> tuple[tuple[int, ...], int, str]:
    """The shape of one image, the number of classes, and a remark; nobody says how many classes: as many as the network has scores.

    Raises:
        UsageError: it is no loader of pairs.
        DataError: the images or labels are of another kind.
        ModelError: the network does not fit them.
    """
    try:
        len(loader)
        images, labels = next(iter(loader))
        _check_pair("loader", images, labels, (torch.float32,))
    except (TypeError, ValueError, AttributeError, RuntimeError, StopIteration, LookupError) as error:
        raise _no_pairs("loader", error) from error
    count = models.predict_logits(model, images[:PREVIEW]).shape[-1]
    _check_labels(labels, count)
    return tuple(images.shape[1:]), count, models.check_fits(model, images[:PREVIEW], [str(label) for label in range(count)])


def collect(val: object, shape: tuple[int, ...], count: int) -> tuple[Tensor, Tensor]:
    """All images and labels to watch by: of the shape of those to learn from, with labels for which the network has scores.

    Raises:
        UsageError: they are no images and labels.
        DataError, ModelError: they do not fit those to learn from, or the network.
    """
    if not isinstance(val, DataLoader | tuple | list):
        raise UsageError(f"val cannot be a {type(val).__name__}.", hint="Give a DataLoader, or a pair of images and labels.")
    try:
        images, labels = (torch.cat(parts) for parts in zip(*val, strict=True)) if isinstance(val, DataLoader) else val
        _check_pair("val", images, labels, (torch.float32, torch.uint8))
    except (TypeError, ValueError, AttributeError, RuntimeError, LookupError) as error:
        raise _no_pairs("val", error) from error
    if tuple(images.shape[1:]) != shape:
        raise DataError(f"The images of val are {_size(images.shape[1:])}, those to learn from {_size(shape)}.")
    _check_labels(labels, count)
    return images, labels


def _check_pair(what: str, images: Tensor, labels: Tensor, kinds: tuple[torch.dtype, ...]) -> None:
    if images.dtype not in kinds or labels.dtype != torch.int64 or labels.shape != images.shape[:1] or not len(labels):
        raise DataError(
            f"The {what} gives images of {_kind(images)} and labels of {_kind(labels)}.",
            hint="Images must be float32 N,C,H,W in [0, 1], labels int64 N: one whole number an image.",
        )


def _no_pairs(what: str, error: Exception) -> UsageError:
    said = f"It says: {type(error).__name__}: {error}"
    needed = "must know its length and give pairs of images and labels, as tensors" if what == "loader" else "gives no images and labels"
    return UsageError(f"The {what} {needed}.", hint=said)


def _check_labels(labels: Tensor, count: int) -> None:
    lowest, highest = int(labels.min()), int(labels.max())
    if lowest < 0 or highest >= count:
        raise ModelError(f"The labels go from {lowest} to {highest}, but the network has {count} outputs: they are for 0 to {count - 1}.")


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {_size(tensor.shape)}"


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
