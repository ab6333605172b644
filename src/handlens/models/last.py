"""The layer that gives the logits, in any network: found by looking, since the one that is defined last need not be used last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from handlens.errors import ModelError
from handlens.models.use import device_of, evaluating, predict_logits

_MIXING = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)  # also where a norm of their weights has taken these away


def last_layer(model: nn.Module, image_shape: Sequence[int]) -> tuple[str, nn.Module]:
    """The layer that gives the logits, by its name.

    It is the last one that mixes its inputs by a matrix or filters of its own, if whatever else leads to the logits goes through it; a norm
    or a scale of the logits may come after it.

    Args:
        model: any network.
        image_shape: C,H,W.

    Raises:
        ModelError: there is no such layer, or the network does not accept such images.
    """
    name, layer, _rest = _find(model, image_shape)
    return name, layer


def _find(model: nn.Module, image_shape: Sequence[int]) -> tuple[str, nn.Module, set[str]]:
    """The last layer's name, itself, and the names of what scales its logits."""
    images = torch.zeros(2, *image_shape)  # two, for norms that compare images
    used = _used(model, images)
    if not used:
        raise ModelError(f"{type(model).__name__} has no layer with weights that could be the last one.")
    for name, layer in reversed([*used.items()]):
        logits, around = _around(model, layer, images)
        if all(weights.numel() <= logits.shape[-1] for weights in around.values()):
            return name or type(layer).__name__, layer, {*around}
    raise ModelError(
        f"{type(model).__name__} has no last layer: more than one gives the logits, or weights that are in no layer.",
        hint="Let one layer, such as nn.Linear, give the logits.",
    )


def _used(model: nn.Module, images: Tensor) -> dict[str, nn.Module]:
    """The layers with a matrix or filters of their own, in the order in which images come to them last."""
    used: dict[str, nn.Module] = {}

    def note(name: str, module: nn.Module) -> None:
        used.pop(name, None)
        used[name] = module

    hooks = [
        module.register_forward_hook(lambda module, _inputs, _output, name=name: note(name, module))
        for name, module in model.named_modules()
        if isinstance(module, _MIXING) or (_mixes(module) and not [*module.children()])
    ]
    try:
        predict_logits(model, images)
    finally:
        for hook in hooks:
            hook.remove()
    return used


def _mixes(module: nn.Module) -> bool:
    return any(weights.ndim > 1 for weights in module.parameters(recurse=False))


def _around(model: nn.Module, layer: nn.Module, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The logits, and the parameters that reach them on a way around the layer: those that have a gradient while its output is held."""
    own = {id(weights) for weights in layer.parameters()}
    weights = {name: tensor.detach().requires_grad_() for name, tensor in model.named_parameters() if id(tensor) not in own}
    hook = layer.register_forward_hook(lambda _layer, _inputs, output: output.detach() if isinstance(output, Tensor) else None)
    try:
        with evaluating(model), torch.enable_grad():
            logits = torch.func.functional_call(model, weights, images.to(device_of(model)))
    finally:
        hook.remove()
    if not logits.requires_grad:
        return logits, {}
    gradients = torch.autograd.grad(logits.sum(), [*weights.values()], allow_unused=True)
    return logits, {name: tensor for (name, tensor), found in zip(weights.items(), gradients, strict=True) if found is not None}


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
    """The names of the parameters that learn, but for those of the last layer and what scales its logits.

    Raises:
        ModelError: see `last_layer`.
    """
    _name, layer, rest = _find(model, image_shape)
    last = {id(weights) for weights in layer.parameters()} | {id(model.get_parameter(name)) for name in rest}
    return tuple(name for name, weights in model.named_parameters() if weights.requires_grad and id(weights) not in last)
