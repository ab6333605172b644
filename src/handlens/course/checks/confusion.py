"""Counted pairs are compared with scikit-learn's way of counting: rows are the true digits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.verdict import Mistake

NEEDS = ("count_confusions",)
CAUSES = ()
_COUNT = 300


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Labels, and predictions that are confused in one direction; in the second case two digits are missing."""
    labels = torch.randint(0, 10, (_COUNT,), generator=chance)
    other = (labels + 1 + torch.randint(0, 3, (_COUNT,), generator=chance)) % 10
    predictions = torch.where(torch.rand(_COUNT, generator=chance) < 0.7, labels, other)
    few = (labels < 8) & (predictions < 8)
    return {"labels": labels, "predictions": predictions, "few_labels": labels[few], "few_predictions": predictions[few]}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The learner's two tables."""
    count = names["count_confusions"]
    all_ = count(given["labels"].clone(), given["predictions"].clone())
    return {"all": all_, "few": count(given["few_labels"].clone(), given["few_predictions"].clone())}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Both tables."""
    pairs = ((values["all"], given["labels"], given["predictions"]), (values["few"], given["few_labels"], given["few_predictions"]))
    return next((found for value, labels, said in pairs if (found := _judge_one(value, labels, said))), None)


def _judge_one(value: Any, labels: Tensor, said: Tensor) -> Mistake | None:
    right = torch.bincount(labels * 10 + said, minlength=100).reshape(10, 10).double()
    found = wire.tensor(value)
    if found is None:
        return Mistake(
            "no_table", "count_confusions should give a table of numbers back.", "End it with return; begin with torch.zeros(10, 10)."
        )
    if found.shape != right.shape:
        seen = f"Its shape is {tuple(found.shape)}."
        return Mistake(
            "other_shape",
            "The table should have ten rows and ten columns, also for digits that do not occur.",
            "Fix its size: 10 by 10.",
            seen,
        )
    if torch.equal(found, right):
        return None
    return _named(found, right)


def _named(found: Tensor, right: Tensor) -> Mistake:
    threes = f"Row 3 sums to {found[3].sum():g}; there are {right[3].sum():g} true threes."
    seen = f"It holds {found.sum():g} images; there are {right.sum():g}. {threes}"
    if torch.equal(found, right.t()):
        return Mistake(
            "confusion_axes_swapped",
            "Rows and columns have changed places: rows should be the true digits.",
            "table[true, predicted] += 1",
            seen,
        )
    if torch.equal(found, right - torch.diag(right.diag())):
        return Mistake(
            "diagonal_missing", "The right answers are not counted.", "Count every image: the diagonal holds those that are right.", seen
        )
    if torch.equal(found, torch.diag(right.diag())):
        return Mistake("only_right_ones", "Only the right answers are counted.", "Count every image, whatever was predicted.", seen)
    if torch.equal(found, (right > 0).double()):
        return Mistake(
            "not_added_up", "Each pair is counted once at most.", "Add 1 for each image (table[rows, columns] += 1 adds only once).", seen
        )
    if found.max() <= 1.0001 and not torch.equal(found, found.round()):
        return Mistake("shares_not_counts", "These are shares; asked are counts.", "Do not divide.", seen)
    if torch.allclose(found.sum(1), found.sum(1)[0].expand(10)) and found.sum() == 0:
        return Mistake("nothing_counted", "Nothing is counted: the table is empty.", "Add 1 at [true, predicted] for each image.", seen)
    if found.sum() < right.sum():
        return Mistake("images_left_out", "Some images are not counted.", "Go through all of them, from the first to the last.", seen)
    if found.sum() > right.sum():
        return Mistake("counted_twice", "Some images are counted more than once.", "Begin with zeros, and add 1 for each image.", seen)
    return Mistake("other_counts", "The images are in other places of the table.", "Row: the true digit. Column: the predicted one.", seen)
