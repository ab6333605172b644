"""What a report is about, gathered once; what cannot be had is said and not missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from handlens import explain, plots
from handlens.analysis import Calibrated, calibrate
from handlens.data import Dataset, Split
from handlens.errors import DataError, TrainingError, UsageError
from handlens.evaluation import Evaluation, Selection
from handlens.explain import Attribution, Embedding, Graph
from handlens.models import Layer
from handlens.plots import Picture, Theme
from handlens.runs import Run

Found = TypeVar("Found")

PREDICTIONS = 8
MISTAKES = 16
SAMPLES = 20
UNITS = 128
LOOKS = 4
EMBEDDED = 300


@dataclass
class Facts:
    """A run and what follows from it. What is None could not be had, and `missing` says why, in words."""

    run: Run
    missing: list[str] = field(default_factory=list)

    def _try(self, get: Callable[[], Found]) -> Found | None:
        """A user's own data or network may not be at hand, and a network may be ruined; the rest of the report still stands."""
        try:
            return get()
        except (UsageError, DataError, TrainingError) as error:
            sentence = " ".join(part for part in (error.what, error.hint) if part)
            if sentence not in self.missing:
                self.missing.append(sentence)
            return None

    @cached_property
    def dataset(self) -> Dataset | None:
        """The images it was trained on."""
        return self._try(self.run.dataset)

    @cached_property
    def learned_from(self) -> Split | None:
        """Those of the images that it saw in training."""
        return self._try(lambda: self.run.split("train")) if self.dataset else None

    @cached_property
    def model(self) -> nn.Module | None:
        """The trained network."""
        return self._try(self.run.model)

    @cached_property
    def layers(self) -> list[Layer]:
        """Its layer table."""
        return self._try(lambda: self.run.layers) or []

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """What it scored on the test images."""
        return self._try(lambda: self.run.evaluate("test")) if self.dataset and self.model else None

    @cached_property
    def calibrated(self) -> Calibrated | None:
        """Its probabilities with a temperature that was found on the validation images; None without such images."""
        test = self.evaluation
        if test is None or self.dataset is None or not len(self.dataset.val):
            return None
        return self._try(lambda: calibrate(self.run.evaluate("val"), test))

    @cached_property
    def sample_indices(self) -> list[int]:
        """The first training images of each class, class by class and again, about 20 of them."""
        if self.learned_from is None:
            return []
        labels = self.learned_from.labels.cpu().numpy()
        rounds = max(1, SAMPLES // len(self.learned_from.classes))
        places = [np.flatnonzero(labels == label)[:rounds].tolist() for label in range(len(self.learned_from.classes))]
        return [of_class[turn] for turn in range(rounds) for of_class in places if turn < len(of_class)][:SAMPLES]

    @cached_property
    def samples(self) -> tuple[NDArray[np.uint8], list[str]]:
        """Some of the images it learned from, N,C,H,W, and their labels by name."""
        split = self.learned_from
        if split is None:
            return np.zeros((0, 1, 1, 1), np.uint8), []
        images = split.images[self.sample_indices].cpu().numpy()
        return images, [split.classes[label] for label in split.labels[self.sample_indices].tolist()]

    @cached_property
    def predictions(self) -> Selection | None:
        """Single test images, not chosen."""
        return self.evaluation.first(PREDICTIONS) if self.evaluation else None

    @cached_property
    def mistakes(self) -> Selection | None:
        """The worst mistakes."""
        return self.evaluation.mistakes(MISTAKES) if self.evaluation else None

    @cached_property
    def graph(self) -> Graph | None:
        """The network as boxes and arrows."""
        model = self.model
        return self._try(lambda: explain.graph(model, self.run.about.image_shape)) if model else None

    @cached_property
    def looked_at(self) -> Selection | None:
        """Some images that it got right, and its worst mistakes."""
        evaluation, worst = self.evaluation, self.mistakes
        if evaluation is None or worst is None:
            return None
        right = np.flatnonzero(evaluation.correct)[: 2 * LOOKS - len(worst.indices[:LOOKS])]
        return evaluation.select(np.concatenate([right, worst.indices[:LOOKS]]))

    @cached_property
    def looks(self) -> Attribution | None:
        """Which pixels those answers hang on: by Grad-CAM, or by saliency where there is no convolution."""
        model, chosen = self.model, self.looked_at
        if model is None or chosen is None:
            return None
        try:
            return explain.gradcam(model, chosen.images)
        except UsageError:
            return self._try(lambda: explain.saliency(model, chosen.images))

    @property
    def look_names(self) -> list[tuple[list[str], bool]]:
        """The lines below each of those images, and whether its answer is right."""
        chosen = self.looked_at
        pairs = zip(chosen.predicted, chosen.true, chosen.indices, strict=True) if chosen else ()
        return [([predicted, f"true: {true}", f"test image {index}"], predicted == true) for predicted, true, index in pairs]

    @cached_property
    def embedding(self) -> Embedding | None:
        """Some test images on a plane."""
        model, dataset = self.model, self.dataset
        if model is None or dataset is None or self.evaluation is None:
            return None
        return self._try(lambda: explain.embedding(model, dataset.test, "pca", count=EMBEDDED))

    @cached_property
    def embedding_places(self) -> NDArray[np.float64]:
        """N,2: where those images lie in the figure, as shares of its width and height."""
        return plots.positions(self.embedding.show(), self.embedding.points) if self.embedding else np.zeros((0, 2))

    @cached_property
    def weights(self) -> NDArray[np.float32] | None:
        """The first layer's weights as pictures, N,C,H,W; None if they are none."""
        first = next((weights for weights in self.model.parameters() if weights.ndim > 1), None) if self.model else None
        if first is None:
            return None
        array: NDArray[np.float32] = first.detach().cpu().float().numpy()
        if array.ndim == 4:
            return array if array.shape[2] > 1 and array.shape[1] <= 4 else None
        shape = self.run.about.image_shape
        return array.reshape(-1, *shape) if array.ndim == 2 and array.shape[1] == np.prod(shape) else None

    @property
    def weight_names(self) -> list[str] | None:
        """The classes, where the first layer is the only one, so that each unit is a class."""
        if self.weights is None or self.dataset is None or sum(layer.parameters > 0 for layer in self.layers) != 1:
            return None
        return list(self.dataset.classes) if len(self.dataset.classes) == len(self.weights) else None

    def _insights(self, theme: Theme) -> dict[str, Callable[[], Picture]]:
        """The figures of what is inside the network."""
        drawn: dict[str, Callable[[], Picture]] = {}
        if (graph := self.graph) is not None:
            drawn["graph"] = lambda: graph.show(theme)
        if (looks := self.looks) is not None and self.dataset:
            classes, names = self.dataset.classes, self.look_names
            drawn["attributions"] = lambda: looks.show(
                classes, [classes.index(lines[1].removeprefix("true: ")) for lines, _ in names], theme
            )
        if (embedding := self.embedding) is not None:
            drawn["embedding"] = lambda: embedding.show(theme)
        return drawn

    def figures(self, theme: Theme = plots.LIGHT) -> dict[str, Callable[[], Picture]]:
        """How to draw each figure of this run, by its name in `plots.PLOTS`; those that cannot be drawn are left out."""
        best = self.run.pointer.best
        drawn = {"curves": lambda: plots.plot_curves(self.run.rows, best_epoch=best.epoch if best else None, theme=theme)}
        if self.dataset:
            drawn["samples"] = lambda: plots.plot_samples(*self.samples, theme=theme)
        weights = self.weights
        if weights is not None:
            drawn["weights"] = lambda: plots.plot_weights(weights[:UNITS], self.weight_names, theme=theme)
        if self.evaluation and self.predictions is not None and self.mistakes is not None:
            evaluation, first, worst = self.evaluation, self.predictions, self.mistakes
            drawn |= {
                "confusion_matrix": lambda: plots.plot_confusion_matrix(evaluation.confusion_matrix, evaluation.classes, theme=theme),
                "calibration": lambda: plots.plot_calibration(evaluation.calibration, theme=theme),
                "predictions": lambda: plots.plot_predictions(*_judged(first), theme=theme),
                "mistakes": lambda: plots.plot_mistakes(*_judged(worst), worst.losses, theme),
            }
        return drawn | self._insights(theme)


def _judged(chosen: Selection) -> tuple[NDArray[np.uint8], list[str], list[str], list[float]]:
    return chosen.images, chosen.true, chosen.predicted, chosen.probabilities
