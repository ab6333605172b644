"""The weights of a layer as pictures: what a unit looks for in the image, and what a filter looks for at each place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from handlens.errors import UsageError
from handlens.explain.subject import Subject, find_layer, image_shape, network
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of one layer, as pictures.

    Attributes:
        layer: its name in the network.
        values: `float32` N,C,H,W: one picture for each of N units or filters. C is 1 where the mean over the input channels was taken.
        input_channels: of how many channels.
    """

    layer: str
    values: NDArray[np.float32]
    input_channels: int

    def show(self) -> Figure:
        """All pictures on one colour scale with zero in the middle."""
        from handlens import plots

        return plots.plot_filters(self.values, self.layer, self.input_channels)

    def __repr__(self) -> str:
        count, _, height, width = self.values.shape
        return f"Weights({self.layer}: {counted(count, 'picture')} {height}x{width} of {counted(self.input_channels, 'channel')})"


def weights(subject: Subject, shape: Sequence[int] | None = None) -> Weights:
    """The weights of the first linear layer, laid out as the image that they are multiplied with.

    Args:
        subject: a run or any network.
        shape: channels, height, width of the images; the run's own, or those of MNIST, if None.

    Raises:
        UsageError: the network has no linear layer that sees the pixels themselves.
    """
    shape = image_shape(subject, shape)
    model = network(subject)
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            break  # what comes after it sees its maps, not pixels
        if isinstance(module, nn.Linear) and module.in_features == math.prod(shape):
            values = module.weight.detach().float().cpu().numpy().reshape(-1, *shape)
            return Weights(name or type(module).__name__, values, shape[0])
    raise UsageError(
        f"{type(model).__name__} has no linear layer whose inputs are the {math.prod(shape)} numbers of an image.",
        hint="Of a network with convolutions see the filters: handlens explain RUN --what filters",
    )


def filters(subject: Subject, layer: str | None = None) -> Weights:
    """The filters of a convolution: of the first one as they are if it sees 1 or 3 channels, else their mean over the input channels.

    Args:
        subject: a run or any network.
        layer: the name of the convolution; the first one if None.

    Raises:
        UsageError: there is no such layer, it is no convolution, or the network has none.
    """
    model = network(subject)
    name, module = (layer, find_layer(model, layer)) if layer else _first_convolution(model)
    if not isinstance(module, nn.Conv2d):
        raise UsageError(f"Layer '{name}' is a {type(module).__name__}, not a convolution.", hint=_convolutions(model))
    values = module.weight.detach().float().cpu().numpy()
    channels = values.shape[1]
    return Weights(name, values if channels in (1, 3) else values.mean(axis=1, keepdims=True), channels)


def _first_convolution(model: nn.Module) -> tuple[str, nn.Module]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return name or type(module).__name__, module
    raise UsageError(
        f"{type(model).__name__} has no convolution, so it has no filters.",
        hint="See the weights of its first layer: handlens explain RUN --what weights",
    )


def _convolutions(model: nn.Module) -> str:
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    return f"Its convolutions: {', '.join(names)}." if names else "It has none."
