"""A network whose answers are known is measured; batch norm shows the mode, and a smaller last batch who divides by what."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from handlens.course.checks.training_loop import SIZE, SIZES, begin
from handlens.course.checks.training_loop import ask as ask_training
from handlens.course.counting import CLOSE, are_apart, judge_count
from handlens.course.probing import batches, is_close, state
from handlens.course.verdict import Mistake

NEEDS = ("evaluate",)
SLOWER = "Right, and it could be faster: nothing is learned here, so put with torch.no_grad(): around the loop."
CAUSES = ("accuracy_broadcast", "argmax_wrong_dim", "max_not_unpacked", "call_without_parentheses")


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Images, weights, and labels of which some are what the network answers."""
    while True:  # all of it anew: in some networks the mode changes hardly an answer
        given = ask_training(chance)
        given["start.2.running_mean"] = 0.2 * torch.rand(given["start.2.running_mean"].shape, generator=chance) - 0.1
        given["start.2.running_var"] = torch.rand(given["start.2.running_var"].shape, generator=chance) + 0.1
        scores = begin(given).eval()(given["images"])
        answers = scores.argmax(1)
        right = torch.rand(len(answers), generator=chance) < 0.6
        given["labels"] = torch.where(right, answers, (answers + 3) % 10)
        training = float(_in_training_mode(given).double().mean())
        lowest = float((scores.argmin(1) == given["labels"]).double().mean())
        if are_apart(right, SIZES, training, lowest) and abs(training - float(right.double().mean())) > 0.05:  # so that each mistake shows
            return given


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner measures; the network comes in training mode, as it does after an epoch."""
    model = begin(given).train()
    before, modes, graphs = state(model), list[bool](), list[bool]()

    def look(one: nn.Module, _given: object) -> None:
        modes.append(one.training)
        graphs.append(torch.is_grad_enabled())

    model.register_forward_pre_hook(look)
    accuracy = names["evaluate"](model, batches(given["images"], given["labels"], SIZE))
    moved = any(not torch.equal(one, before[name]) for name, one in state(model).items() if "weight" in name or "bias" in name)
    return {"accuracy": accuracy, "moved": moved, "training": all(modes), "graph": any(graphs)}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """The share of the images that are right in eval mode."""
    hits = begin(given).eval()(given["images"]).argmax(1) == given["labels"]
    if values["moved"]:
        return Mistake(
            "trains_while_testing", "The weights are others after the test: it trains.", "Leave backward and step out of evaluate."
        )
    if is_close(values["accuracy"], float(hits.double().mean()), CLOSE):
        return None
    training = _in_training_mode(given)
    if values["training"] and is_close(values["accuracy"], float(training.double().mean()), CLOSE):
        sentence = "During the test the network is still in training mode: batch norm and dropout behave otherwise there."
        seen = f"In training mode {int(training.sum())} of {len(hits)} are right, in eval mode {int(hits.sum())}."
        return Mistake("missing_eval", sentence, "Call model.eval() before the loop.", seen)
    return judge_count(values["accuracy"], hits, SIZES)


def note(values: dict[str, Any]) -> str:
    """What could be better."""
    return SLOWER if values["graph"] else ""


def _in_training_mode(given: dict[str, Tensor]) -> Tensor:
    model = begin(given).train()
    with torch.no_grad():
        parts = [model(images).argmax(1) == labels for images, labels in batches(given["images"], given["labels"], SIZE)]
    return torch.cat(parts)
