"""The scores of a model: accuracy with its interval, loss, confusion, precision and recall, calibration."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlens.errors import DataError, TrainingError

Array = NDArray[np.generic]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def probabilities(logits: Array) -> Floats:
    """What the logits N,K say as shares of 1: the softmax of each row, `float64` N,K.

    Raises:
        DataError: not of shape N,K.
        TrainingError: a logit is NaN or infinite.
    """
    return np.exp(_log_probabilities(logits))


def cross_entropy(logits: Array, labels: Array) -> Floats:
    """The loss of each image, `float64` N: minus the logarithm (to base e) of the probability that its own class was given.

    Raises:
        DataError: shapes do not fit, or a label is no class.
        TrainingError: a logit is NaN or infinite.
    """
    logged = _log_probabilities(logits)
    numbers = class_numbers(labels, logged.shape[1], "labels")
    same_length(numbers, logged)
    return -logged[np.arange(len(numbers)), numbers]


def _log_probabilities(logits: Array) -> Floats:
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise DataError(f"The logits have shape {values.shape}.", hint="They must be N,K: one row an image, one column a class.")
    check_finite(values)
    shifted = values - values.max(axis=1, keepdims=True)  # softmax does not change, and exp cannot overflow
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def check_finite(logits: Array) -> None:
    """Refuse logits N,K of which one is NaN or infinite.

    Raises:
        TrainingError: for so many images.
    """
    bad = len(logits) - int(np.isfinite(logits).all(axis=1).sum())
    if bad:
        raise TrainingError(
            f"The model's answer for {bad:,} of {len(logits):,} images is infinite or not a number (NaN).",
            hint="Its weights were probably ruined in training by too large a learning rate: train again with a tenth of it.",
        )


def accuracy(labels: Array, predictions: Array) -> float:
    """The share of images whose prediction is their label, 0 to 1.

    Raises:
        DataError: there are no images, or not one prediction for each label.
    """
    truth, guesses = np.asarray(labels), np.asarray(predictions)
    if truth.ndim != 1 or truth.ndim != guesses.ndim:  # N,1 against N would compare each with each
        raise DataError(f"The labels have the shape {truth.shape}, the predictions {guesses.shape}.", hint="Both must be N: one an image.")
    same_length(truth, guesses)
    if len(truth) == 0:
        raise DataError("There are no images to measure.")
    return float((truth == guesses).mean())


def accuracy_interval(correct: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Where the accuracy on endlessly many such images probably lies: the Wilson score interval (Wilson 1927), 0 to 1.

    Args:
        correct: how many images were right.
        count: of how many.
        level: how often, over many test sets, such an interval holds the true accuracy.

    Raises:
        DataError: `count` is 0, `correct` is not in 0 .. `count`, or `level` is not between 0 and 1.
    """
    if not (0 <= correct <= count and count > 0 and 0 < level < 1):
        raise DataError(f"There is no interval for {correct} right of {count} at the level {level}.")
    z = statistics.NormalDist().inv_cdf(0.5 + level / 2)
    share = correct / count
    middle = share + z * z / (2 * count)
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = ((middle + sign * reach) / (1 + z * z / count) for sign in (-1, 1))
    # At none and at all right the formula gives exactly 0 and 1, up to rounding.
    return (0.0 if correct == 0 else low, 1.0 if correct == count else high)


def confusion_matrix(labels: Array, predictions: Array, num_classes: int) -> Integers:
    """How often each class was taken for which: `int64` K,K, rows true, columns predicted (scikit-learn's order).

    Raises:
        DataError: not one prediction for each label, or one of them is no class.
    """
    truth = class_numbers(labels, num_classes, "labels")
    guesses = class_numbers(predictions, num_classes, "predictions")
    same_length(truth, guesses)
    return np.bincount(truth * num_classes + guesses, minlength=num_classes**2).reshape(num_classes, num_classes)


@dataclass(frozen=True)
class ClassScore:
    """How well one class is recognised.

    Attributes:
        precision: of the images that were called this, the share that is it; 0 if none was called so.
        recall: of the images that are this, the share that was found; 0 if there are none.
        f1: the harmonic mean of the two.
        support: how many images are this class.
    """

    precision: float
    recall: float
    f1: float
    support: int


