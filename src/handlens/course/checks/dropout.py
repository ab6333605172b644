"""The network is asked again and again: in training mode it must waver, in eval mode not, and its scores must all be there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.probing import NETWORK_CAUSES, ask_network, first, judge_network, made, play_network
from handlens.course.verdict import Mistake
from handlens.words import counted

NEEDS = ("DropoutNet",)
CAUSES = tuple(cause for cause in NETWORK_CAUSES if cause not in ("dead_relu", "layers_in_forward"))
STRICT = True
_TIMES = 60
ask = ask_network


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """Its answers, watched."""
    return play_network(names["DropoutNet"], given)


def play_on(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """One image, often, in both modes; and in training mode one with a single bright pixel."""
    model = made(names["DropoutNet"], given["images"])
    often = given["images"][:1].repeat(_TIMES, 1, 1, 1)
    pixel = torch.zeros_like(often)
    pixel[:, :, 14, 14] = 1.0
    for one in model.modules():
        if isinstance(one, torch.nn.modules.batchnorm._BatchNorm):  # by which images would depend on each other
            one.eval()
    with torch.no_grad():
        training = {"training": model(often), "pixel": model(pixel)}
        model.eval()
        return {**training, "evaluating": torch.cat([model(given["images"][:1]) for _ in range(8)])}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """It wavers when it should, and where it should."""
    training, evaluating = (wire.plain(values[name]).double() for name in ("training", "evaluating"))
    return first(
        lambda: _still_on(evaluating),
        lambda: _on_the_scores(training),
        lambda: _never_on(training),
        lambda: judge_network(values),
        lambda: _on_the_pixels(wire.plain(values["pixel"]).double()),
    )


def _still_on(evaluating: Tensor) -> Mistake | None:
    if torch.allclose(evaluating, evaluating[:1], atol=1e-6):
        return None
    seen = f"The same image in eval mode: scores differ by up to {(evaluating - evaluating[:1]).abs().max():.2f}."
    change = "Use nn.Dropout as a layer of __init__; F.dropout needs training=self.training."
    return Mistake("dropout_in_eval", "Dropout is still on in eval mode.", change, seen)


def _on_the_scores(training: Tensor) -> Mistake | None:
    share = float((training == 0).double().mean())
    if share < 0.02:
        return None
    return Mistake(
        "dropout_on_scores",
        "Dropout erases the scores themselves.",
        "Put it after a ReLU, before the last layer.",
        f"{share:.0%} of the scores are exactly 0.",
    )


def _never_on(training: Tensor) -> Mistake | None:
    if not torch.allclose(training, training[:1], atol=1e-6):
        return None
    return Mistake(
        "no_dropout",
        "In training mode the same image always gets the same scores: nothing is dropped.",
        "Call the dropout layer in forward, after a ReLU.",
        "60 times the same image, 60 times the same scores.",
    )


def _on_the_pixels(scores: Tensor) -> Mistake | None:
    """A pixel is there or not: only hidden units can be dropped in more ways than these two."""
    kinds = 0
    while len(scores) and kinds < 3:
        scores, kinds = scores[(scores - scores[0]).abs().amax(1) > 1e-5], kinds + 1
    if kinds > 2:
        return None
    return Mistake(
        "dropout_on_pixels",
        "Dropout stands before the first layer: it drops pixels, and no hidden units.",
        "Put it after a hidden layer's ReLU.",
        f"An image with one bright pixel, 60 times: scores of {counted(kinds, 'kind')}.",
    )
