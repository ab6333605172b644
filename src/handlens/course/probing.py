"""What several checks do: pictures to ask with, networks to be asked, and what their answers tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.course import wire
from handlens.course.verdict import Mistake
from handlens.doctor.network import OF_NETWORKS
from handlens.doctor.rehearsal import Rehearsal

NETWORK_CAUSES = OF_NETWORKS
_STEPS, _SECONDS = 3, 1.0
_ASKED = ("scores", "again", "alone", "between")


def pictures(chance: torch.Generator, count: int) -> Tensor:
    """Made-up grey pictures, count,1,28,28 from 0 to 1: a few soft strokes on black, in the middle."""
    coarse = torch.rand(count, 1, 7, 7, generator=chance) * (torch.rand(count, 1, 7, 7, generator=chance) < 0.4)
    coarse[:, :, [0, 6]] = 0
    coarse[:, :, :, [0, 6]] = 0
    return F.interpolate(coarse, (28, 28), mode="bilinear").clamp(0, 1)


def labels(chance: torch.Generator, count: int) -> Tensor:
    """Class numbers from 0 to 9."""
    return torch.randint(0, 10, (count,), generator=chance)


def batches(images: Tensor, targets: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """Batches, the last of which may be smaller."""
    return list(zip(images.split(size), targets.split(size), strict=True))


def made(maker: Any, images: Tensor) -> nn.Module:
    """The network that a learner's name stands for: a class, a function that makes one, or a network.

    It has seen images, so that lazy layers know their sizes.
    """
    model: nn.Module = maker if isinstance(maker, nn.Module) else maker()
    with torch.no_grad():
        model.eval()(images)
    return model.train()


def ask_network(chance: torch.Generator) -> dict[str, Tensor]:
    """Pictures to ask a network about."""
    targets = labels(chance, 12)
    targets[0] = 9
    return {"images": pictures(chance, 12), "labels": targets}


def play_network(maker: Any, given: dict[str, Tensor]) -> dict[str, Any]:
    """Let a copy take a few steps, so that the doctor sees it; then ask one that is as it was made."""
    images, targets = given["images"], given["labels"]
    first = maker if isinstance(maker, nn.Module) else maker()
    scores = first(images)
    if isinstance(scores, Tensor) and not scores.requires_grad:
        return {"graph": False}
    rehearse(first, images, targets)
    model = made(maker, images).eval()
    weights = [list(one.shape) for one in model.parameters()]
    with torch.no_grad():
        scores = {
            "scores": model(images),
            "again": model(images),
            "alone": model(images[3:4]),
            "between": model((images + images.roll(1, 0)) / 2),
        }
    return {**scores, "graph": True, "shapes": weights, "modules": [type(one).__name__ for one in model.modules()]}


def rehearse(model: Any, images: Tensor, targets: Tensor) -> None:
    """A few training steps as they should be, on the network's own behalf."""
    Rehearsal(model, F.cross_entropy, torch.optim.SGD(model.parameters(), lr=0.01), batches(images, targets, 4)).run(_STEPS, _SECONDS)


def judge_network(values: dict[str, Any]) -> Mistake | None:
    """What the scores of a network tell."""
    if not values["graph"]:
        sentence = "The scores do not hang on the weights any more, so no gradient can go back."
        return Mistake("no_grad_in_training", sentence, "Take no_grad, .data and .detach() out of forward.")
    if not all(isinstance(wire.plain(values[name]), Tensor) for name in _ASKED):
        return Mistake("forward_returns_none", "forward gives something else than scores back.", "End it with: return x.")
    scores, again, alone, between = (wire.plain(values[name]).double() for name in _ASKED)
    if scores.shape != (12, 10):
        seen = f"For 12 images the scores have the shape {tuple(scores.shape)}."
        return Mistake("score_shape", "Each image should get ten scores, one for each digit.", "Look at the last layer: 10 outputs.", seen)
    rules = (_random, _mixed, _probabilities, _never_negative, _deaf, _straight)
    return next((found for rule in rules if (found := rule(scores, again, alone, between))), None)


