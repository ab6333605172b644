"""A training repeated with other seeds: how sure is the mean, and is one way of training better than another?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handlens.errors import DataError


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | tuple[None, None]:
    """The interval of the mean by Student's t (Gosset 1908); none of fewer than two values.

    Args:
        values: N numbers, one a seed.
        level: how often such an interval has the true mean in it.
    """
    from scipy import stats

    if len(values) < 2:
        return None, None
    numbers = np.asarray(values, dtype=float)
    reach = float(stats.t.ppf((1 + level) / 2, len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers)))
    return float(numbers.mean()) - reach, float(numbers.mean()) + reach


def paired_p(first: Sequence[float], second: Sequence[float]) -> float:
    """How often two ways that are equally good would differ at least so much, seed by seed, by the paired t-test: 0 to 1.

    Where all differences are equal, as those of few images easily are, they have no spread to go by. Then only their signs count (the sign
    test): two seeds tell nothing.

    Args:
        first: N numbers, one a seed.
        second: those of the same seeds.

    Raises:
        DataError: they are not two or more of the same seeds.
    """
    from scipy import stats

    if len(first) != len(second) or len(first) < 2:
        raise DataError(f"The test needs two or more seeds, the same of both, not {len(first)} and {len(second)}.")
    differences = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    if not differences.std() > 1e-12:  # the same difference at each seed
        return 2.0 ** (1 - len(differences)) if abs(differences[0]) > 1e-12 else 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)
