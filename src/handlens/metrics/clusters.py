"""Points in groups of like ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from handlens.errors import DataError
from handlens.metrics.scores import Array, Floats, Integers


@dataclass(frozen=True)
class Clusters:
    """Points in groups.

    Attributes:
        members: N, the group of each point, 0 for the largest.
        centres: K,D.
        inertia: the squared distances of all points from their centres, added up.
    """

    members: Integers
    centres: Floats
    inertia: float


def k_means(points: Array, count: int, *, seed: int = 0, tries: int = 5) -> Clusters:
    """Put points into groups, each around its mean; the best of several tries, largest group first.

    Source: Lloyd 1982; first centres by k-means++ (Arthur and Vassilvitskii 2007).

    Args:
        points: N,D.
        count: how many groups, K; fewer if there are not so many different points.
        seed: decides the first centres.
        tries: of which the one with the least inertia is taken.

    Raises:
        DataError: there are no points, they are not N,D finite numbers, or `count` is below 1.
    """
    values = np.asarray(points, dtype=np.float64)
    if values.ndim != 2 or values.size == 0 or count < 1 or not np.isfinite(values).all():
        raise DataError(f"{count} groups cannot be made of points of shape {values.shape}.", hint="They must be N,D finite numbers.")
    random = np.random.default_rng(seed)
    found = [_settle(values, _first_centres(values, count, random)) for _ in range(tries)]
    return _largest_first(min(found, key=lambda clusters: clusters.inertia))


def _first_centres(points: Floats, count: int, random: np.random.Generator) -> Floats:
    """Points far from each other: each next one is drawn with a chance that grows with the square of its distance."""
    centres = points[[random.integers(len(points))]]
    while len(centres) < count:
        distance = _distances(points, centres).min(axis=1)
        if not distance.any():
            break
        centres = np.vstack([centres, points[random.choice(len(points), p=distance / distance.sum())]])
    return centres


def _settle(points: Floats, centres: Floats) -> Clusters:
    """Each point to its nearest centre, each centre to the mean of its points, until nothing moves."""
    members = np.full(len(points), -1)
    for _ in range(300):
        distance = _distances(points, centres)
        nearest = distance.argmin(axis=1)
        if (nearest == members).all():
            break
        members = nearest
        centres = np.array([points[members == k].mean(axis=0) if (members == k).any() else old for k, old in enumerate(centres)])
    return Clusters(members, centres, float(_distances(points, centres)[np.arange(len(points)), members].sum()))


def _distances(points: Floats, centres: Floats) -> Floats:
    """N,K squared distances."""
    squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * points @ centres.T
    return np.asarray(squares.clip(min=0) * (squares > 1e-9 * max(1.0, float(squares.max()))))  # rounding is no distance


def _largest_first(clusters: Clusters) -> Clusters:
    sizes = np.bincount(clusters.members, minlength=len(clusters.centres))
    order = np.argsort(-sizes, kind="stable")[: int((sizes > 0).sum())]
    place = np.empty(len(sizes), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Clusters(place[clusters.members], clusters.centres[order], clusters.inertia)
