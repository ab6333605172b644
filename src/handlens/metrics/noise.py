"""Labels that are probably wrong: confident learning."""

from __future__ import annotations

import numpy as np

from handlens.metrics.scores import Array, Integers, judged

_ROUNDING = 1e-6
"""cleanlab's: the mean of equal probabilities may lie a little above each of them."""


def find_label_issues(labels: Array, probabilities: Array) -> Integers:
    """The images whose label is probably wrong, `int64` M places, the most suspicious first.

    A class is credible for an image if its probability is at least the mean that it has on the images labelled so. An image is a suspect
    if a class other than its label is credible, and the prediction is not its label. Suspects are ordered by how much more probable the
    prediction is than the label.

    Source: Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels" (the confident joint, C);
    cleanlab's `find_label_issues` with `filter_by="confident_learning"` and `return_indices_ranked_by="normalized_margin"`.

    Args:
        labels: N, as they were given.
        probabilities: N,K, of a model that has not learned from the image that it judges (cross-validation).

    Raises:
        DataError: there are no images, or shapes or values do not fit.
    """
    shares, numbers = judged(probabilities, labels)
    places = np.arange(len(numbers))
    means = [shares[numbers == label, label].mean() if (numbers == label).any() else np.inf for label in range(shares.shape[1])]
    credible = shares >= np.array(means) - _ROUNDING
    credible[places, numbers] = False
    predictions = shares.argmax(axis=1)
    suspects = np.flatnonzero(credible.any(axis=1) & (predictions != numbers))
    margin = (shares[places, predictions] - shares[places, numbers])[suspects]
    return suspects[np.argsort(-margin, kind="stable")]
