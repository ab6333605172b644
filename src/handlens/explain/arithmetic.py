"""How one number inside a network comes about: what goes in, what it is multiplied with, what is added; and units switched off."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from handlens.errors import UsageError
from handlens.explain.subject import Images, Subject, find_layer, float_images, network
from handlens.explain.trace import Step, trace

_POOLS = (nn.MaxPool2d, nn.AvgPool2d)


@dataclass(frozen=True, eq=False)
class Arithmetic:
    """One number that a layer gave, and what it was made of.

    Attributes:
        layer, kind: the layer's name and class.
        place: unit (or channel), row, column; of a layer without maps only the unit.
        value: the number.
        inputs: `float32` C,H,W: what went in: a patch of each channel, all inputs of a linear layer, or one number.
        weights: of the same shape; None where nothing is multiplied.
        bias: what is added to the sum of their products.
        said: what the layer does with its inputs, in words.
    """

    layer: str
    kind: str
    place: tuple[int, ...]
    value: float
    inputs: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    bias: float
    said: str

    @property
    def sums(self) -> list[float]:
        """For each channel that goes in, the sum of its products; empty where nothing is multiplied."""
        return [] if self.weights is None else [float((one * other).sum()) for one, other in zip(self.inputs, self.weights, strict=True)]


def arithmetic(subject: Subject, image: Images, layer: str, place: Sequence[int]) -> Arithmetic:
    """How a layer's answer to an image comes about at one place.

    Args:
        subject: a run or any network.
        image: one, as for `float_images`.
        layer: its name, as `activations` has it.
        place: unit, and row and column if the layer gives maps.

    Raises:
        UsageError: there is no such layer or place, or it is none whose arithmetic is known here.
        ModelError: the network does not accept the image.
    """
    model, given = network(subject), float_images(image)[:1]
    module, steps = find_layer(model, layer), []
    hook = module.register_forward_hook(lambda _module, inputs, output: steps.append((inputs[0].detach().float(), output.detach().float())))
    try:
        every = trace(model, given)
    finally:
        hook.remove()
    if not steps:
        raise UsageError(f"Layer '{layer}' is not used.")
    before, after = steps[0]
    place = _checked(layer, place, after)
    inputs, weights, bias, said = _parts(module, before, after, place)
    shaped = _as_maps(inputs, given, every, layer)
    kernel = None if weights is None else weights.reshape(shaped.shape).cpu().numpy()
    return Arithmetic(layer, type(module).__name__, place, after[(0, *place)].item(), shaped.cpu().numpy(), kernel, bias, said)


def _checked(layer: str, place: Sequence[int], after: Tensor) -> tuple[int, ...]:
    sizes = after.shape[1:]
    if len(place) != len(sizes) or not all(0 <= at < size for at, size in zip(place, sizes, strict=True)):
        raise UsageError(f"Layer '{layer}' has no place {tuple(place)}.", hint=f"It gives {'x'.join(map(str, sizes))} numbers, from 0.")
    return tuple(place)


Parts = tuple[Tensor, Tensor | None, float, str]


def _parts(module: nn.Module, before: Tensor, after: Tensor, place: tuple[int, ...]) -> Parts:
    """Inputs, weights, bias, and what is done, in words."""
    unit = place[0]
    if isinstance(module, nn.Conv2d):
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        patch = _patch(F.pad(before, module._reversed_padding_repeated_twice, mode), module, after, place)
        group = unit // (module.out_channels // module.groups)
        said = "The kernel lies on this patch: each number times its weight, all added up."
        return patch.chunk(module.groups)[group], module.weight[unit].detach(), _bias(module.bias, unit), said
    if isinstance(module, nn.Linear):
        return (
            before[0],
            module.weight[unit].detach(),
            _bias(module.bias, unit),
            "Each number that comes in times its weight, all added up.",
        )
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        return _normalized(module, before[(0, *place)], unit)
    if isinstance(module, _POOLS):
        padding = module.padding if isinstance(module.padding, tuple) else (module.padding, module.padding)
        empty = -math.inf if isinstance(module, nn.MaxPool2d) else 0.0
        padded = F.pad(before, (padding[1], padding[1], padding[0], padding[0]), value=empty)
        word = "largest" if isinstance(module, nn.MaxPool2d) else "mean"
        return _patch(padded, module, after, place)[unit : unit + 1], None, 0.0, f"The {word} of these numbers goes on."
    if before.shape == after.shape:
        return before[(0, *place)].reshape(1, 1, 1), None, 0.0, f"{type(module).__name__} of this one number."
    raise UsageError(f"How a {type(module).__name__} calculates cannot be shown.")


def _normalized(module: nn.BatchNorm1d | nn.BatchNorm2d, value: Tensor, unit: int) -> Parts:
    """Batch norm in use is one weight and one bias for each channel."""
    if module.running_mean is None or module.running_var is None:
        raise UsageError("This batch norm keeps no mean, so its arithmetic depends on the whole batch.")
    scale = (module.running_var[unit] + module.eps).rsqrt() * (1 if module.weight is None else module.weight[unit].detach())
    bias = (0 if module.bias is None else module.bias[unit].detach()) - module.running_mean[unit] * scale
    said = "The mean that the channel had in training is taken off, and its spread made one; then stretched and moved as was learned."
    return value.reshape(1, 1, 1), scale.reshape(1, 1, 1), float(bias), said


def _bias(bias: Tensor | None, unit: int) -> float:
    return 0.0 if bias is None else float(bias[unit].detach())


def _patch(padded: Tensor, module: Any, after: Tensor, place: tuple[int, ...]) -> Tensor:
    """What a kernel lies on at a place: C,H,W."""
    size, stride, dilation = (_pair(getattr(module, name, 1)) for name in ("kernel_size", "stride", "dilation"))
    top, left = place[1] * stride[0], place[2] * stride[1]
    rows, columns = (slice(start, start + (n - 1) * step + 1, step) for start, n, step in zip((top, left), size, dilation, strict=True))
    return padded[0, :, rows, columns]


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def _as_maps(inputs: Tensor, image: Tensor, steps: Sequence[Step], layer: str) -> Tensor:
    """Inputs as C,H,W: those of a linear layer as the maps, or the image, that were flattened for it, if they were; else as one row."""
    if inputs.ndim == 3:
        return inputs
    before = [step.output for step in steps[: next(number for number, step in enumerate(steps) if step.name == layer)]]
    maps = next((output for output in reversed(before) if output.ndim == 4), image)
    flat = all(output.shape[1] == inputs.numel() for output in before if output.ndim == 2)
    return inputs.reshape(maps.shape[1:] if flat and maps[0].numel() == inputs.numel() else (1, 1, -1))


@contextlib.contextmanager
def switched_off(subject: Subject, units: Mapping[str, Sequence[int]]) -> Iterator[nn.Module]:
    """The network while some of its units, or channels, give nothing but zeros: what did they do for the answer?

    Args:
        subject: a run or any network; it must not be used by others meanwhile.
        units: for the name of a layer, as `activations` has it, numbers from 0.

    Raises:
        UsageError: there is no such layer or unit.
    """
    model = network(subject)
    hooks = [find_layer(model, layer).register_forward_hook(_silencer(layer, list(which))) for layer, which in units.items()]
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()


def _silencer(layer: str, units: list[int]) -> Any:
    def silence(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        if not all(0 <= unit < output.shape[1] for unit in units):
            raise UsageError(f"Layer '{layer}' has the units 0 to {output.shape[1] - 1}.")
        silent = output.clone()
        silent[:, torch.tensor(units, dtype=torch.int64)] = 0
        return silent

    return silence
