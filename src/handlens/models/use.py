"""Using a network, ours or anybody's: from pictures to logits."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor, nn

from handlens.errors import HandlensError, ModelError
from handlens.models.places import line_of, line_that_says
from handlens.words import counted


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


def set_learning(model: nn.Module, names: Collection[str], learns: bool) -> None:
    """Let the parameters of these names learn, or not; names that the network does not have change nothing."""
    for name, weights in model.named_parameters():
        if name in names:
            weights.requires_grad_(learns)


def training_mode(model: nn.Module) -> None:
    """Dropout and batch norm as in training; but a batch norm that does not learn stays as in use.

    One without weights (`affine=False`) goes with the layer before it: where that is frozen, its counts are too.
    """
    model.train()
    for norm in _resting(model):
        norm.eval()


def _resting(model: nn.Module) -> list[nn.Module]:
    """The norms that do not learn."""
    learns = next((weights.requires_grad for weights in model.parameters()), True)
    resting = []
    for module in model.modules():
        own = [*module.parameters(recurse=False)]
        learns = any(weights.requires_grad for weights in own) if own else learns
        if not learns and isinstance(getattr(module, "running_mean", None), Tensor):
            resting.append(module)
    return resting


def needs_company(model: nn.Module, image_shape: Sequence[int]) -> bool:
    """Whether one image alone cannot be learned from: a batch norm that learns would have one value of each channel to compare.

    Raises:
        ModelError: the network does not accept such images.
    """
    values: list[int] = []  # of each channel of one image
    resting = _resting(model)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module not in resting]
    hooks = [norm.register_forward_pre_hook(lambda _norm, inputs: values.append(inputs[0][0, 0].numel())) for norm in norms]
    try:
        predict_logits(model, torch.zeros(2, *image_shape))
    finally:
        for hook in hooks:
            hook.remove()
    return 1 in values


def copied(model: nn.Module) -> nn.Module:
    """A copy that shares nothing with the network.

    Also of one that keeps a result of its last forward, as `torch.nn.utils.weight_norm` and `spectral_norm` do with the weights that they
    compute: the copy keeps the numbers, not how they came about, which PyTorch refuses to copy.

    Raises:
        ModelError: it keeps something else that cannot be copied.
    """
    kept = [value for module in model.modules() for value in vars(module).values() if isinstance(value, Tensor) and not value.is_leaf]
    try:
        return copy.deepcopy(model, {id(value): value.detach().clone() for value in kept})
    except (RuntimeError, TypeError) as error:
        raise ModelError(
            f"{type(model).__name__} cannot be copied: it keeps a result of its last forward, or an open file or lock.",
            hint="Do not store it in self.",
        ) from error


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
            f"{type(model).__name__} returns a {type(logits).__name__} for {counted(len(images), 'image')}, no tensor of scores.{missing}",
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
