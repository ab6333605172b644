"""What a network says of a picture that somebody gives it: prepared as its training images were, with every step on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from handlens.data import drawing
from handlens.errors import UsageError
from handlens.models import predict_logits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handlens.data.drawing import Normalized


@dataclass(frozen=True)
class Preparation:
    """What has to be done with a picture before a network can read it.

    Attributes:
        image_shape: channels, height, width that the network takes.
        ink: find the ink first, and scale and centre it as MNIST's; else the middle of the picture is taken.
    """

    image_shape: tuple[int, ...]
    ink: bool

    def prepare(self, picture: object) -> tuple[NDArray[np.uint8], Normalized | None]:
        """A picture as the network takes it, `uint8` C,H,W; and how its ink was found, if that was asked for.

        Raises:
            DataMissing, DataDamaged: there is no such file, or it is no picture.
        """
        if self.ink:
            seen = drawing.normalize(picture)
            return self.fitted(seen), seen
        from PIL import Image, ImageOps

        channels, height, width = self.image_shape
        pixels = drawing.read(picture, 2 * max(height, width)).pixels
        fitted = ImageOps.fit(Image.fromarray(pixels).convert("L" if channels == 1 else "RGB"), (width, height), Image.Resampling.BILINEAR)
        return np.atleast_3d(np.asarray(fitted)).transpose(2, 0, 1).copy(), None

    def fitted(self, seen: Normalized) -> NDArray[np.uint8]:
        """Ink of 28x28 in the size and the channels of the network."""
        from PIL import Image

        channels, height, width = self.image_shape
        image = Image.fromarray(seen.image)
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        return np.repeat(np.asarray(image)[None], channels, axis=0)


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """What a network says of a picture.

    Attributes:
        label: the likeliest class; empty if there is too little ink to judge.
        probability: of that class, as the network sees it.
        probabilities: of every class; none if there is too little ink.
        doubt: why the answer should not be trusted, in words; usually nothing.
        image: what the network got, `uint8` C,H,W.
        seen: how the ink was found; None for a network of photographs.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    doubt: str
    image: NDArray[np.uint8]
    seen: Normalized | None = field(default=None)

    @property
    def second(self) -> tuple[str, float]:
        """The second guess, and its probability."""
        ordered = sorted(self.probabilities.items(), key=lambda pair: -pair[1])
        return ordered[1] if len(ordered) > 1 else ("", 0.0)

    @property
    def answer(self) -> str:
        """The answer and the second guess in words; empty if there is too little ink."""
        if not self.label:
            return ""
        other, probability = self.second
        return f"{self.label}, {self.probability:.1%}" + (f"; second guess {other}, {probability:.1%}" if other else "")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        found = {"label": self.label, "probability": self.probability, "probabilities": self.probabilities, "doubt": self.doubt}
        box = self.seen.box if self.seen else None
        return {**found, "box": [round(side, 1) for side in box]} if box else found

    def show(self) -> Figure:
        """Each step from the picture to the answer."""
        from handlens import plots

        stages = [(stage.name, stage.said, stage.picture) for stage in self.seen.stages] if self.seen else []
        return plots.plot_prediction(stages or [("what the network sees", "", self.image)], self.probabilities, self.doubt)

    def __repr__(self) -> str:
        return f"Prediction({'; '.join(filter(None, (self.doubt, self.answer)))})"


def predict(model: nn.Module, classes: Sequence[str], preparation: Preparation, picture: object) -> Prediction:
    """Ask a network about one picture.

    Args:
        model: the network.
        classes: the names of its outputs.
        preparation: what it needs.
        picture: a path, the bytes of a file, an array, or strokes; see `handlens.data.drawing.normalize`.

    Raises:
        DataMissing, DataDamaged: there is no such file, or it is no picture.
        UsageError: it is no picture at all.
    """
    image, seen = preparation.prepare(picture)
    return _ask(model, classes, [image], [seen])[0]


def predict_sheet(model: nn.Module, classes: Sequence[str], preparation: Preparation, picture: object) -> list[Prediction]:
    """Ask a network about each digit on a sheet, row by row, from left to right; see `predict`.

    Raises:
        UsageError: the network is not one for ink.
    """
    if not preparation.ink:
        raise UsageError("Only digits can be found on a sheet, and this network has learned from other pictures.")
    found = drawing.segment(picture)
    return _ask(model, classes, [preparation.fitted(seen) for seen in found], found) if found else []


def _ask(
    model: nn.Module, classes: Sequence[str], images: Sequence[NDArray[np.uint8]], found: Sequence[Normalized | None]
) -> list[Prediction]:
    shares = predict_logits(model, torch.from_numpy(np.stack(images))).softmax(1)
    answers = []
    for image, row, seen in zip(images, shares.tolist(), found, strict=True):
        doubt = seen.doubt if seen else ""
        probabilities = {} if doubt == drawing.TOO_LITTLE else dict(zip(classes, row, strict=True))
        label = max(probabilities, key=probabilities.__getitem__, default="")
        answers.append(Prediction(label, probabilities.get(label, 0.0), probabilities, doubt, image, seen))
    return answers
