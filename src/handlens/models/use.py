"""Using a network, ours or anybody's: from pictures to logits."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from handlens.errors import HandlensError, ModelError
from handlens.models.places import line_of, line_that_says


def to_float(images: Tensor) -> Tensor:
    """Images as `float32` in [0, 1], whether they come as `uint8` or are that already."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout and batch norm as in use, and no gradients; afterwards each layer is in the mode that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def last_layer(model: nn.Module) -> nn.Linear:
    """The fully connected layer that gives the logits: the last one that the network has.

    Raises:
        ModelError: it has none.
    """
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise ModelError(f"{type(model).__name__} has no fully connected layer that could be the last one.")
    return layers[-1]


def freeze(model: nn.Module) -> None:
    """Let only the last layer learn.

    Raises:
        ModelError: see `last_layer`.
    """
    last = last_layer(model)
    model.requires_grad_(False)
    last.requires_grad_(True)


def training_mode(model: nn.Module) -> None:
    """Dropout and batch norm as in training; but a batch norm that does not learn stays as in use."""
    model.train()
    for module in model.modules():
        own = [*module.parameters(recurse=False)]
        if own and not isinstance(module, nn.Linear | nn.Conv2d) and not any(weights.requires_grad for weights in own):
            module.eval()


def predict_logits(model: nn.Module, images: Tensor, batch_size: int = 50) -> Tensor:
    """The logits of all images: `float32` N,K on the CPU.

    Args:
        model: any network; its layers' modes are left as they were.
        images: `uint8` or `float32` in [0, 1], N,C,H,W, on any device.
        batch_size: images at a time; more of them do not go faster, but take memory that must be fetched anew each time.

    Raises:
        ModelError: the network has no forward, does not accept images of this shape, or does not return a tensor.
    """
    _check_forward(model)
    device = device_of(model)
    with evaluating(model):
        try:
            return torch.cat([_logits(model, to_float(some.to(device))) for some in images.split(batch_size)])
        except (HandlensError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # forward may be a learner's own, and raise anything
            raise _does_not_accept(model, tuple(images.shape[1:]), error) from error


def _logits(model: nn.Module, images: Tensor) -> Tensor:
    logits = model(images)
    if not isinstance(logits, Tensor):
        missing = " Its forward has no return." if logits is None else ""
        raise ModelError(
            f"{type(model).__name__} returns a {type(logits).__name__} for {len(images)} images, not a tensor of scores.{missing}",
            hint="forward must return the logits alone: one row an image, one score a class.",
        )
    return logits.float().cpu()


def _check_forward(model: nn.Module) -> None:
    if getattr(model.forward, "__func__", None) is nn.Module.forward:
        raise ModelError(
            f"{type(model).__name__} has no forward.",
            where=line_that_says(type(model)),
            hint="Add it to the class, indented like __init__: def forward(self, images): ... return logits",
        )


def device_of(model: nn.Module) -> torch.device:
    """Where the network's weights are."""
    return next((weights.device for weights in model.parameters()), torch.device("cpu"))


def count_parameters(model: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(weights.numel() for weights in model.parameters() if weights.requires_grad)


def _does_not_accept(model: nn.Module, image_shape: Sequence[int], error: Exception) -> ModelError:
    shape = "x".join(str(size) for size in image_shape)
    reason = (str(error).splitlines() or [""])[0] if isinstance(error, RuntimeError) else f"{type(error).__name__}: {error}"
    return ModelError(
        f"{type(model).__name__} does not accept images of shape {shape}: {reason}.",
        where=line_of(model, error),
        hint=f"An image is {shape} (channels, height, width): {math.prod(image_shape)} numbers after flatten(1).",
    )
