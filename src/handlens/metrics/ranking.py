"""Whether one number rises with another, whatever the curve between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEAST = 4  # the interval's width is divided by count - 3


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's rank correlation (Spearman 1904) with its interval.

    Attributes:
        rho: 1 if the larger of the first is always the larger of the second, -1 if it is always the smaller, 0 if neither prevails.
        low, high: the ends of the interval.
        count: of the pairs of numbers.
    """

    rho: float
    low: float
    high: float
    count: int

    @property
    def is_clear(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


def rank_correlation(first: Sequence[float], second: Sequence[float], level: float = 0.95) -> RankCorrelation | None:
    """How strictly the second rises with the first; None of fewer than four pairs, or where one of them is always the same.

    The interval is Fisher's with the variance of Bonett and Wright (2000). At 1, where it would have no width, it is taken half a step of
    the coefficient below.

    Args:
        first: N numbers.
        second: as many.
        level: how often such an interval has the true correlation in it.
    """
    from scipy import stats

    count = len(first)
    if count < _LEAST or len({*first}) == 1 or len({*second}) == 1:
        return None
    rho = float(stats.spearmanr(np.asarray(first, dtype=float), np.asarray(second, dtype=float)).statistic)
    most = 1 - 6 / (count**3 - count)
    middle = min(max(rho, -most), most)
    reach = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt((1 + middle**2 / 2) / (count - 3))
    low, high = (math.tanh(math.atanh(middle) + way * reach) for way in (-1, 1))
    return RankCorrelation(rho, min(low, rho), max(high, rho), count)
