"""What a network scored: its logits on a split, computed once; every number and every view reads them."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from handlens import files, metrics, models
from handlens.data import Split
from handlens.errors import ModelError, UsageError
from handlens.metrics import Calibration, ClassScore

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ConfusedPair:
    """How often images of one class were taken for another."""

    true: str
    predicted: str
    count: int


@dataclass(frozen=True, repr=False)
class Evaluation:
    """A network's logits on a split, and all that follows from them.

    Attributes:
        logits: `float32` N,K.
        labels: `int64` N.
        classes: K names.
        images: `uint8` N,C,H,W.
        split: `train`, `val`, `test`, or the user's name for it.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    split: str

    @classmethod
    def measure(cls, model: nn.Module, split: Split) -> Evaluation:
        """Send a split through a network, once.

        Raises:
            UsageError: the split is empty.
            ModelError: the network does not fit the images or the classes, or its logits are not numbers.
        """
        if len(split) == 0:
            raise UsageError(f"There are no {split.name} images to measure on.")
        logits = models.predict_logits(model, split.images).numpy()
        if logits.shape != (len(split), len(split.classes)):
            raise ModelError(
                f"The network has {logits.shape[-1]} outputs, but the {split.name} images are of {len(split.classes)} classes."
            )
        if not np.isfinite(logits).all():
            raise ModelError(f"The network's logits on the {split.name} images are infinite or not a number: it cannot be measured.")
        return cls(logits, split.labels.cpu().numpy(), split.classes, split.images.cpu().numpy(), split.name)

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.labels)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """N,K: softmax of the logits."""
        return metrics.probabilities(self.logits)

    @cached_property
    def predictions(self) -> NDArray[np.int64]:
        """N: the class with the highest logit."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """N: cross-entropy of each image."""
        return metrics.cross_entropy(self.logits, self.labels)

    @cached_property
    def confusion_matrix(self) -> NDArray[np.int64]:
        """K,K counts: rows are the true classes, columns the predicted ones."""
        return metrics.confusion_matrix(self.labels, self.predictions, len(self.classes))

    @cached_property
    def calibration(self) -> Calibration:
        """How far the probabilities can be believed."""
        return metrics.calibration(self.probabilities, self.labels)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """N: whether the prediction is the label."""
        return self.predictions == self.labels

    @property
    def accuracy(self) -> float:
        """Share of images that are right."""
        return metrics.accuracy(self.labels, self.predictions)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on all such images lies with 95 % confidence (Wilson 1927)."""
        return metrics.accuracy_interval(int(self.correct.sum()), self.n)

    @property
    def loss(self) -> float:
        """Mean cross-entropy."""
        return float(self.losses.mean())

    @property
    def ece(self) -> float:
        """Expected calibration error (Guo et al. 2017)."""
        return self.calibration.ece

    @property
    def per_class(self) -> list[ClassScore]:
        """Precision, recall, F1 and number of images of each class, in the order of `classes`."""
        return metrics.per_class(self.confusion_matrix)

    def most_confused(self, count: int = 5) -> list[ConfusedPair]:
        """The pairs of classes that are most often taken for each other, most often first."""
        pairs = metrics.most_confused(self.confusion_matrix, count)
        return [ConfusedPair(self.classes[true], self.classes[predicted], number) for true, predicted, number in pairs]

    def top_losses(self, count: int = 9) -> Selection:
        """The images that it is most wrong about, worst first."""
        return Selection(self, np.argsort(-self.losses, kind="stable")[:count])

    def mistakes(self, count: int | None = None) -> Selection:
        """The images whose prediction is wrong, worst first; all of them if `count` is None."""
        worst = np.argsort(-self.losses, kind="stable")
        return Selection(self, worst[~self.correct[worst]][:count])

    def first(self, count: int = 8) -> Selection:
        """The first images, right or wrong."""
        return Selection(self, np.arange(min(count, self.n)))

    def plot_confusion_matrix(self) -> Figure:
        """The confusion matrix as a figure."""
        from handlens import plots

        return plots.plot_confusion_matrix(self.confusion_matrix, self.classes)

    def plot_calibration(self) -> Figure:
        """The reliability curve as a figure."""
        from handlens import plots

        return plots.plot_calibration(self.calibration)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the single images, as JSON."""
        scores = zip(self.classes, self.per_class, strict=True)
        return {
            "split": self.split,
            "n": self.n,
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "loss": self.loss,
            "ece": self.ece,
            "per_class": [
                {"class": name, "precision": one.precision, "recall": one.recall, "f1": one.f1, "support": one.support}
                for name, one in scores
            ],
            "confusion_matrix": self.confusion_matrix.tolist(),
            "most_confused": [{"true": pair.true, "predicted": pair.predicted, "count": pair.count} for pair in self.most_confused()],
        }

    def save(self, folder: Path) -> Path:
        """Write `<split>.json` into a folder."""
        return files.write_atomic(files.child(folder, f"{self.split}.json"), json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def __repr__(self) -> str:
        low, high = self.interval
        return f"Evaluation({self.split}: accuracy {self.accuracy:.2%} [{low:.2%}, {high:.2%}], loss {self.loss:.4f}, {self.n:,} images)"

    def _repr_html_(self) -> str:
        from handlens import plots

        picture = plots.img_tag(self.plot_confusion_matrix(), alt=f"Confusion matrix on {self.split}", width=560)
        return f"<p><b>{html.escape(repr(self))}</b></p>{picture}"


@dataclass(frozen=True, repr=False)
class Selection:
    """Some images of an evaluation, in an order that means something.

    Attributes:
        evaluation: where they are from.
        indices: their places in the split.
    """

    evaluation: Evaluation
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def images(self) -> NDArray[np.uint8]:
        """The images, N,C,H,W."""
        return self.evaluation.images[self.indices]

    @property
    def true(self) -> list[str]:
        """What they are."""
        return [self.evaluation.classes[label] for label in self.evaluation.labels[self.indices]]

    @property
    def predicted(self) -> list[str]:
        """What they were taken for."""
        return [self.evaluation.classes[label] for label in self.evaluation.predictions[self.indices]]

    @property
    def probabilities(self) -> list[float]:
        """The probability of what they were taken for."""
        chosen = self.evaluation.probabilities[self.indices, self.evaluation.predictions[self.indices]]
        return [float(probability) for probability in chosen]

    @property
    def losses(self) -> list[float]:
        """The loss of each."""
        return [float(loss) for loss in self.evaluation.losses[self.indices]]

    def show(self) -> Figure:
        """The images, each with what it is, what it was taken for, and how sure that was."""
        from handlens import plots

        if len(self) == 0:
            raise UsageError("There is nothing to show: no such image.")
        return plots.plot_predictions(self.images, self.true, self.predicted, self.probabilities)

    def __repr__(self) -> str:
        rows = zip(self.indices, self.true, self.predicted, self.probabilities, self.losses, strict=True)
        lines = [f"image {index}: {true}, taken for {other} ({sure:.1%}), loss {loss:.2f}" for index, true, other, sure, loss in rows]
        return "\n".join(lines[:25] + ([f"... and {len(lines) - 25} more"] if len(lines) > 25 else []))

    def _repr_html_(self) -> str:
        from handlens import plots

        return plots.img_tag(self.show(), alt=repr(self), width=640) if len(self) else "<p>No such image.</p>"
