"""Which images are kept apart: of each class the same share, the same ones on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from handlens import seeds


def chosen(labels: NDArray[np.int64], total: int, purpose: str, name: str) -> NDArray[np.int64]:
    """The places of `total` images, of each class as exactly as can be.

    Which ones is a pure function of `purpose`, `name` and the labels. Shares that are no whole numbers of images are rounded by the
    method of largest remainders.
    """
    counts = np.bincount(labels)
    wanted, remainders = np.divmod(counts * total, len(labels))
    wanted[np.lexsort((-counts, -remainders))[: total - wanted.sum()]] += 1  # of equal remainders the larger class can spare one
    # NumPy keeps the stream of a bit generator for ever, unlike that of any shuffle.
    keys = np.random.PCG64(seeds.seed_for(purpose, name)).random_raw(len(labels))
    order = np.argsort(keys, kind="stable")
    labels = labels[order]
    return np.concatenate([order[labels == label][:count] for label, count in enumerate(wanted)])


def three_ways(labels: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """The places of images for `train`, `val` and `test`: 80, 10 and 10 % of each class, each in the order they had."""
    tenth = round(0.1 * len(labels))
    test = chosen(labels, tenth, "split", "test")
    rest = np.setdiff1d(np.arange(len(labels)), test)
    val = rest[chosen(labels[rest], tenth, "split", "val")]
    return {"train": np.setdiff1d(rest, val), "val": np.sort(val), "test": np.sort(test)}
