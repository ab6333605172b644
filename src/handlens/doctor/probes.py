"""Experiments with copies of a learner's network: what would it do if one thing were otherwise?"""

from __future__ import annotations

import contextlib
import copy
import inspect
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from handlens.doctor.clock import worked_s
from handlens.doctor.seen import tensors

if TYPE_CHECKING:
    from handlens.doctor.seen import Event, Step

_IMAGES = 32
_STEPS = 50
_PASSES = 4
_KNOWN = 0.5  # of the first loss: then it learns, and the rest needs not be seen
_SECONDS = 2.5
_ALL_SECONDS = 4.5  # of all trainings of copies together; one that comes later learns nothing, and no cause is named by it
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm2d)
_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_NORMS)
_RELUS = ("relu", "relu_", "relu6", "clamp_min")
_DROPOUTS = ("dropout", "dropout_", "dropout1d", "dropout2d", "feature_dropout")
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
    """A network before its first step, some batches, and the loss and the optimizer that the program uses.

    Attributes:
        batches: images and targets of the first steps; the first few of the first are what is learned by heart.
        scores: what of the network's answer goes into the loss.
        trained: how it ended, by what was asked; each is tried once.
        spent: seconds of all trainings.
    """

    model: nn.Module
    batches: list[tuple[Tensor, Tensor]]
    scores: Callable[[Any], Tensor]
    criterion: Callable[[Tensor, Tensor], Tensor]
    optimizer: type[torch.optim.Optimizer]
    knobs: dict[str, Any]
    trained: dict[Any, Trained] = field(default_factory=dict)
    spent: float = 0.0

    @property
    def images(self) -> Tensor:
        """What is learned by heart."""
        return self.batches[0][0][:_IMAGES]

    @classmethod
    def of(cls, model: nn.Module, steps: list[Step], optimizers: list[Any], lrs: Mapping[int, float]) -> Probe | None:
        """What steps of the program tell; None if their loss is made in a way that is not known.

        Args:
            model: as it was before its first step.
            steps: those of which the tensors were kept.
            optimizers: all of the program.
            lrs: the largest learning rate with which each of them made a step, by its id.
        """
        for loss in reversed(steps[0].losses):
            scores = _way(steps[0].forwards[-1], loss)
            if scores is not None:
                optimizer = next((event.optimizer for event in steps[0].after if event.kind == "step"), optimizers[-1])
                wanted = inspect.signature(type(optimizer).__init__).parameters
                known = {key: value for key, value in optimizer.defaults.items() if key in wanted}
                if "lr" in known and len({float(group["lr"]) for group in optimizer.param_groups}) == 1:
                    known["lr"] = lrs.get(id(optimizer), known["lr"])  # a schedule may leave nothing of what was written
                batches = [
                    (step.forwards[-1].images, other.target)
                    for step in steps
                    for other in step.losses[-1:]
                    if other.name == loss.name and step.forwards and "images" in step.forwards[-1].about and "target" in other.about
                ]
                return cls(model, batches, scores, getattr(F, loss.name), type(optimizer), known)
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
        asked = (lr, scale, steps, evaluating, *sorted(knobs.items()))
        if asked in self.trained:
            return self.trained[asked]
        images, target = self.images, self.batches[0][1][:_IMAGES]
        model = copy.deepcopy(self.model).train(not evaluating)
        losses = []
        for loss in self._losses(model, [(images * scale, target)] * steps, lr, knobs):
            losses.append(loss)
            if loss < _KNOWN * losses[0]:
                break
        self.trained[asked] = Trained(losses[0], losses[-1]) if losses else Trained(math.nan, math.nan)
        return self.trained[asked]

    def replay(self, *, lr: float = 1.0, **knobs: Any) -> Trained:
        """Learn the first batches with a copy, a few times over: harder than a handful of images by heart.

        Args:
            lr: times the program's learning rate.
            knobs: of the optimizer, in place of the program's.
        """
        count = len(self.batches)
        losses = list(self._losses(copy.deepcopy(self.model).train(), self.batches * _PASSES, lr, knobs))
        if len(losses) <= count:
            return Trained(math.nan, math.nan)
        return Trained(losses[0], sum(losses[-count:]) / count)

    def _losses(self, model: nn.Module, batches: list[tuple[Tensor, Tensor]], lr: float, knobs: dict[str, Any]) -> Iterator[float]:
        """The loss at each step, until it is no number or takes too long."""
        if self.optimizer is torch.optim.LBFGS or self.spent > _ALL_SECONDS:
            return
        for weights in model.parameters():
            weights.grad = None
        chosen = {**self.knobs, **knobs, "lr": float(self.knobs.get("lr", 1e-3)) * lr}
        optimizer, began = self.optimizer([one for one in model.parameters() if one.requires_grad], **chosen), worked_s()
        until = min(self.spent + _SECONDS, _ALL_SECONDS)
        with torch.random.fork_rng(), torch.enable_grad():
            torch.manual_seed(0)
            for images, target in batches:
                loss = self.criterion(self.scores(model(images)), target)
                self.spent, began = self.spent + worked_s() - began, worked_s()
                yield float(loss.detach())
                if not bool(loss.isfinite()) or self.spent > until:
                    return
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def gradients(self) -> dict[str, Tensor]:
        """The gradient of each weight before the first step, without dropout."""
        model = copy.deepcopy(self.model).eval()
        with torch.enable_grad():
            loss = self.criterion(self.scores(model(self.images)), self.batches[0][1][:_IMAGES])
            named = {name: one for name, one in model.named_parameters() if one.requires_grad}
            found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        return {name: one for name, one in zip(named, found, strict=True) if one is not None}

    def outputs(self, images: Tensor | None = None, *, training: bool = False) -> Tensor:
        """What the copy gives for images, without learning."""
        return run(self.model, self.images if images is None else images, training=training)


