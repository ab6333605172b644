"""Labels that are probably wrong: confident learning."""

from __future__ import annotations

import numpy as np

from handlens.metrics.scores import Array, Integers, judged


def find_label_issues(labels: Array, probabilities: Array) -> Integers:
    """The images whose label is probably wrong, `int64` M places, the most suspicious first.

    A class is confident about an image if it gives it at least the probability that it gives, on average, to the images labelled so. An
    image is a suspect if another class than its label is confident about it, and is also the prediction. Suspects are ordered by how much
    more probable the prediction is than the label.

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
    confident = shares >= np.array(means)
    predictions = shares.argmax(axis=1)
    suspects = np.flatnonzero(confident[places, predictions] & (predictions != numbers))
    margin = (shares[places, predictions] - shares[places, numbers])[suspects]
    return suspects[np.argsort(-margin, kind="stable")]
