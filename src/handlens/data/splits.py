"""Which images to measure on, from a word."""

from __future__ import annotations

from collections.abc import Container

from handlens.data.catalog import MINE
from handlens.data.dataset import Dataset, Split
from handlens.data.say import Say, images_in_words, on_stderr
from handlens.data.tensors import load
from handlens.errors import DataError, UsageError, nearest


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


def with_added(dataset: Dataset, name: str, say: Say = on_stderr) -> Dataset:
    """The data set with the images of another one to learn from, too; as it is if that has no name, or was done already.

    Args:
        dataset: what to add to.
        name: of the other one.
        say: is told each step before it is taken.

    Raises:
        UsageError: it is the same data set.
        DataError: the other one's images or classes are not like its own, or cannot be had.
    """
    if not name or dataset.added:
        return dataset
    if name == dataset.name:
        raise UsageError(f"{name} cannot be added to itself.", hint="Name another data set, or none.")
    other = load(name, val=0, say=say).train
    if len(other) == 0:
        raise DataError(f"There are no images to learn from in {name}.", hint="Leave it out, or add some to it.")
    return dataset.with_images(other)


def find_split(dataset: Dataset, name: str, learned: Container[str] = ()) -> Split:
    """One of a data set's splits by its name, or the test images of another data set; of one's own digits all, if none of them was learned.

    Args:
        dataset: its splits come first.
        name: of a split, or of a data set.
        learned: the names of the data sets whose training images were learned from.

    Raises:
        UsageError: there is none of that name, or no image in it; or own digits, where other things are told apart.
        DataMissing, DataDamaged, FileError: as in `load`.
    """
    try:
        split = dataset.splits[name] if name in dataset.splits else _of_another(dataset, name, learned)
    except UsageError as error:
        raise UsageError(error.what, hint=f"{nearest(name, dataset.splits)} Choose test, val, train, or a data set.") from error
    if len(split) == 0 and name == MINE:
        hint = "Add more: from the second of each digit on, every third is kept for the test."
        raise UsageError("None of your digits is kept apart for the test, and the others were learned from.", hint=hint)
    if len(split) == 0:
        raise UsageError(f"The data set {dataset.name} has no {name} images.", hint="Choose others: train, val, test, or a data set.")
    return split


def _of_another(dataset: Dataset, name: str, learned: Container[str]) -> Split:
    if name != MINE:
        return load(name).test.named(name)
    mine = load(MINE, val=0)
    if (mine.image_shape, mine.classes) != (dataset.image_shape, dataset.classes):
        raise UsageError(
            f"Your own digits are {images_in_words(mine.image_shape)} of the classes 0 to 9; {dataset.name} is another task.",
            hint="They are for runs trained on mnist, or on data like it.",
        )
    return (mine.test if MINE in learned else mine.train.joined(mine.test)).named(MINE)