def largest_lrs(steps: list[Event]) -> dict[int, float]:
    """The largest learning rate with which an optimizer made a step, by its id."""
    found: dict[int, float] = {}
    for event in steps:
        found[id(event.optimizer)] = max(event.lr, found.get(id(event.optimizer), 0.0))
    return found


def _way(forward: Event, loss: Event) -> Callable[[Any], Tensor] | None:
    """How a loss gets its scores from what the network gave: which part of that, and what was done to it."""
    if "outputs" not in forward.about or "scores" not in loss.about:
        return None
    for place, output in enumerate(forward.outputs):
        for between in _BETWEEN.values():
            with contextlib.suppress(Exception):
                if between(output).shape == loss.scores.shape and torch.allclose(between(output), loss.scores, atol=1e-5):
                    return lambda given, place=place, between=between: between(tensors(given)[place])  # type: ignore[misc]
    return None


def run(model: nn.Module, *given: Tensor, training: bool = False, awake: Collection[str] = ()) -> Tensor:
    """What a network gives for images, and for what it gets with them; it is left as it was.

    Args:
        model: the network.
        given: what it is called with.
        training: the mode of all its parts.
        awake: classes whose parts are in training all the same.
    """
    network = copy.deepcopy(model).train(training)
    for module in network.modules():
        module.training |= type(module).__name__ in awake
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        scores = tensors(network(*given))
    return next((one for one in scores if one.ndim > 1), scores[0])


def varies(model: nn.Module, images: Tensor) -> bool:
    """Whether a network gives different images different answers."""
    given = run(model, images)
    return bool((given - given[:1]).abs().max() > 1e-9)


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
    module, given = next((one for one in found if len(one[1]) == len(images)), found[0])  # another may make weights
    return None if isinstance(module, _NORMS) else given


def relus(model: nn.Module, images: Tensor) -> list[Tensor]:
    """What each ReLU of a network gives, be it a layer or a function, in the order of the calls."""
    network, seen = copy.deepcopy(model).eval(), _Relus()
    with contextlib.suppress(Exception), torch.no_grad(), seen:
        network(images)
    return seen.given


def drops(model: nn.Module, images: Tensor) -> bool:
    """Whether a dropout is at work in a network that evaluates."""
    network, seen = copy.deepcopy(model).eval(), _Drops()
    with contextlib.suppress(Exception), torch.no_grad(), torch.random.fork_rng(), seen:
        network(images)
    return seen.found


class _Drops(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if getattr(function, "__name__", "") in _DROPOUTS and isinstance(result, Tensor):
            self.found |= bool((result == 0).sum() > (args[0] == 0).sum())
        return result


class _Relus(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.given: list[Tensor] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if getattr(function, "__name__", "") in _RELUS:
            self.given.append(result.detach())
        return result


def called(model: nn.Module, *given: Tensor) -> set[str]:
    """The names of the parts of a network whose forward is called for these images, and what it gets with them, in training."""
    found: set[str] = set()
    network = copy.deepcopy(model).train()
    for name, module in network.named_modules():
        module.register_forward_hook(lambda _module, _inputs, _output, name=name: found.add(name))
    with contextlib.suppress(Exception), torch.no_grad(), torch.random.fork_rng():
        network(*given)
    return found
