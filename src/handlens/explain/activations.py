"""What each layer makes of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import nn

from handlens.errors import UsageError, nearest
from handlens.explain.subject import Images, Subject, float_images, network
from handlens.explain.trace import Step, trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHANGE_NOTHING = (nn.Identity, nn.Flatten, nn.Unflatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d)
_CHANGE_NOTHING_KINDS = ("flatten", "view", "reshape", "dropout", "squeeze", "unsqueeze", "getitem")


@dataclass(frozen=True, eq=False)
class Activations:
    """What each layer gave for some images, in the order of use.

    Attributes:
        images: `float32` N,C,H,W in [0, 1].
        layers: by the layer's name what came out of it: `float32` N,... A function such as `relu` that a forward calls by itself is a
            layer here; what only reshapes, and dropout, which does nothing in use, are left out.
        kinds: by the layer's name its class.
    """

    images: NDArray[np.float32]
    layers: dict[str, NDArray[np.float32]]
    kinds: dict[str, str]

    def of(self, layer: str) -> NDArray[np.float32]:
        """What came out of one layer.

        Raises:
            UsageError: there is no such layer.
        """
        if layer not in self.layers:
            raise UsageError(f"There is no layer '{layer}' that changes the image.", hint=nearest(layer, self.layers))
        return self.layers[layer]

    @property
    def first_map(self) -> str:
        """The name of the first layer that gives maps; of the first one at all if none does."""
        return next((name for name, values in self.layers.items() if values.ndim == 4), next(iter(self.layers)))

    def show(self, index: int = 0) -> Figure:
        """All layers for one of the images."""
        from handlens import plots

        titles = {name: f"{name}  {kind}" if kind.lower() != name.partition("#")[0] else name for name, kind in self.kinds.items()}
        return plots.plot_activations(self.images[index], {titles[name]: values[index] for name, values in self.layers.items()})

    def show_features(self, layer: str, index: int = 0) -> Figure:
        """All maps, or all units, of one layer for one of the images."""
        from handlens import plots

        return plots.plot_features(self.images[index], self.of(layer)[index], f"{layer}  {self.kinds[layer]}")


def activations(subject: Subject, images: Images) -> Activations:
    """What each layer of a network gives for images.

    Args:
        subject: a run or any network.
        images: as for `float_images`; all are kept for all layers, so only some.

    Raises:
        UsageError: images of another shape, or the network has no layer.
        ModelError: the network does not accept them.
    """
    batch = float_images(images)
    steps = [step for step in trace(network(subject), batch) if _changes(step)]
    if not steps:
        raise UsageError("The network has no layer that changes the image.")
    layers = {step.name: step.output.float().cpu().numpy() for step in steps}
    return Activations(batch.cpu().numpy(), layers, {step.name: step.kind for step in steps})


def _changes(step: Step) -> bool:
    return step.output.ndim in (2, 4) and not isinstance(step.module, _CHANGE_NOTHING) and step.kind not in _CHANGE_NOTHING_KINDS
