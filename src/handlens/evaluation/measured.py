"""`Evaluation`: what a network says to the images of a split, and all that follows from it."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from handlens import files, metrics, models
from handlens.data import Split
from handlens.errors import ModelError, UsageError, nearest
from handlens.evaluation import stored as storage
from handlens.evaluation.selection import Selection
from handlens.metrics import Calibration, ClassScore, Coverage
from handlens.words import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ConfusedPair:
    """How often images of one class were taken for another."""

    true: str
    predicted: str
    count: int


@dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """A network's logits on a split, and all that follows from them; each is computed when first asked for, and once.

    Attributes:
        logits: `float32` N,K.
        labels: `int64` N.
        classes: K names.
        images: `uint8` N,C,H,W.
        split: `train`, `val`, `test`, or the user's name for it.

    Raises:
        UsageError: there are no images.
        ModelError: there is not one logit for each image and class.
        TrainingError: a logit is infinite or not a number.
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    images: NDArray[np.uint8]
    split: str

    def __post_init__(self) -> None:
        if len(self.labels) == 0:
            raise UsageError(f"There are no {self.split} images to measure on.")
        if self.logits.shape != (self.n, len(self.classes)):
            raise ModelError(
                f"The network gives {'x'.join(map(str, self.logits.shape))} logits for the {self.split} images, "
                f"but there are {self.n:,} of them, of {len(self.classes)} classes.",
                hint=f"Its last layer needs {len(self.classes)} outputs.",
            )
        metrics.check_finite(self.logits)

    @classmethod
    def measure(cls, model: nn.Module, split: Split) -> Evaluation:
        """Send a split through a network, once.

        Raises:
            HandlensError: as above; or ModelError: the network does not accept the images.
        """
        logits = models.predict_logits(model, split.images).numpy() if len(split) else np.zeros((0, len(split.classes)), np.float32)
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

    @cached_property
    def coverage(self) -> Coverage:
        """Accuracy against the share of images answered, if it may say "I don't know"."""
        return metrics.coverage(self.probabilities, self.labels)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """N: whether the prediction is the label."""
        return np.asarray(self.predictions == self.labels)

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

    @cached_property
    def per_class(self) -> list[ClassScore]:
        """Precision, recall, F1 and number of images of each class, in the order of `classes`."""
        return metrics.per_class(self.confusion_matrix)

    def most_confused(self, count: int = 5) -> list[ConfusedPair]:
        """The pairs of classes that are most often taken for each other, most often first."""
        pairs = metrics.most_confused(self.confusion_matrix, count)
        return [ConfusedPair(self.classes[true], self.classes[predicted], number) for true, predicted, number in pairs]

    def top_losses(self, count: int = 9) -> Selection:
        """The images that it is most wrong about, worst first."""
        return self.select(np.argsort(-self.losses, kind="stable")[:count])

    def mistakes(self, count: int | None = None) -> Selection:
        """The images whose prediction is wrong, worst first; all of them if `count` is None."""
        worst = np.argsort(-self.losses, kind="stable")
        return self.select(worst[~self.correct[worst]][:count])

    def uncertain(self, count: int = 9) -> Selection:
        """The images that it is least sure of, right or wrong, least sure first."""
        return self.select(np.argsort(self.probabilities.max(axis=1), kind="stable")[:count])

    def confused(self, true: str, predicted: str, count: int | None = None) -> Selection:
        """The images of one class that were taken for another, worst first; all of them if `count` is None.

        Raises:
            UsageError: there is no such class, or the two are one.
        """
        row, column = self._class(true), self._class(predicted)
        if row == column:
            raise UsageError(f"A {true} taken for a {predicted} is no mistake.", hint="Name two classes, the true one first.")
        found = np.flatnonzero((self.labels == row) & (self.predictions == column))
        return self.select(found[np.argsort(-self.losses[found], kind="stable")][:count])

    def _class(self, name: str) -> int:
        if name not in self.classes:
            raise UsageError(f"There is no class '{name}'.", hint=nearest(name, self.classes))
        return self.classes.index(name)

    def first(self, count: int = 8) -> Selection:
        """The first images, right or wrong."""
        return self.select(np.arange(min(count, self.n)))

    def select(self, indices: NDArray[np.int64]) -> Selection:
        """The images at these places, M of them, in this order."""
        labels, predictions = self.labels[indices], self.predictions[indices]
        return Selection(
            indices,
            self.images[indices],
            [self.classes[label] for label in labels.tolist()],
            [self.classes[label] for label in predictions.tolist()],
            self.probabilities[indices, predictions].tolist(),
            self.losses[indices].tolist(),
        )

    def scaled(self, temperature: float) -> Evaluation:
        """The same with all logits divided by a temperature, as from `metrics.fit_temperature`: as right, but less or more sure.

        Raises:
            UsageError: the temperature is not above 0.
        """
        if not temperature > 0:
            raise UsageError(f"A temperature of {temperature} cannot be.", hint="It is above 0; 1 changes nothing.")
        return replace(self, logits=(self.logits / np.float32(temperature)).astype(np.float32))

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
            "accuracy": self.accuracy,
            "interval": list(self.interval),
            "loss": self.loss,
            "n": self.n,
            "split": self.split,
            "correct": int(self.correct.sum()),
            "ece": self.ece,
            "per_class": [{"class": name, **asdict(score)} for name, score in scores],
            "confusion_matrix": self.confusion_matrix.tolist(),
            "most_confused": [asdict(pair) for pair in self.most_confused()],
        }

    def save(self, folder: Path, *, checkpoint: str = "") -> Path:
        """Write `<split>.json` into a folder, and beside it the logits and labels, from which all of it follows, for people and programs.

        Args:
            folder: where; it is made if it is not there.
            checkpoint: the sha256 of the weights that were measured, to be written down.

        Raises:
            FileError: the disk refuses; what was there before is still whole.
        """
        stored = storage.write(folder, self.split, {"logits": self.logits, "labels": self.labels})
        text = json.dumps(self.to_dict() | {"checkpoint": checkpoint, "logits": stored}, indent=2, allow_nan=False)
        path = files.write_atomic(files.child(folder, f"{self.split}.json"), text + "\n")
        storage.forget_others(folder, self.split, stored["file"])
        return path

    def __repr__(self) -> str:
        low, high = self.interval
        score = f"accuracy {self.accuracy:.2%} [{low:.2%}, {high:.2%}], loss {self.loss:.4f}"
        return f"Evaluation({self.split}: {score}, {counted(self.n, 'image')})"

    def _repr_html_(self) -> str:
        from handlens import plots

        picture = plots.img_tag(self.plot_confusion_matrix(), alt=f"Confusion matrix on {self.split}", width=560)
        return f"<p><b>{html.escape(repr(self))}</b></p>{picture}"
