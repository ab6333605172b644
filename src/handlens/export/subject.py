"""What is exported: a run's network with its preparation inside, what the file says about itself, and the images it is judged by."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import __version__, models, seeds
from handlens.errors import HandlensError
from handlens.export.card import make_card
from handlens.export.parcel import shared
from handlens.export.steps import describe
from handlens.runs import Run, preparation_of

MOST_IMAGES = 10_000
_NOISE = 64
_ROUNDED = 500
_LIT = 0.1  # of its pixels, so that logits stay as large as those of pictures


class Raw(nn.Module):
    """A network that takes pixels as they are in pictures, `uint8` N,C,H,W from 0 to 255, and returns logits N,K."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Logits of raw images."""
        logits: Tensor = self.network(images.float() / 255)
        return logits


@dataclass(frozen=True, eq=False)
class Subject:
    """A run that is being exported.

    Attributes:
        run: the run.
        card: its model card; made of it, or empty where only a file is checked.
    """

    run: Run
    card: str = ""

    @classmethod
    def of(cls, run: Run) -> Subject:
        """The subject with its card, for which the run is measured."""
        return cls(run, make_card(run))

    @cached_property
    def network(self) -> nn.Module:
        """As the run uses it, in the mode of use."""
        return self.run.model().eval().requires_grad_(False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its outputs."""
        return self.run.about.classes

    @property
    def facts(self) -> dict[str, Any]:
        """What every file says about itself, as JSON."""
        run = self.run
        return {
            "handlens": __version__,
            "name": run.name,
            "classes": list(self.classes),
            "input": f"uint8 N,{','.join(map(str, run.about.image_shape))}: raw pixels from 0 to 255",
            "output": f"float32 N,{len(self.classes)}: logits, of which softmax makes probabilities",
            "preparation": _PREPARATION[preparation_of(run.config, run.about).ink],
            "config": shared(run.config).model_dump(),
            "weights_sha256": run.pointer.entry(run.default_checkpoint).sha256,
        }

    @cached_property
    def texts(self) -> dict[str, str]:
        """The same for formats that keep texts by name."""
        said = {"classes": json.dumps(list(self.classes)), "handlens.json": json.dumps(self.facts)}
        return said | {"card.md": self.card} if self.card else said

    @cached_property
    def example(self) -> Tensor:
        """Two images, to follow the network's way with."""
        return self.images[:2].clone()  # a part of a large tensor would be saved with all of it

    @cached_property
    def described(self) -> dict[str, Any]:
        """What a program without PyTorch answers by: classes, the shape of an image, and the steps of the network with their weights.

        Raises:
            ModelError: it does something that a step cannot.
        """
        shape = list(self.run.about.image_shape)
        return {"classes": list(self.classes), "shape": shape, **describe(self.network, self.example[:1])}

    @cached_property
    def images(self) -> Tensor:
        """What it is judged by, `uint8` N,C,H,W: at most 10,000 test images, and a few of noise, which light every pixel."""
        generator, shape = seeds.generator("export"), (_NOISE, *self.run.about.image_shape)
        lit = torch.rand(shape, generator=generator) < _LIT
        noise = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) * lit
        found = self._test_images()
        chosen = torch.arange(min(MOST_IMAGES, len(found))) * len(found) // max(1, min(MOST_IMAGES, len(found)))
        return torch.cat([found[chosen].cpu(), noise])

    def _test_images(self) -> Tensor:
        with contextlib.suppress(HandlensError):  # data of the user's own that is not given again
            found = self.run.split("test").images
            if len(found) and found.dtype == torch.uint8:
                return found
        return torch.zeros(0, *self.run.about.image_shape, dtype=torch.uint8)

    @cached_property
    def logits(self) -> NDArray[np.float32]:
        """What the run itself says of these images, N,K."""
        return models.predict_logits(self.network, self.images).numpy()

    @cached_property
    def rounding(self) -> float:
        """How far its logits are, at most, from those that float64 gives on some of the images; 0 if the network cannot compute so."""
        some = self.images[:: 1 + len(self.images) // _ROUNDED]
        with contextlib.suppress(RuntimeError), torch.no_grad():  # a network of one's own may insist on float32
            exact = models.copied(self.network).double()(models.to_float(some).double())
            return float((models.predict_logits(self.network, some) - exact).abs().max())
        return 0.0


_PREPARATION = {
    True: "Pixels as MNIST has them: white ink on black, its longer side 20 of 28 pixels, its centre of mass in the middle. "
    "From a photo or strokes to there leads handlens.data.drawing.normalize; it is not in this file, since it looks for connected ink.",
    False: "The middle square of a picture, scaled to the network's size.",
}
