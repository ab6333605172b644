"""Experiments with copies of a learner's network: what would it do if one thing were otherwise?"""

from __future__ import annotations

import contextlib
import copy
import inspect
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from handlens.doctor.seen import Step

_IMAGES = 32
_STEPS = 50
_KNOWN = 0.5  # of the first loss: then it learns, and the rest needs not be seen
_SECONDS = 2.5
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_NORMS)
_BETWEEN: dict[str, Callable[[Tensor], Tensor]] = {
    "nothing": lambda scores: scores,
    "softmax": lambda scores: scores.softmax(-1),
    "log_softmax": lambda scores: scores.log_softmax(-1),
    "sigmoid": torch.sigmoid,
    "squeeze": lambda scores: scores.squeeze(),
    "softmax of columns": lambda scores: scores.softmax(0),
}


@dataclass(frozen=True)
class Trained:
    """How a short training of a copy ended: its first loss, its last one, and whether that is a number."""

    first: float
    last: float

    @property
    def finite(self) -> bool:
        """Whether the loss remained a number."""
        return math.isfinite(self.last)

    @property
    def fell(self) -> bool:
        """Whether it learned: a few dozen images are soon known by heart."""
        return self.finite and self.last < 0.6 * self.first


@dataclass
class Probe:
    """A network before its first step, some images, and the loss and the optimizer that the program uses."""

    model: nn.Module
    images: Tensor
    target: Tensor
    criterion: Callable[[Tensor, Tensor], Tensor]
    between: Callable[[Tensor], Tensor]
    optimizer: type[torch.optim.Optimizer]
    knobs: dict[str, Any]

    @classmethod
    def of(cls, model: nn.Module, step: Step, optimizers: list[Any]) -> Probe | None:
        """What a step of the program tells; None if its loss is made in a way that is not known."""
        forward, loss = step.forwards[-1], step.loss
        if loss is None or "images" not in forward.about or "scores" not in loss.about:
            return None
        output, scores = forward.output, loss.scores
        for between in _BETWEEN.values():
            with contextlib.suppress(Exception):
                if between(output).shape == scores.shape and torch.allclose(between(output), scores, atol=1e-5):
                    optimizer = next((event.optimizer for event in step.after if event.kind == "step"), optimizers[-1])
                    wanted = inspect.signature(type(optimizer).__init__).parameters
                    known = {key: value for key, value in optimizer.defaults.items() if key in wanted}
                    criterion = getattr(F, loss.name)
                    return cls(model, forward.images[:_IMAGES], loss.target[:_IMAGES], criterion, between, type(optimizer), known)
        return None

    def train(self, *, lr: float = 1.0, scale: float = 1.0, steps: int = _STEPS, evaluating: bool = False, **knobs: Any) -> Trained:
        """Learn the images by heart with a copy.

        Args:
            lr: times the program's learning rate.
            scale: times the pixels.
            steps: how many at most.
            evaluating: without dropout and with the batch norm of evaluation.
            knobs: of the optimizer, in place of the program's.
        """
        model = copy.deepcopy(self.model).train(not evaluating)
        for weights in model.parameters():
            weights.grad = None
        chosen = {**self.knobs, **knobs, "lr": float(self.knobs.get("lr", 1e-3)) * lr}
        if self.optimizer is torch.optim.LBFGS:
            return Trained(math.nan, math.nan)
        optimizer = self.optimizer([one for one in model.parameters() if one.requires_grad], **chosen)
        images, first, last, began = self.images * scale, math.nan, math.nan, time.perf_counter()
        with torch.random.fork_rng(), torch.enable_grad():
            torch.manual_seed(0)
            for step in range(steps):
                loss = self.criterion(self.between(model(images)), self.target)
                last = float(loss.detach())
                first = last if step == 0 else first
                if not math.isfinite(last) or last < _KNOWN * first or time.perf_counter() - began > _SECONDS:
                    break
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return Trained(first, last)

    def outputs(self, images: Tensor | None = None, *, training: bool = False) -> Tensor:
        """What the copy gives for images, without learning."""
        return run(self.model, self.images if images is None else images, training=training)


def run(model: nn.Module, images: Tensor, *, training: bool = False) -> Tensor:
    """What a network gives for images; it is left as it was."""
    network = copy.deepcopy(model).train(training)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        result = network(images)
    if not isinstance(result, Tensor):
        raise TypeError("it gives no tensor")
    return result


def first_weighted_input(model: nn.Module, images: Tensor) -> Tensor | None:
    """What comes to the first layer with weights; None if that is a norm, which scales what it gets, or if there is none."""
    found: list[tuple[nn.Module, Tensor]] = []
    network = copy.deepcopy(model)
    for module in network.modules():
        if isinstance(module, _WEIGHTED):
            module.register_forward_pre_hook(lambda module, inputs: found.append((module, inputs[0].detach())))
    with contextlib.suppress(Exception), torch.no_grad():
        network.eval()(images)
    if not found:
        return images
    return None if isinstance(found[0][0], _NORMS) else found[0][1]


def activations(model: nn.Module, images: Tensor, kinds: tuple[type[nn.Module], ...]) -> list[Tensor]:
    """What each layer of these kinds gives, in the order of the calls."""
    found: list[Tensor] = []
    network = copy.deepcopy(model).eval()
    for module in network.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda _module, _inputs, output: found.append(output.detach()))
    with contextlib.suppress(Exception), torch.no_grad():
        network(images)
    return found


def called(model: nn.Module, images: Tensor) -> set[str]:
    """The names of the parts of a network whose forward is called for these images, in training."""
    found: set[str] = set()
    network = copy.deepcopy(model).train()
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _module, _inputs, _output, name=name: found.add(name))
    with contextlib.suppress(Exception), torch.no_grad(), torch.random.fork_rng():
        network(images)
    return found
