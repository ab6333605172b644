"""Whether a network can learn: units that are dead, and weights and gradients layer by layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import models
from handlens.data import Split
from handlens.errors import UsageError
from handlens.explain.subject import Subject, network
from handlens.explain.trace import trace
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BATCH = 100
_BINS = 41
_MANY_DEAD = 0.2
_VANISHED = 1e-3


@dataclass(frozen=True)
class DeadUnits:
    """Of one ReLU: how many units (channels, where it gives maps) there are, and how many were 0 for each of the images."""

    layer: str
    units: int
    dead: int

    @property
    def share(self) -> float:
        """The share that is dead."""
        return self.dead / self.units


@dataclass(frozen=True, eq=False)
class LayerHealth:
    """The weights of one layer and the gradients of the loss by them, without biases.

    Attributes:
        layer: its name.
        weights, gradients: counts of 41 equal bins from `-limit` to `limit`; what is infinite or no number is in none.
        weight_limit, gradient_limit: where the bins end: at the largest absolute value.
        weight_rms, gradient_rms: root of the mean square.
    """

    layer: str
    weights: NDArray[np.int64]
    gradients: NDArray[np.int64]
    weight_limit: float
    gradient_limit: float
    weight_rms: float
    gradient_rms: float


@dataclass(frozen=True)
class Health:
    """What was found: `dead` for each ReLU, `layers` for each layer with weights, on so many images of the split."""

    dead: tuple[DeadUnits, ...]
    layers: tuple[LayerHealth, ...]
    images: int
    batch: int

    @property
    def findings(self) -> list[str]:
        """What stands out, in sentences; never empty."""
        return [*_about_gradients(self.layers), *_about_dead(self.dead)] or ["Nothing stands out."]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each layer with weights or ReLU, for tables and JSON."""
        rows: list[dict[str, Any]] = [
            {"layer": one.layer, "weight_rms": one.weight_rms, "gradient_rms": one.gradient_rms, "units": None, "dead": None}
            for one in self.layers
        ]
        empty = {"weight_rms": None, "gradient_rms": None}
        return rows + [{"layer": one.layer, **empty, "units": one.units, "dead": one.dead} for one in self.dead]

    def show(self) -> Figure:
        """Dead units, and the histograms of weights and gradients."""
        from handlens import plots

        return plots.plot_health(self.layers, [(one.layer, one.share, one.units) for one in self.dead], self.images)


def health(subject: Subject, split: Split, *, count: int = 1000, batch: int = 100) -> Health:
    """Examine a network on the first images of a split.

    Args:
        subject: a run or any network; neither its weights nor its gradients are changed.
        split: the images with their labels.
        count: for so many images at most it is seen which units are dead.
        batch: of so many images is the gradient; with the layers as in use: no dropout, batch norm with its stored means.

    Raises:
        UsageError: there is no image, or no layer with weights that learn.
        ModelError: the network does not accept the images.
    """
    model, some = network(subject), split.images[:count]
    if len(some) == 0 or batch < 1:
        raise UsageError("There is no image to examine the network on.")
    dead = _dead_units(model, some)
    return Health(tuple(dead), tuple(_layers(model, split.images[:batch], split.labels[:batch])), len(some), min(batch, len(split)))


def _dead_units(model: nn.Module, images: Tensor) -> list[DeadUnits]:
    alive: dict[str, Tensor] = {}
    for some in images.split(_BATCH):
        for step in trace(model, models.to_float(some)):
            if step.is_relu:
                found = (step.output.flatten(2) if step.output.ndim > 2 else step.output[:, :, None]).ne(0).any(2).any(0)
                alive[step.name] = alive[step.name] | found if step.name in alive else found
    return [DeadUnits(name, found.numel(), int((~found).sum())) for name, found in alive.items()]


def _layers(model: nn.Module, images: Tensor, labels: Tensor) -> list[LayerHealth]:
    named = {name: weights for name, weights in model.named_parameters() if weights.ndim > 1 and weights.requires_grad}
    if not named:
        raise UsageError("The network has no layer with weights that learn.")
    models.predict_logits(model, images[:1])  # says in words what does not fit
    where = models.device_of(model)
    with models.evaluating(model), torch.enable_grad():
        loss = torch.nn.functional.cross_entropy(model(models.to_float(images.to(where))), labels.to(where))
        gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    pairs = zip(named.items(), gradients, strict=True)
    return [_layer_health(name.removesuffix(".weight"), weights, gradient) for (name, weights), gradient in pairs]


def _layer_health(name: str, weights: Tensor, gradient: Tensor | None) -> LayerHealth:
    values = [tensor.detach().double().cpu().flatten().numpy() for tensor in (weights, torch.zeros(1) if gradient is None else gradient)]
    finite = [some[np.isfinite(some)] for some in values]
    limits = [float(np.abs(some).max(initial=0)) for some in finite]
    counts = [np.histogram(some, bins=_BINS, range=(-limit or -1, limit or 1))[0] for some, limit in zip(finite, limits, strict=True)]
    rms = [float(np.sqrt((some**2).mean())) for some in values]
    return LayerHealth(name, counts[0], counts[1], limits[0], limits[1], rms[0], rms[1])


def _about_dead(dead: tuple[DeadUnits, ...]) -> list[str]:
    many = [one for one in dead if one.share >= _MANY_DEAD]
    return [
        f"Of {one.units} units behind {one.layer} {counted(one.dead, 'is', 'are')} dead: 0 for every image, no help, and no learning. "
        "A smaller learning rate or another start keeps more alive."
        for one in many
    ]


def _about_gradients(layers: tuple[LayerHealth, ...]) -> list[str]:
    if not all(math.isfinite(one.gradient_rms) and math.isfinite(one.weight_rms) for one in layers):
        return ["A weight or a gradient is infinite or not a number: the training has exploded. A smaller learning rate helps."]
    first, last = layers[0], layers[-1]
    if last.gradient_rms == 0:
        return ["The gradient is 0: every image of the batch is right and sure, or the loss does not depend on the weights."]
    ratio = first.gradient_rms / last.gradient_rms
    words = f"The gradients of {first.layer}, the first layer, are {_times(ratio)} those of {last.layer}, the last"
    if ratio < _VANISHED:
        return [f"{words}: they vanish on their way back, and the first layers hardly learn. ReLU, batch norm or residual blocks help."]
    if ratio > 1 / _VANISHED:
        return [f"{words}: they explode on their way back. A smaller start, batch norm or a smaller learning rate help."]
    return []


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if ratio else "nothing beside"
