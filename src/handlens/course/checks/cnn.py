"""Four parts: the network, its training, its test, its filters; and the weights of the learner's own run, which must read 98 % of MNIST."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from handlens.course import kept, wire
from handlens.course.checks import evaluation, training_loop
from handlens.course.probing import NETWORK_CAUSES, ask_network, first, judge_network, made, no_convolution, play_network
from handlens.course.verdict import Mistake

NEEDS = ("MNISTCNN", "train_cnn", "test_cnn", "conv_filters")
CAUSES = NETWORK_CAUSES
STRICT = True
_CONVOLUTION = "Begin with nn.Conv2d(1, 32, kernel_size=3, padding=1)."


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """What its parts are asked."""
    parts = {"net": ask_network(chance), "train": training_loop.ask(chance), "test": evaluation.ask(chance)}
    return {f"{part}/{name}": one for part, given in parts.items() for name, one in given.items()}


def ask_of_file(path: Path, chance: torch.Generator) -> dict[str, Tensor]:
    """The weights that lie beside the learner's file, and all test images of MNIST."""
    return kept.read(path, chance)


def _part(given: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.partition("/")[2]: one for name, one in given.items() if name.startswith(f"{part}/")}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The network, watched."""
    return {"net": play_network(names["MNISTCNN"], _part(given, "net"))} if "MNISTCNN" in names else {}


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """The parts that there are."""
    values: dict[str, Any] = {}
    if "train_cnn" in names:
        renamed = {"train_epoch": lambda model, batches, _loss_fn, optimizer: names["train_cnn"](model, batches, optimizer)}
        values["train"] = training_loop.play(renamed, _part(given, "train"))
    if "test_cnn" in names:
        values["test"] = evaluation.play({"evaluate": names["test_cnn"]}, _part(given, "test"))
    if "conv_filters" in names:
        model = made(names["MNISTCNN"], given["net/images"])
        conv = next((one for one in model.modules() if isinstance(one, nn.Conv2d)), None)
        values |= {"filters": names["conv_filters"](model), "weights": None if conv is None else conv.weight.detach()}
    if kept.IMAGES in given:
        values["kept"] = kept.answer(made(names["MNISTCNN"], given["net/images"]), given)
    return values


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """Part by part; the run comes last."""
    rules: list[Callable[[], Mistake | None]] = []
    if "net" in values:
        rules += [lambda: judge_network(values["net"]), lambda: no_convolution(values["net"]["shapes"], _CONVOLUTION)]
    if "train" in values:
        rules.append(lambda: training_loop.judge(_part(given, "train"), values["train"]))
    if "test" in values:
        rules.append(lambda: evaluation.judge(_part(given, "test"), values["test"]))
    if "filters" in values:
        rules.append(lambda: _judge_filters(values))
    if kept.ASKED in given:
        rules.append(lambda: kept.judge(given, values.get("kept")))
    return first(*rules)


def note(values: dict[str, Any]) -> str:
    """What could be better."""
    return evaluation.note(values["test"]) if "test" in values else ""


def _judge_filters(values: dict[str, Any]) -> Mistake | None:
    """The weights of the first convolution, one picture for each."""
    if isinstance(values["filters"], wire.Tracked):
        return Mistake(
            "plot_grad_tensor", "The filters still hang on the graph; Matplotlib wants plain numbers.", "Use .detach() (or .data)."
        )
    found, weights = wire.tensor(values["filters"]), wire.tensor(values["weights"])
    if found is None or weights is None:
        return Mistake("no_tensor", "conv_filters should give the filters back.", "End it with: return filters")
    if found.numel() == weights.numel() and torch.allclose(found.reshape(weights.shape), weights, atol=1e-6):
        return None
    seen = f"Shape {tuple(found.shape)}; the first convolution's weights: {tuple(weights.shape)}."
    return Mistake(
        "other_filters", "These are not the filters of the first convolution.", "Take the weight of the first Conv2d as it is.", seen
    )
