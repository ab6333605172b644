"""Arrays in, numbers out: what a model's logits are worth against the labels, and what can be measured of the images themselves.

Everything is computed in float64 and agrees with scikit-learn, SciPy and cleanlab, which the tests compare it with.
"""

from handlens.metrics.clusters import Clusters, k_means
from handlens.metrics.confidence import COLDEST, HOTTEST, Coverage, coverage, fit_temperature
from handlens.metrics.noise import find_label_issues
from handlens.metrics.paired import McNemar, mcnemar
from handlens.metrics.ranking import RankCorrelation, rank_correlation
from handlens.metrics.scores import (
    Calibration,
    ClassScore,
    accuracy,
    accuracy_interval,
    calibration,
    check_finite,
    confusion_matrix,
    cross_entropy,
    most_confused,
    per_class,
    probabilities,
)
from handlens.metrics.seeds import mean_interval, paired_p
from handlens.metrics.strokes import Strokes, measure_strokes

__all__ = [
    "COLDEST",
    "HOTTEST",
    "Calibration",
    "ClassScore",
    "Clusters",
    "Coverage",
    "McNemar",
    "RankCorrelation",
    "Strokes",
    "accuracy",
    "accuracy_interval",
    "calibration",
    "check_finite",
    "confusion_matrix",
    "coverage",
    "cross_entropy",
    "find_label_issues",
    "fit_temperature",
    "k_means",
    "mcnemar",
    "mean_interval",
    "measure_strokes",
    "most_confused",
    "paired_p",
    "per_class",
    "probabilities",
    "rank_correlation",
]
