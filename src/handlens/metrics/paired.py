"""Two models on the same images: is one better, or was it luck?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from handlens.errors import DataError


@dataclass(frozen=True)
class McNemar:
    """McNemar's test: only images on which exactly one of two models is right can tell them apart.

    Attributes:
        only_first: how many images the first alone has right.
        only_second: how many the second alone has right.
        p: how often models that are equally good would differ at least so much, 0 to 1.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Compare two models on the same images by the exact binomial form of McNemar's test.

    Source: McNemar 1947; recommended for two classifiers and one test set by Dietterich 1998, "Approximate Statistical Tests".

    Args:
        first: `bool` N, where the first model is right.
        second: the same of the second.

    Raises:
        DataError: they are not one truth value for each of the same images.
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape or {one.dtype.kind, other.dtype.kind} != {"b"}:
        raise DataError(f"The test needs two lists of N truth values, not {one.dtype} {one.shape} and {other.dtype} {other.shape}.")
    only_first, only_second = int((one > other).sum()), int((one < other).sum())
    return McNemar(only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second))


def _two_sided(fewer: int, count: int) -> float:
    """How often, of `count` throws of a fair coin, the rarer side comes up at most `fewer` times."""
    term, total = 1, 0
    for heads in range(fewer + 1):  # each binomial coefficient from the one before, in whole numbers of any size
        total += term
        term = term * (count - heads) // (heads + 1)
    return min(1.0, 2 * total / (1 << count))
