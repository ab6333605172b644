"""Made-up scores are searched for the worst mistakes and the pair that is confused most; both are known here."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from handlens.course import wire
from handlens.course.probing import first
from handlens.course.verdict import Mistake

NEEDS = ("worst", "most_confused")
CAUSES = ()
_COUNT, _TOP = 120, 6


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Scores of which a third is not right; one true digit is taken for another more often than the other way round."""
    labels = torch.randint(0, 10, (_COUNT,), generator=chance)
    scores = torch.randn(_COUNT, 10, generator=chance)
    true = int(torch.randint(10, (1,), generator=chance))
    said = (true + int(torch.randint(2, 9, (1,), generator=chance))) % 10  # no neighbour: who is off by one is not right by chance
    labels[:12], labels[12:18], labels[60:90] = true, said, said
    scores[torch.arange(_COUNT), labels] += 2.5
    scores[:12, said] += 8
    scores[12:18, true] += 9
    sure = (labels == said) & (torch.arange(_COUNT) > 60)
    scores[sure, said] += 12  # right and very sure: no mistake, whatever its score
    return {"scores": scores, "labels": labels, "pair": torch.tensor([true, said])}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner finds."""
    scores, labels = given["scores"].clone(), given["labels"].clone()
    worst = {"worst": names["worst"](scores, labels, _TOP)} if "worst" in names else {}
    return worst | ({"pair": names["most_confused"](scores.argmax(1), labels)} if "most_confused" in names else {})


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """The list, then the pair."""
    judges = {"worst": _judge_worst, "pair": _judge_pair}
    return first(*(lambda part=part: judges[part](given, values[part]) for part in judges if part in values))


def _judge_worst(given: dict[str, Tensor], value: Any) -> Mistake | None:
    scores, labels = given["scores"].double(), given["labels"]
    loss = F.cross_entropy(scores, labels, reduction="none")
    right = loss.argsort(descending=True)[:_TOP]
    found = wire.tensor(value)
    if found is None or found.ndim != 1:
        return Mistake("no_list", "worst should give the places of images back.", "Return a list of whole numbers, the worst image first.")
    seen = f"You have {[int(one) for one in found[:8]]}; the worst are {right.tolist()}."
    if len(found) != _TOP:
        return Mistake("other_length", "Asked are just as many places as `top` says.", "Cut the list: [:top]", seen)
    if found.tolist() == right.tolist():
        return None
    return _named(found, right, loss, scores, seen)


def _named(found: Tensor, right: Tensor, loss: Tensor, scores: Tensor, seen: str) -> Mistake:
    if found.tolist() == scores.max(1).values.argsort(descending=True)[:_TOP].tolist():
        sentence = "These are the highest scores, whether right or not."
        return Mistake("most_certain", sentence, "Look only at images that are not right.", seen)
    if found.max() >= len(loss) or found.min() < 0 or not torch.equal(found, found.round()):
        return Mistake(
            "no_places", "These are not places of images.", "Return the numbers of the images (argsort gives them), not their losses.", seen
        )
    if loss[found.long()].max() <= loss.median():
        sentence = "These are the images with the smallest loss: the best ones."
        return Mistake("least_loss", sentence, "Sort the other way: descending=True.", seen)
    if sorted(found.tolist()) == sorted(right.tolist()):
        return Mistake("other_order", "The images are right, their order is not.", "The largest loss comes first.", seen)
    if bool((found[1:] > found[:-1]).all()):
        return Mistake(
            "not_sorted",
            "These stand in the order of the data, not of how bad they are.",
            "Sort them by their loss, the largest first.",
            seen,
        )
    return Mistake(
        "other_images",
        "These are not the images with the largest loss.",
        "Loss of each image: F.cross_entropy(scores, labels, reduction='none').",
        seen,
    )


def _judge_pair(given: dict[str, Tensor], value: Any) -> Mistake | None:
    found, (true, said) = wire.tensor(value), _most(given)
    if found is None or found.numel() != 2:
        return Mistake(
            "no_pair", "most_confused should give a pair back: the true digit, and the one it is taken for.", "return true, predicted"
        )
    pair = [int(one) for one in found.flatten()]
    if pair == [true, said]:
        return None
    seen = f"You have {pair[0]} taken for {pair[1]}; most often {true} is taken for {said}."
    if pair == [said, true]:
        return Mistake("pair_swapped", "The pair is the other way round.", "The true digit first, then the predicted one.", seen)
    if pair[0] == pair[1]:
        return Mistake(
            "right_answers_counted",
            "Right answers are counted too: a digit is not confused with itself.",
            "Leave out the images that are right.",
            seen,
        )
    return Mistake(
        "other_pair", "Another pair is confused more often.", "Count (true, predicted) of all mistakes, and take the largest count.", seen
    )


def _most(given: dict[str, Tensor]) -> tuple[int, int]:
    said, labels = given["scores"].argmax(1), given["labels"]
    off = said != labels
    counts = torch.bincount(labels[off] * 10 + said[off], minlength=100)
    place = int(counts.argmax())
    return place // 10, place % 10
