"""In training mode an image's scores hang on its batch and the running means move; in eval mode neither."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.probing import NETWORK_CAUSES, ask_network, first, judge_network, made, no_convolution, play_network, state
from handlens.course.verdict import Mistake
from handlens.words import counted

NEEDS = ("MNISTCNN",)
CAUSES = tuple(cause for cause in NETWORK_CAUSES if cause != "batch_scramble")  # here the batch may count
STRICT = True
ask = ask_network


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Its answers, watched."""
    return play_network(names["MNISTCNN"], given)


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """One image in two batches, and what is remembered of them."""
    images = given["images"]
    model = made(names["MNISTCNN"], images)
    for one in model.modules():
        if isinstance(one, torch.nn.modules.dropout._DropoutNd):
            one.p = 0.0
    before = state(model)
    behind = normed(model.train()(images))
    with torch.no_grad():
        scores = {"with": model(images[:6])[:1], "without": model(torch.cat([images[:1], images[7:12] * 0.3]))[:1]}
        running = any("running_mean" in name and not torch.equal(one, before[name]) for name, one in state(model).items())
        model.eval()
        scores |= {"eval with": model(images[:6])[:1], "eval without": model(images[:1])}
    return {"by batch": scores, "running": running, "behind": behind}


def normed(scores: Tensor) -> list[bool]:
    """For each convolution, but one that gives the scores: whether a batch norm comes before the next layer with weights."""
    found: dict[Any, bool] = {}
    waiting, known = [(scores.grad_fn, False, False)], set[Any]()
    while waiting:
        node, hidden, norm = waiting.pop()
        if node is None or (node, hidden, norm) in known:
            continue
        known.add((node, hidden, norm))
        kind = type(node).__name__
        if "Convolution" in kind and (hidden or norm):
            found[node] = found.get(node, False) or norm
        if any(part in kind for part in ("Convolution", "Addmm", "MmBackward")):
            hidden, norm = True, False
        norm = norm or "BatchNorm" in kind
        waiting += [(following, hidden, norm) for following, _ in node.next_functions]
    return [*found.values()]


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """It normalises by the batch when it trains, and by what it remembers when it is tested."""
    scores = {name: wire.plain(one).double() for name, one in values["by batch"].items()}
    return first(
        lambda: _by_batch_in_eval(scores),
        lambda: judge_network(values),
        lambda: no_convolution(values["shapes"], "Begin with the CNN of exercise 11."),
        lambda: _not_by_batch(scores),
        lambda: _nothing_remembered(values["running"]),
        lambda: _of_images(values["modules"]),
        lambda: _behind_each(values["behind"]),
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


def _behind_each(behind: list[bool]) -> Mistake | None:
    if all(behind):
        return None
    sentence = "Not every convolution has a batch norm behind it."
    seen = f"Of {counted(len(behind), 'convolution')} {counted(sum(behind), 'has', 'have')} one."
    return Mistake("not_behind_each", sentence, "Give each convolution a batch norm of its own, and call it in forward.", seen)
