"""Which images to measure on, from a word."""

from __future__ import annotations

from handlens.data.dataset import Dataset, Split
from handlens.data.tensors import load
from handlens.errors import UsageError, nearest


def split_name(name: object) -> str:
    """The name itself.

    Raises:
        UsageError: it is images, or anything else that is no name; says how to measure on one's own.
    """
    if not isinstance(name, str):
        raise UsageError(
            f"A {type(name).__name__} is no name of a split or data set.",
            hint="For images of your own: hl.Evaluation.measure(run.model(), hl.Split(images, labels, run.dataset().classes, 'mine'))",
        )
    return name


def find_split(dataset: Dataset, name: str) -> Split:
    """One of a data set's splits by its name, or the test images of another data set of the catalogue.

    Raises:
        UsageError: there is none of that name, or no image in it.
        DataMissing, DataDamaged, FileError: as in `load`.
    """
    try:
        split = dataset.splits[name] if name in dataset.splits else load(name).test.named(name)
    except UsageError as error:
        raise UsageError(error.what, hint=f"{nearest(name, dataset.splits)} Choose test, val, train, or a data set.") from error
    if len(split) == 0:
        raise UsageError(f"The data set {dataset.name} has no {name} images.", hint="Choose others: train, val, test, or a data set.")
    return split