def per_class(confusion: Integers) -> list[ClassScore]:
    """The scores of each class from a confusion matrix K,K; 0/0 counts as 0, as with scikit-learn's `zero_division=0`."""
    found = np.diag(confusion)
    support = confusion.sum(axis=1)
    called = confusion.sum(axis=0)
    columns = (_share(found, called), _share(found, support), _share(2 * found, support + called), support)
    return [ClassScore(*scores) for scores in zip(*(column.tolist() for column in columns), strict=True)]


def _share(part: Integers, whole: Integers) -> Floats:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def most_confused(confusion: Integers, count: int) -> list[tuple[int, int, int]]:
    """The `count` most frequent mistakes as (true class, predicted class, how often), most frequent first.

    Equal numbers stand in the order of the classes; pairs that never happened are left out.
    """
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[: max(count, 0)]
    rows, columns = np.unravel_index(order, mistakes.shape)
    pairs = zip(rows.tolist(), columns.tolist(), mistakes[rows, columns].tolist(), strict=True)
    return [(true, predicted, number) for true, predicted, number in pairs if number > 0]


@dataclass(frozen=True)
class Calibration:
    """Is a model right as often as it says? One number, and the B equally wide bins of confidence that it comes from.

    Attributes:
        ece: expected calibration error, 0 to 1: the mean distance between confidence and accuracy, weighted by images.
        confidence: B, the mean probability given to the predicted class; NaN in an empty bin.
        accuracy: B, the share that was right; NaN in an empty bin.
        count: B, how many images.
    """

    ece: float
    confidence: Floats
    accuracy: Floats
    count: Integers


def calibration(probabilities: Array, labels: Array, bins: int = 15) -> Calibration:
    """Compare how sure a model was of its predictions with how often it was right.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks" (top label, bins of equal width).

    Args:
        probabilities: N,K, rows that sum to 1.
        labels: N.
        bins: bin b holds the images with confidence in (b / bins, (b + 1) / bins].

    Raises:
        DataError: there are no images, or shapes or values do not fit.
    """
    shares, numbers = judged(probabilities, labels)
    confidence = shares.max(axis=1)
    right = shares.argmax(axis=1) == numbers
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    count = np.bincount(place, minlength=bins)
    filled = np.where(count > 0, count, np.nan)
    mean_confidence = np.bincount(place, confidence, minlength=bins) / filled
    mean_right = np.bincount(place, right, minlength=bins) / filled
    ece = float(np.nansum(np.abs(mean_right - mean_confidence) * count) / len(numbers))
    return Calibration(ece, mean_confidence, mean_right, count)


def judged(probabilities: Array, labels: Array) -> tuple[Floats, Integers]:
    """Probabilities as `float64` N,K and labels as `int64` N.

    Raises:
        DataError: there are no images, or shapes or values do not fit.
    """
    shares = np.asarray(probabilities, dtype=np.float64)
    if shares.ndim != 2 or shares.size == 0 or not ((shares >= 0) & (shares <= 1)).all():
        raise DataError(f"Probabilities of shape {shares.shape} must be N,K with at least one row and values from 0 to 1.")
    numbers = class_numbers(labels, shares.shape[1], "labels")
    same_length(numbers, shares)
    return shares, numbers


def class_numbers(values: Array, num_classes: int, name: str) -> Integers:
    """The values as `int64` N.

    Raises:
        DataError: they are not whole numbers, one an image, from 0 to below `num_classes`; they are called `name`.
    """
    numbers = np.asarray(values)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise DataError(f"The {name} are {numbers.dtype} of shape {numbers.shape}.", hint="They must be whole numbers, one an image.")
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < num_classes:
        raise DataError(
            f"The {name} go from {numbers.min()} to {numbers.max()}, but there are {num_classes} classes.",
            hint=f"They must be 0 to {num_classes - 1}.",
        )
    return numbers.astype(np.int64)


def same_length(labels: Array, others: Array) -> None:
    """Refuse labels of which there are not as many as there are answers.

    Raises:
        DataError: so many of each.
    """
    if len(labels) != len(others):
        raise DataError(f"There are {len(labels):,} labels for {len(others):,} answers.", hint="There must be one label an image.")
