"""Suspected label errors: networks judge training images that they have not learned from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from handlens import metrics, models, seeds
from handlens.config import Config
from handlens.data import Dataset, Split
from handlens.errors import UsageError
from handlens.plan import plan
from handlens.train import train
from handlens.training import trying

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Suspect:
    """A label that is probably wrong.

    Attributes:
        index: the place of the image among those that were looked at.
        label: what it was called.
        suggested: what the network calls it.
        probability: how sure the network is of that, 0 to 1.
    """

    index: int
    label: str
    suggested: str
    probability: float


@dataclass(frozen=True, eq=False)
class LabelIssues:
    """Labels that are probably wrong.

    Attributes:
        split: the images that were looked at, N of them.
        probabilities: N,K: what a network says to each that has not learned from it.
        suspects: M places in the split, the most suspicious first.
    """

    split: Split
    probabilities: NDArray[np.float64]
    suspects: NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """The share of images on which the networks agree with the label."""
        return metrics.accuracy(self.split.labels.cpu().numpy(), self.probabilities.argmax(axis=1))

    def top(self, count: int | None = None) -> list[Suspect]:
        """The most suspicious labels, the worst first; all of them if `count` is None."""
        chosen = self.suspects[:count].tolist()
        names, labels, predictions = self.split.classes, self.split.labels.tolist(), self.probabilities.argmax(axis=1)
        return [Suspect(i, names[labels[i]], names[predictions[i]], float(self.probabilities[i].max())) for i in chosen]

    def plot(self, count: int = 25) -> Figure:
        """The most suspicious images with their label and the suggested one."""
        from handlens import plots

        found = self.top(count)
        images = self.split.images[[one.index for one in found]].cpu().numpy()
        return plots.plot_suspects(
            images, [one.label for one in found], [one.suggested for one in found], [one.probability for one in found]
        )

    def to_dict(self, count: int | None = None) -> dict[str, Any]:
        """As JSON."""
        return {
            "n": len(self.split),
            "suspects": len(self.suspects),
            "share": len(self.suspects) / len(self.split),
            "cross_validated_accuracy": self.accuracy,
            "top": [vars(one) for one in self.top(count)],
        }


def find_label_issues(
    split: Split,
    config: Config,
    *,
    folds: int = 3,
    model: nn.Module | None = None,
    tell: Callable[[int], None] = lambda _fold: None,
) -> LabelIssues:
    """Suspect labels by confident learning on cross-validated probabilities.

    Source: Northcutt, Jiang and Chuang 2021, "Confident Learning"; see `metrics.find_label_issues`. A suspect is to be looked at by a
    person: many are images that are hard, and rightly labelled.

    Args:
        split: images that may have wrong labels.
        config: the network and how each of its copies is trained.
        folds: how many parts; each is judged by a network that was trained on the others.
        model: a network with its first weights, to be copied; None makes the config's.
        tell: is told the number of each fold, from 1, before it is trained.

    Raises:
        UsageError: fewer than two folds, or fewer images of a class than folds.
        ModelError, TrainingError: the network does not fit the images, or fails on them.
    """
    shares = np.zeros((len(split), len(split.classes)))
    for number, (learned, judged) in enumerate(_parts(split, folds), start=1):
        tell(number)
        network = _trained(split.subset(learned, "train"), config, model)
        shares[judged.numpy()] = metrics.probabilities(models.predict_logits(network, split.images[judged]).numpy())
    return LabelIssues(split, shares, metrics.find_label_issues(split.labels.cpu().numpy(), shares))


def _parts(split: Split, folds: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Which images are learned from and which are judged, fold by fold; each class is spread evenly over the folds."""
    rarest = min(number for number in split.counts if number) if len(split) else 0
    if folds < 2 or rarest < folds:
        raise UsageError(
            f"{len(split):,} images, {rarest:,} of the rarest class, cannot be put into {folds} folds.",
            hint="There must be two folds or more, and in each an image of each class: fewer folds, or more examples.",
        )
    labels = split.labels.cpu()
    order = torch.randperm(len(labels), generator=seeds.generator("folds"))
    fold = torch.empty(len(labels), dtype=torch.int64)
    for label in labels.unique():
        mine = order[labels[order] == label]
        fold[mine] = torch.arange(len(mine)) % folds
    for number in range(folds):
        yield (fold != number).nonzero().flatten(), (fold == number).nonzero().flatten()


def _trained(split: Split, config: Config, model: nn.Module | None) -> nn.Module:
    empty = split.subset(torch.arange(0))
    dataset = Dataset("folds", split, empty.named("val"), empty.named("test"))
    alone = config.model_copy(update={"patience": 0, "examples": 0, "val": 0.0})
    planned = plan(alone, None if model is None else models.copied(model), dataset)
    state = planned.state()
    with trying(planned):
        for _row in train(state, planned.loader, epochs=config.epochs):
            pass
    return state.network.cpu()
