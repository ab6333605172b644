"""Numbers agree with scikit-learn and SciPy, and what has no number is said in words."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from handlens import metrics
from handlens.errors import DataError, TrainingError

CASES = 60


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Logits N,K and labels N: some rounded so that ties happen, some huge, some with classes that no label has."""
    count, num_classes = draw(st.integers(1, 60)), draw(st.integers(2, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(size=(count, num_classes)) * draw(st.sampled_from([0.0, 0.1, 3.0, 1e3, 1e30]))
    if draw(st.booleans()):
        logits = logits.round()
    return logits.astype(np.float32), rng.integers(0, draw(st.integers(1, num_classes)), size=count)


def classes_of(logits: np.ndarray[Any, Any]) -> list[int]:
    return list(range(logits.shape[1]))


@settings(max_examples=CASES, deadline=None)
@given(answers())
def test_probabilities_equal_scipy(case: Any) -> None:
    logits, _ = case
    ours = metrics.probabilities(logits)
    np.testing.assert_allclose(ours, scipy.special.softmax(logits.astype(np.float64), axis=1), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(ours.sum(axis=1), 1, rtol=1e-12)


@settings(max_examples=CASES, deadline=None)
@given(answers())
def test_cross_entropy_equals_torch_and_scikit_learn(case: Any) -> None:
    import torch

    logits, labels = case
    ours = metrics.cross_entropy(logits, labels)
    theirs = torch.nn.functional.cross_entropy(torch.tensor(logits).double(), torch.tensor(labels), reduction="none").numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    if np.abs(logits).max() < 100:  # scikit-learn clips probabilities, so it agrees only while none is as good as 0
        log_loss = sklearn.metrics.log_loss(labels, metrics.probabilities(logits), labels=classes_of(logits))
        assert ours.mean() == pytest.approx(log_loss, rel=1e-9)


@settings(max_examples=CASES, deadline=None)
@given(answers())
def test_confusion_matrix_accuracy_and_class_scores_equal_scikit_learn(case: Any) -> None:
    logits, labels = case
    predictions, classes = logits.argmax(axis=1), classes_of(logits)
    ours = metrics.confusion_matrix(labels, predictions, len(classes))
    np.testing.assert_array_equal(ours, sklearn.metrics.confusion_matrix(labels, predictions, labels=classes))
    assert ours.dtype == np.int64
    assert metrics.accuracy(labels, predictions) == pytest.approx(sklearn.metrics.accuracy_score(labels, predictions), rel=1e-12)
    theirs = sklearn.metrics.precision_recall_fscore_support(labels, predictions, labels=classes, zero_division=0)
    scores = [(score.precision, score.recall, score.f1, score.support) for score in metrics.per_class(ours)]
    np.testing.assert_allclose(np.array(scores).T, np.array(theirs, dtype=float), rtol=1e-12)


@settings(max_examples=CASES, deadline=None)
@given(st.integers(1, 20_000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_accuracy_interval_equals_scipy_wilson(count: int, share: float, level: float) -> None:
    correct = round(share * count)
    theirs = scipy.stats.binomtest(correct, count).proportion_ci(level, method="wilson")
    assert metrics.accuracy_interval(correct, count, level) == pytest.approx((theirs.low, theirs.high), rel=1e-9, abs=1e-15)


@settings(max_examples=CASES, deadline=None)
@given(answers(), st.integers(2, 20))
def test_calibration_equals_scikit_learn(case: Any, bins: int) -> None:
    logits, labels = case
    probabilities = metrics.probabilities(logits)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    ours = metrics.calibration(probabilities, labels, bins=bins)
    share, mean = calibration_curve(right, confidence, n_bins=bins, strategy="uniform")
    filled = ours.count > 0
    np.testing.assert_allclose(ours.accuracy[filled], share)
    np.testing.assert_allclose(ours.confidence[filled], mean)
    assert np.isnan(ours.accuracy[~filled]).all()
    assert np.isnan(ours.confidence[~filled]).all()
    assert ours.count.sum() == len(labels)
    assert ours.ece == pytest.approx(float((np.abs(share - mean) * ours.count[filled]).sum() / len(labels)), abs=1e-12)


def test_calibration_worked_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.35, 0.65], [0.5, 0.5]])
    result = metrics.calibration(probabilities, np.array([0, 1, 1, 0]), bins=2)
    assert result.count.tolist() == [1, 3]  # 0.5 belongs to the bin that it closes
    assert result.accuracy.tolist() == [1.0, pytest.approx(2 / 3)]
    assert result.confidence.tolist() == [0.5, pytest.approx(0.75)]
    assert result.ece == pytest.approx((1 * 0.5 + 3 * (0.75 - 2 / 3)) / 4)


def test_real_predictions_equal_scikit_learn() -> None:
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    images, labels = load_digits(return_X_y=True)
    model = LogisticRegression(max_iter=30, tol=1e-2).fit(images[:400] / 16, labels[:400])
    logits, truth = model.decision_function(images[400:] / 16), labels[400:]
    predictions = logits.argmax(axis=1)
    report = sklearn.metrics.classification_report(truth, predictions, output_dict=True)
    assert metrics.accuracy(truth, predictions) == pytest.approx(report["accuracy"])
    for label, score in enumerate(metrics.per_class(metrics.confusion_matrix(truth, predictions, 10))):
        assert vars(score) == pytest.approx({"f1" if key == "f1-score" else key: value for key, value in report[str(label)].items()})
    log_loss = sklearn.metrics.log_loss(truth, model.predict_proba(images[400:] / 16))
    assert metrics.cross_entropy(logits, truth).mean() == pytest.approx(log_loss)


def test_most_confused_is_largest_first_without_the_diagonal_or_zeros() -> None:
    confusion = np.array([[90, 3, 0], [7, 80, 3], [0, 0, 5]])
    assert metrics.most_confused(confusion, 10) == [(1, 0, 7), (0, 1, 3), (1, 2, 3)]
    assert metrics.most_confused(confusion, 1) == [(1, 0, 7)]
    ties = metrics.most_confused(np.ones((26, 26), dtype=int), 1000)
    assert ties == [(true, predicted, 1) for true in range(26) for predicted in range(26) if true != predicted]
    assert metrics.most_confused(confusion, 0) == metrics.most_confused(np.diag([5, 5]), 3) == []


def test_one_image_one_class_predicted_and_an_empty_class_have_numbers() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        confusion = metrics.confusion_matrix(np.array([0, 1, 0]), np.array([0, 0, 0]), 3)
        assert [vars(score) for score in metrics.per_class(confusion)] == [
            {"precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8), "support": 2},
            {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1},
            {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0},
        ]
        assert metrics.accuracy(np.array([4]), np.array([4])) == 1.0
        low, high = metrics.accuracy_interval(1, 1)
        assert 0.2 < low < 0.21
        assert high == 1.0
    assert all(metrics.accuracy_interval(0, n)[0] == 0.0 and metrics.accuracy_interval(n, n)[1] == 1.0 for n in range(1, 2000))


def test_huge_logits_overflow_nowhere() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        largest = float(np.finfo(np.float32).max)
        logits = np.array([[largest, -largest], [largest, largest], [0, -1000]], dtype=np.float32)
        assert metrics.probabilities(logits).tolist() == [[1, 0], [0.5, 0.5], [1, 0]]
        losses = metrics.cross_entropy(logits, np.array([1, 0, 1]))
    assert losses.tolist() == pytest.approx([2 * largest, math.log(2), 1000])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_refused_in_words(bad: float) -> None:
    logits = np.zeros((5, 3), dtype=np.float32)
    logits[2, 1] = logits[4] = bad
    for call in (metrics.probabilities, lambda logits: metrics.cross_entropy(logits, np.zeros(5, int))):
        with pytest.raises(TrainingError, match="2 of 5 images") as caught:
            call(logits)
        assert "learning rate" in caught.value.hint


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.accuracy(np.array([]), np.array([])),
        lambda: metrics.accuracy(np.array([1, 2]), np.array([1])),
        lambda: metrics.accuracy_interval(1, 0),
        lambda: metrics.accuracy_interval(3, 2),
        lambda: metrics.accuracy_interval(1, 2, 1.0),
        lambda: metrics.confusion_matrix(np.array([0, 10]), np.array([0, 1]), 10),
        lambda: metrics.confusion_matrix(np.array([0, 1]), np.array([0, -1]), 10),
        lambda: metrics.confusion_matrix(np.array([0.0, 1.0]), np.array([0, 1]), 10),
        lambda: metrics.confusion_matrix(np.array([0, 1]), np.array([0]), 10),
        lambda: metrics.cross_entropy(np.zeros((2, 3)), np.array([0, 3])),
        lambda: metrics.cross_entropy(np.zeros((2, 3)), np.array([0])),
        lambda: metrics.probabilities(np.zeros(3)),
        lambda: metrics.calibration(np.zeros((0, 3)), np.array([], dtype=int)),
        lambda: metrics.calibration(np.array([[np.nan, 0.5]]), np.array([0])),
        lambda: metrics.calibration(np.array([[1.5, 0.0]]), np.array([0])),
        lambda: metrics.calibration(np.array([[1.0, -0.5]]), np.array([0])),
    ],
)
def test_what_has_no_number_is_a_sentence(call: Any) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert caught.value.what.endswith(".")
