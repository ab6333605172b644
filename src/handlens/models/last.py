"""The layer that gives the logits, in any network: found by looking, since the one that is defined last need not be used last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from handlens.errors import ModelError
from handlens.models.use import predict_logits

_MIXING = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_SIZES = ("out_features", "out_channels")


def last_layer(model: nn.Module, image_shape: Sequence[int]) -> tuple[str, nn.Module]:
    """The layer that gives the logits, by its name.

    It is the last fully connected or convolutional layer on an image's way that has as many outputs as there are classes; the last one at
    all if none has; and in a network without any the last module that has weights of its own.

    Args:
        model: any network.
        image_shape: C,H,W.

    Raises:
        ModelError: no layer has weights, or the network does not accept such images.
    """
    used: list[tuple[str, nn.Module]] = []
    hooks = [
        module.register_forward_hook(lambda module, _inputs, _output, name=name: used.append((name, module)))
        for name, module in model.named_modules()
        if isinstance(module, _MIXING) or [*module.parameters(recurse=False)]
    ]
    try:
        classes = predict_logits(model, torch.zeros(2, *image_shape)).shape[-1]  # two, for norms that compare images
    finally:
        for hook in hooks:
            hook.remove()
    if not used:
        raise ModelError(f"{type(model).__name__} has no layer with weights that could be the last one.")
    mixing = [(name, module) for name, module in used if isinstance(module, _MIXING)]
    fitting = [(name, module) for name, module in mixing if classes in (getattr(module, size, 0) for size in _SIZES)]
    name, module = (fitting or mixing or used)[-1]
    return name or type(module).__name__, module


def features(model: nn.Module, images: Tensor) -> tuple[Tensor, str]:
    """What the last layer is given: what the network has made of the images before it decides.

    Args:
        model: any network.
        images: `uint8` or `float32` in [0, 1], N,C,H,W.

    Returns:
        `float32` N,F on the CPU, maps laid out in a row; and the layer's name. Of a layer that is used again, what it is given last.

    Raises:
        ModelError: see `last_layer`.
    """
    name, layer = last_layer(model, images.shape[1:])
    kept: list[Tensor] = []

    def begin(_model: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(inputs[0])

    def keep(_layer: nn.Module, inputs: tuple[Tensor, ...], keywords: dict[str, Any]) -> None:
        kept[-1] = next(iter((*inputs, *keywords.values()))).reshape(len(kept[-1]), -1).float().cpu()

    hooks = [model.register_forward_pre_hook(begin), layer.register_forward_pre_hook(keep, with_kwargs=True)]
    try:
        predict_logits(model, images)
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat(kept), name


def before_last(model: nn.Module, image_shape: Sequence[int]) -> tuple[str, ...]:
    """The names of the parameters that learn, but for those of the last layer.

    Raises:
        ModelError: see `last_layer`.
    """
    last = {id(weights) for weights in last_layer(model, image_shape)[1].parameters()}
    return tuple(name for name, weights in model.named_parameters() if weights.requires_grad and id(weights) not in last)
