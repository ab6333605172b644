"""The images as the last layer sees them, laid out on a plane: what is near is alike to the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from handlens import models
from handlens.data import Split
from handlens.errors import TrainingError, UsageError, nearest
from handlens.explain.subject import Images, Subject, float_images, network

if TYPE_CHECKING:
    from handlens.plots import Picture, Theme

METHODS = ("pca", "tsne")
_FEWEST = 3
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Embedding:
    """Images on a plane.

    Attributes:
        points: `float64` N,2.
        labels, predictions: `int64` N.
        classes: the name of each class.
        images: `uint8` N,C,H,W.
        method: `pca` or `tsne`.
        layer: whose inputs were laid out.
        explained: of PCA the share of the variance along each axis; empty for t-SNE, whose axes mean nothing.
    """

    points: NDArray[np.float64]
    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    method: str
    layer: str
    explained: tuple[float, ...] = ()

    @property
    def mistakes(self) -> NDArray[np.int64]:
        """The places of the images whose prediction is wrong."""
        return np.flatnonzero(self.labels != self.predictions)

    def show(self, theme: Theme | None = None) -> Picture:
        """The points, coloured by class, with the mistakes marked."""
        from handlens import plots

        return plots.plot_embedding(self.points, self.labels, self.predictions, self.classes, self.axes, theme or plots.LIGHT)

    @property
    def axes(self) -> tuple[str, str]:
        """What the axes are called."""
        if not self.explained:
            return "t-SNE 1 (no unit)", "t-SNE 2 (no unit)"
        first, second = (f"component {number} ({share * 100:.0f} % of the variance)" for number, share in enumerate(self.explained, 1))
        return first, second


def features(subject: Subject, images: Images) -> tuple[NDArray[np.float32], str]:
    """What goes into the last layer for each image: `float32` N,F; and that layer's name (`models.features`).

    Raises:
        UsageError: images of another shape.
        ModelError: the network has no layer with weights, or does not accept the images.
        TrainingError: they are infinite or not a number.
    """
    found, name = models.features(network(subject), float_images(images))
    if not found.isfinite().all():
        raise TrainingError(f"What goes into {name} is infinite or not a number.", hint="Train again, with a smaller --lr.")
    return found.numpy(), name


def embedding(subject: Subject, split: Split, method: str = "pca", *, count: int = 1000) -> Embedding:
    """Lay the first images of a split out on a plane, by the features before the last layer.

    Args:
        subject: a run or any network.
        split: the images.
        method: `pca`, the two directions in which the features differ most (Pearson 1901); or `tsne`, which keeps neighbours near
            each other but neither distances nor sizes of groups (van der Maaten and Hinton 2008).
        count: how many images at most.

    Raises:
        UsageError: another method, or fewer than 3 images.
        ModelError: as for `features`.
    """
    if method not in METHODS:
        raise UsageError(f"There is no embedding '{method}'.", hint=nearest(method, METHODS))
    some = split.subset(torch.arange(min(count, len(split))))
    if len(some) < _FEWEST:
        raise UsageError(f"{len(some)} images cannot be laid out.", hint=f"Give at least {_FEWEST}.")
    model = network(subject)
    found, layer = features(model, some.images)
    predictions = models.predict_logits(model, some.images).argmax(1).numpy()
    points, explained = pca(found) if method == "pca" else (tsne(found), ())
    images = some.images.cpu().numpy()
    return Embedding(points, some.labels.cpu().numpy(), predictions, split.classes, images, method, layer, explained)


def pca(found: NDArray[Any]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Features N,F projected on the two directions in which they differ most: N,2; and the share of the variance along each.

    The sign of a direction says nothing; it is chosen so that the largest of its numbers is above zero.
    """
    centred = found.astype(np.float64) - found.mean(axis=0)
    left, sizes, directions = np.linalg.svd(centred, full_matrices=False)
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1)[:, 0]
    points = np.zeros((len(found), 2))
    flat = (left * sizes * np.where(largest < 0, -1, 1))[:, :2]
    points[:, : flat.shape[1]] = flat
    shares = [*(sizes**2 / max(float((sizes**2).sum()), 1e-30)), 0.0]
    return points, (float(shares[0]), float(shares[1]))


def tsne(found: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """Features N,F to N,2 so that neighbours stay neighbours; begun from PCA, so that the same features give the same picture."""
    from sklearn.manifold import TSNE

    start, _ = pca(found)
    spread = float(start[:, 0].std())
    if spread <= _SAME * max(1.0, float(np.abs(found).max())):
        return start  # a network that says the same to every image: there are no neighbours
    near = (start / spread * 1e-4).astype(np.float32)  # as scikit-learn scales it
    made = TSNE(perplexity=min(30.0, (len(found) - 1) / 3), init=near, random_state=seed).fit_transform(found)
    return np.asarray(made, dtype=np.float64)
