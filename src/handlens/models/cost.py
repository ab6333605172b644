"""What one image costs a network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from handlens.models.use import predict_logits

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def count_multiplications(model: nn.Module, image_shape: Sequence[int]) -> int:
    """The multiplications of one image's way through the linear and convolutional layers, which do nearly all of the work.

    What other layers multiply (normalising, pooling) is not counted. With the additions that belong to them they are about twice as many
    floating-point operations (FLOPs), which is how `torch.utils.flop_counter` counts.

    Args:
        model: any network.
        image_shape: C,H,W.

    Raises:
        ModelError: it does not accept such an image.
    """
    total = 0

    def count(layer: nn.Module, _inputs: Any, output: Tensor) -> None:
        nonlocal total
        total += _multiplications(layer, output)

    layers = [layer for layer in model.modules() if isinstance(layer, (nn.Linear, *_CONVOLUTIONS))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        predict_logits(model, torch.zeros(1, *image_shape))
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _multiplications(layer: nn.Module, output: Tensor) -> int:
    """Each number that comes out is a sum of so many products."""
    weights = layer.weight  # it need not be a parameter: weight norm and spectral norm compute it
    assert isinstance(weights, Tensor)
    return output.numel() * math.prod(weights.shape[1:])
