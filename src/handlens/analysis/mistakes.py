"""Mistakes in groups: pairs of classes, and clusters of mistakes that look alike to the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from handlens import metrics, models
from handlens.errors import UsageError
from handlens.evaluation import ConfusedPair, Evaluation
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Cluster:
    """Mistakes that are alike.

    Attributes:
        indices: M, their places in the split, those nearest to the middle of the cluster first.
        pairs: what was taken for what, most often first.
    """

    indices: NDArray[np.int64]
    pairs: tuple[ConfusedPair, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"n": len(self.indices), "pairs": [vars(pair) for pair in self.pairs], "indices": self.indices.tolist()}


def cluster_mistakes(evaluation: Evaluation, model: nn.Module | None = None, count: int = 6) -> list[Cluster]:
    """The mistakes in groups that look alike, the largest first: k-means on what the network's last layer is given.

    Args:
        evaluation: of the network.
        model: the network; None groups by pixels instead.
        count: how many groups, at most one a mistake.

    Raises:
        UsageError: there are no mistakes, or `count` is below 1.
        ModelError: see `models.features`.
    """
    wrong = np.flatnonzero(~evaluation.correct)
    if not wrong.size or count < 1:
        raise UsageError("There are no mistakes to put into groups." if not wrong.size else f"{count} groups cannot be made.")
    images = torch.from_numpy(evaluation.images[wrong])
    points = (models.features(model, images)[0] if model else models.to_float(images).flatten(1)).numpy()
    found = metrics.k_means(points, min(count, len(wrong)))
    distance = np.linalg.norm(points - found.centres[found.members], axis=1)
    order = np.argsort(distance, kind="stable")
    return [_cluster(evaluation, wrong[order[found.members[order] == number]]) for number in range(len(found.centres))]


def _cluster(evaluation: Evaluation, indices: NDArray[np.int64]) -> Cluster:
    names = evaluation.classes
    pairs = Counter(zip(evaluation.labels[indices].tolist(), evaluation.predictions[indices].tolist(), strict=True))
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return Cluster(indices, tuple(ConfusedPair(names[true], names[predicted], number) for (true, predicted), number in ordered))


def plot_clusters(evaluation: Evaluation, clusters: Sequence[Cluster], count: int = 10) -> Figure:
    """A row of images for each cluster: the mean of all of it, then those nearest to its middle."""
    from handlens import plots

    rows = []
    for cluster in clusters:
        chosen = evaluation.select(cluster.indices[:count])
        mean = evaluation.images[cluster.indices].mean(axis=0, keepdims=True).round().astype(np.uint8)
        captions = ["mean", *_taken_for(chosen.true, chosen.predicted)]
        rows.append(
            plots.ImageRow(counted(len(cluster.indices), "mistake"), _commonest(cluster), np.concatenate([mean, chosen.images]), captions)
        )
    return plots.plot_rows(rows, "Mistakes that look alike to the network", "below each image: its label, then the answer")


def _commonest(cluster: Cluster) -> str:
    return ", ".join(f"{pair.count}× {pair.true} → {pair.predicted}" for pair in cluster.pairs[:3])


def _taken_for(true: Sequence[str], predicted: Sequence[str]) -> list[str]:
    return [f"{label} → {answer}" for label, answer in zip(true, predicted, strict=True)]


def plot_confused(evaluation: Evaluation, pairs: Sequence[ConfusedPair], count: int = 10) -> Figure:
    """A row of images for each pair of classes, the most wrong ones first.

    Raises:
        UsageError: there are no pairs.
    """
    from handlens import plots
    from handlens.plots.style import percent

    rows = []
    for pair in pairs:
        chosen = evaluation.confused(pair.true, pair.predicted, count)
        heading = f"{pair.true} taken for {pair.predicted}"
        captions = [percent(share) for share in chosen.probabilities]
        rows.append(plots.ImageRow(heading, counted(pair.count, "mistake"), chosen.images, captions))
    return plots.plot_rows(rows, "Most confused pairs", "below each image: how sure the network was of its wrong answer; most wrong first")
