"""What to do with how sure a model is: mend it with a temperature, and leave unanswered what it is not sure of."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from handlens.errors import DataError
from handlens.metrics.scores import Array, Floats, class_numbers, cross_entropy, judged, probabilities

COLDEST, HOTTEST = 0.01, 100.0
"""The range of temperatures that are looked for."""


def fit_temperature(logits: Array, labels: Array) -> float:
    """The number by which logits are best divided before softmax, so that a model is right as often as it is sure.

    It makes the loss least; no prediction changes. Above 1 the model was too sure, below 1 not sure enough.
    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2.

    Args:
        logits: N,K of images that were not learned from, and are not the ones that the result is shown on.
        labels: N.

    Returns:
        From 0.01 to 100; an end of that if all images are right, or the loss falls without end for another reason.

    Raises:
        DataError: there are no images, or shapes do not fit.
        TrainingError: a logit is NaN or infinite.
    """
    if not cross_entropy(logits, labels).size:
        raise DataError("There are no images to find a temperature on.")
    scores = np.asarray(logits, dtype=np.float64)
    own = scores[np.arange(len(scores)), class_numbers(labels, scores.shape[1], "labels")]
    low, high = math.log(1 / HOTTEST), math.log(1 / COLDEST)
    for _ in range(60):  # the loss is convex in 1 / temperature: halve where its slope is zero
        middle = (low + high) / 2
        slope = ((probabilities(scores * math.exp(middle)) * scores).sum(axis=1) - own).mean()
        low, high = (low, middle) if slope > 0 else (middle, high)
    return math.exp(-(low + high) / 2)


@dataclass(frozen=True)
class Coverage:
    """How right a model is if it may say "I don't know" where it is less sure than a threshold: the risk-coverage curve.

    Attributes:
        threshold: M, falling: it answers where the probability of its prediction is at least this.
        share: M, the share of images that is then answered, up to 1.
        accuracy: M, the share of the answers that is right.
        aurc: the area under the curve of wrong answers over share answered, 0 (best) to 1.
    """

    threshold: Floats
    share: Floats
    accuracy: Floats
    aurc: float

    def threshold_for(self, accuracy: float) -> float | None:
        """The lowest threshold at which that share of the answers is right; None if none is high enough."""
        good = np.flatnonzero(self.accuracy >= accuracy)
        return float(self.threshold[good[-1]]) if good.size else None

    def at(self, threshold: float) -> tuple[float, float]:
        """The share answered and the accuracy of the answers at a threshold; NaN as accuracy if nothing is answered."""
        answered = np.flatnonzero(self.threshold >= threshold)
        return (float(self.share[answered[-1]]), float(self.accuracy[answered[-1]])) if answered.size else (0.0, math.nan)


def coverage(probabilities: Array, labels: Array) -> Coverage:
    """Accuracy against the share of images answered, the surest first; images equally sure are answered together.

    Source: El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks".

    Args:
        probabilities: N,K, rows that sum to 1.
        labels: N.

    Raises:
        DataError: there are no images, or shapes or values do not fit.
    """
    shares, numbers = judged(probabilities, labels)
    confidence = shares.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    sure = confidence[order]
    right = np.cumsum((shares.argmax(axis=1) == numbers)[order])
    last = np.flatnonzero(np.append(np.diff(sure) < 0, True))  # of those equally sure
    answered = last + 1
    share, accuracy = answered / len(sure), right[last] / answered
    aurc = float(((1 - accuracy) * np.diff(share, prepend=0)).sum())
    return Coverage(sure[last], share, accuracy, aurc)
