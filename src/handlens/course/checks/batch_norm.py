"""In training mode an image's scores hang on its batch and the running means move; in eval mode neither."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.probing import NETWORK_CAUSES, ask_network, first, judge_network, made, play_network, state
from handlens.course.verdict import Mistake

NEEDS = ("MNISTCNN",)
CAUSES = tuple(cause for cause in NETWORK_CAUSES if cause != "batch_scramble")  # here the batch may count
STRICT = True
ask = ask_network


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Its answers, watched."""
    return play_network(names["MNISTCNN"], given)


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """One image in two batches, and what is remembered of them."""
    model, images = made(names["MNISTCNN"]), given["images"]
    for one in model.modules():
        if isinstance(one, torch.nn.modules.dropout._DropoutNd):
            one.p = 0.0
    before = state(model)
    with torch.no_grad():
        model.train()
        scores = {"with": model(images[:6])[:1], "without": model(torch.cat([images[:1], images[7:12] * 0.3]))[:1]}
        running = any("running_mean" in name and not torch.equal(one, before[name]) for name, one in state(model).items())
        model.eval()
        scores |= {"eval with": model(images[:6])[:1], "eval without": model(images[:1])}
    return {"by batch": scores, "running": running}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """It normalises by the batch when it trains, and by what it remembers when it is tested."""
    scores = {name: wire.plain(one).double() for name, one in values["by batch"].items()}
    return first(
        lambda: _by_batch_in_eval(scores),
        lambda: judge_network(values),
        lambda: _no_convolution(values["shapes"]),
        lambda: _not_by_batch(scores),
        lambda: _nothing_remembered(values["running"]),
        lambda: _of_images(values["modules"]),
    )


def _by_batch_in_eval(scores: dict[str, Tensor]) -> Mistake | None:
    if torch.allclose(scores["eval with"], scores["eval without"], atol=1e-4):
        return None
    sentence = "In eval mode the scores of an image still depend on the others in its batch."
    return Mistake(
        "batch_in_eval",
        sentence,
        "Use nn.BatchNorm2d as it comes: it remembers means for the test.",
        "One image, alone and among six: other scores.",
    )


def _no_convolution(shapes: list[list[int]]) -> Mistake | None:
    if any(len(shape) == 4 for shape in shapes):
        return None
    return Mistake("no_convolution", "There is no convolution in the network.", "Begin with the CNN of exercise 11.")


def _not_by_batch(scores: dict[str, Tensor]) -> Mistake | None:
    if not torch.allclose(scores["with"], scores["without"], atol=1e-5):
        return None
    sentence = "In training mode the batch makes no difference: nothing is normalised by it."
    return Mistake(
        "no_batch_norm", sentence, "Call an nn.BatchNorm2d behind a convolution, in forward.", "One image in two batches: the same scores."
    )


def _nothing_remembered(running: bool) -> Mistake | None:
    if running:
        return None
    sentence = "Nothing is remembered of the batches, so there is nothing to test with."
    return Mistake("nothing_remembered", sentence, "Use nn.BatchNorm2d(channels) with its usual settings.", "No running mean has moved.")


def _of_images(modules: list[str]) -> Mistake | None:
    if "BatchNorm2d" in modules or "SyncBatchNorm" in modules or "LazyBatchNorm2d" in modules:
        return None
    sentence = "Batch norm stands behind the fully connected layers only."
    return Mistake(
        "not_behind_convolution", sentence, "Put nn.BatchNorm2d behind a convolution.", f"The layers: {', '.join(modules[1:8])}."
    )