def _random(scores: Tensor, again: Tensor, *_: Tensor) -> Mistake | None:
    if torch.allclose(scores, again, atol=1e-5):
        return None
    seen = f"The same images in eval mode: scores differ by up to {(scores - again).abs().max():.2f}."
    return Mistake(
        "not_the_same_twice",
        "Asked twice in eval mode, the network answers differently.",
        "Make all layers in __init__, and use dropout as a layer.",
        seen,
    )


def _mixed(scores: Tensor, _again: Tensor, alone: Tensor, *_: Tensor) -> Mistake | None:
    if alone.shape == (1, 10) and torch.allclose(scores[3:4], alone, atol=1e-4):
        return None
    seen = "Image 3 gets other scores alone than among eleven others."
    return Mistake(
        "batch_scramble",
        "The scores of an image depend on the other images of its batch.",
        "Use flatten(1), which keeps the images apart.",
        seen,
    )


def _probabilities(scores: Tensor, *_: Tensor) -> Mistake | None:
    if (scores < 0).any() or not torch.allclose(scores.sum(1), torch.ones(len(scores), dtype=scores.dtype), atol=1e-3):
        return None
    sentence = "These are probabilities already; CrossEntropyLoss wants raw scores, and takes softmax itself."
    return Mistake("softmax_before_ce", sentence, "Take the softmax out of forward.", "Each row sums to 1.")


def _never_negative(scores: Tensor, *_: Tensor) -> Mistake | None:
    if (scores < 0).any():
        return None
    return Mistake(
        "relu_on_output",
        "No score is ever below zero: the last layer is cut off.",
        "Take the ReLU after the last layer out.",
        "The lowest score is 0.",
    )


def _deaf(scores: Tensor, *_: Tensor) -> Mistake | None:
    if (scores - scores[:1]).abs().max() > 1e-6:
        return None
    return Mistake(
        "ignores_images", "All images get the same scores.", "Look at what forward does with x, line by line.", "Twelve images, one answer."
    )


def _straight(scores: Tensor, _again: Tensor, _alone: Tensor, between: Tensor) -> Mistake | None:
    return no_activation(scores, between, "The mean of two images gets just the mean of their scores.")


def no_activation(scores: Tensor, between: Tensor, seen: str) -> Mistake | None:
    """A network without activations is a plane: half-way between two images it gives the middle of their scores.

    Args:
        scores: N,10, of images.
        between: N,10, half-way between each image and the one before it.
        seen: the evidence.
    """
    middle = (scores + scores.roll(1, 0)) / 2
    if (between - middle).abs().max() > 1e-5 * scores.abs().max():
        return None
    sentence = "Without an activation such as ReLU between them, several layers can do no more than one."
    return Mistake("no_activation", sentence, "Put a ReLU between the layers.", seen)


def no_convolution(shapes: list[list[int]], change: str) -> Mistake | None:
    """Whether one of the weights is that of a convolution."""
    if any(len(shape) == 4 for shape in shapes):
        return None
    return Mistake("no_convolution", "There is no convolution in the network.", change)


def missing_zero_grad(seen: str = "") -> Mistake:
    """Gradients that add up."""
    sentence = "Old gradients are still there when new ones come, so they add up."
    return Mistake("missing_zero_grad", sentence, "Write optimizer.zero_grad() before loss.backward().", seen)


def state(model: nn.Module) -> dict[str, Tensor]:
    """A copy of what a network has learned."""
    return {name: one.detach().clone() for name, one in model.state_dict().items()}


def is_close(value: Any, expected: float, within: float) -> bool:
    """Whether a value is a number near to another."""
    number = wire.number(value)
    return number is not None and abs(number - expected) <= within


def first(*rules: Callable[[], Mistake | None]) -> Mistake | None:
    """What the first rule says that is not satisfied."""
    return next((found for rule in rules if (found := rule())), None)
