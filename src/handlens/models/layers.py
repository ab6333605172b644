"""The layer table of any network, and whether the network fits its pictures and classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from handlens.errors import ModelError
from handlens.models.places import line_that_says
from handlens.models.use import predict_logits
from handlens.words import counted


@dataclass(frozen=True)
class Layer:
    """One row of the layer table: its name in the module, what it is, the shape of one image's output, numbers that it learns."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


def summary(model: nn.Module, image_shape: Sequence[int]) -> list[Layer]:
    """The layer table of any network, found by sending one black image through it.

    Args:
        model: any module; layers that are used twice stand once.
        image_shape: channels, height, width.

    Raises:
        ModelError: the network does not accept such an image.
    """
    rows: dict[str, Layer] = {}
    hooks = []
    for name, module in model.named_modules():
        own = sum(weights.numel() for weights in module.parameters(recurse=False) if weights.requires_grad)
        if own or not list(module.children()):
            hooks.append(module.register_forward_hook(_row_writer(rows, name, own)))
    try:
        predict_logits(model, torch.zeros(1, *image_shape, dtype=torch.uint8))
    finally:
        for hook in hooks:
            hook.remove()
    return list(rows.values())


def _row_writer(rows: dict[str, Layer], name: str, parameters: int) -> Callable[[nn.Module, Any, Any], None]:
    def write(module: nn.Module, _inputs: Any, output: Any) -> None:
        shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
        kind = repr(module).split("\n")[0].rstrip("(")
        rows.setdefault(name, Layer(name or type(module).__name__, kind, shape, parameters))

    return write


def check_fits(model: nn.Module, images: Tensor, classes: Sequence[str]) -> str:
    """See on a few images whether the network fits them and their classes, before any training.

    Args:
        model: any network.
        images: a few, N,C,H,W.
        classes: the names of the classes.

    Returns:
        A remark in words when the network ends in a softmax, which the loss has too; else nothing.

    Raises:
        ModelError: it has no forward, hides its layers in a list, has nothing to learn, does not accept such images, or returns something
            other than one score a class.
    """
    _check_nothing_hidden(model)
    if not any(weights.requires_grad for weights in model.parameters()):
        raise ModelError(f"{type(model).__name__} has nothing to learn: no parameter in it asks for gradients.")
    logits = predict_logits(model, images)
    wanted = (len(images), len(classes))
    if tuple(logits.shape) != wanted:
        raise ModelError(
            f"{type(model).__name__} returns {'x'.join(map(str, logits.shape))} for {counted(len(images), 'image')}; "
            f"{len(classes)} classes need {wanted[0]}x{wanted[1]}: one score a class and image.",
            hint=f"Give the last layer {len(classes)} outputs." if logits.ndim == 2 else "Return one row of scores an image.",
        )
    sums = logits.sum(1)
    if len(classes) > 1 and bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        floor = math.log(math.e + len(classes) - 1) - 1
        return (
            f"{type(model).__name__} ends in a softmax: its outputs are not negative and sum to 1. Cross-entropy contains a softmax "
            f"already; with two of them the loss cannot fall below {floor:.2f}. Return the raw scores: leave out the last softmax."
        )
    return ""


def _check_nothing_hidden(model: nn.Module) -> None:
    """PyTorch looks for layers in attributes, not in Python's lists and dicts; what it does not find is never trained."""
    found = {id(weights) for weights in model.parameters()}
    for owner, name, kept in _collections(model):
        layers = [layer for layer in (kept.values() if isinstance(kept, dict) else kept) if isinstance(layer, nn.Module)]
        if any(weights.requires_grad and id(weights) not in found for layer in layers for weights in layer.parameters()):
            raise ModelError(
                f"{type(owner).__name__} keeps layers in a Python {type(kept).__name__}, self.{name}, where PyTorch does not find them: "
                "they would never be trained.",
                where=line_that_says(type(owner), rf"self\.{name}\b"),
                hint=f"Make it self.{name} = nn.{'ModuleDict' if isinstance(kept, dict) else 'ModuleList'}(...)",
            )


def _collections(model: nn.Module) -> Iterator[tuple[nn.Module, str, list[Any] | tuple[Any, ...] | dict[Any, Any]]]:
    for owner in model.modules():
        for name, value in vars(owner).items():
            if isinstance(value, list | tuple | dict) and not name.startswith("_"):
                yield owner, name, value
