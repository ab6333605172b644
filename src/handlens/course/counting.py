"""An accuracy that is not right: by which mistake it comes out as it does."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from torch import Tensor

from handlens.course import wire
from handlens.course.verdict import Mistake

CLOSE = 1e-3  # so near are numbers that are meant to be the same: some are rounded for print

# By the way of counting: the id of the mistake, what it is, what to change.
_KNOWN = {
    "by batches": (
        "accuracy_wrong_denominator",
        "The hits are divided by the number of batches, not of images.",
        "Divide by the number of images.",
    ),
    "count": ("count_not_share", "This is how many images were right, not their share.", "Divide it by the number of images."),
    "percent": ("percent", "This is in percent; asked is a share from 0 to 1.", "Leave the 100 out."),
    "first": ("early_return_in_loop", "This is the accuracy of the first batch alone.", "Put return behind the loop, not into it."),
    "last": ("stats_reset_in_loop", "This is the accuracy of the last batch alone.", "Set the counters to 0 before the loop, not in it."),
    "last hits": (
        "stats_reset_in_loop",
        "Only the hits of the last batch are counted.",
        "Set the counters to 0 before the loop, not in it.",
    ),
    "means": (
        "mean_of_batch_means",
        "The last batch is smaller, and counts as much as the others.",
        "Add up hits and images, and divide once, at the end.",
    ),
    "rounded": ("rounded", "This is rounded: two places are too few to compare.", "Return it as it is, and round only what you print."),
    "mistakes": ("counts_mistakes", "This is the share of the images that are not right.", "Count where prediction and label are equal."),
}


def judge_count(value: Any, hits: Tensor, sizes: list[int]) -> Mistake:
    """Which mistake gives this accuracy.

    Args:
        value: what was given.
        hits: whether each image was right, N.
        sizes: of the batches.
    """
    number, right = wire.number(value), float(hits.double().mean())
    seen = f"You give {number}; {int(hits.sum())} of {len(hits)} images are right: {right:.4f}."
    if number is None:
        change = "Count the hits, divide by the number of images, and return that."
        return Mistake("no_number", "The accuracy should be one number.", change, seen)
    known = next((way for way, result in _ways(hits, sizes).items() if abs(number - result) < CLOSE * max(1, result)), "")
    if known:
        return Mistake(*_KNOWN[known], seen)
    if number > 1:
        sentence = "There are more hits than images: each guess meets every label."
        return Mistake("accuracy_broadcast", sentence, "Compare two tensors of the same shape: N and N.", seen)
    change = "(scores.argmax(1) == labels).sum().item(), added up, divided by the images."
    return Mistake("other_accuracy", "This is not the share of the images that are right.", change, seen)


def are_apart(hits: Tensor, sizes: list[int], *others: float) -> bool:
    """Whether each way of counting, and each of the others, gives another number, none of which is right by chance."""
    numbers = sorted([*_ways(hits, sizes).values(), float(hits.double().mean()), *others])
    return all(after - before > 2 * CLOSE for before, after in pairwise(numbers))


def _ways(hits: Tensor, sizes: list[int]) -> dict[str, float]:
    """What comes out by each way of counting."""
    parts = [part.double() for part in hits.split(sizes)]
    count, right = float(hits.sum()), float(hits.double().mean())
    return {
        "by batches": count / len(parts),
        "count": count,
        "percent": 100 * right,
        "first": float(parts[0].mean()),
        "last": float(parts[-1].mean()),
        "last hits": float(parts[-1].sum()) / len(hits),
        "means": sum(float(part.mean()) for part in parts) / len(parts),
        "rounded": round(right, 2),
        "mistakes": 1 - right,
    }
