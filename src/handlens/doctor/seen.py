"""What was seen of a training: every event in its order, and of the first ones the tensors too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

_MOST_PARTS = 32
_ACCURACY = re.compile(r"acc\w*\W{0,12}?(\d+(?:\.\d+)?)(?![\d.]|\s*(?:/|of\b|out\b))\s*(%?)", re.IGNORECASE)


@dataclass
class Event:
    """Something that the watched program did.

    Attributes:
        kind: `forward`, `loss`, `backward`, `gradients` (of weights, with a graph), `zero_grad`, `step`, `scheduler`, `mode`, `made` (a
            loader), `loader` (gone through), `batch`, `compare`, `argmax`, `print`, `state_dict` or `load`.
        line: of the program, counted from 1; 0 if it was not in its file.
        about: what belongs to the kind; see `Watcher`.
    """

    kind: str
    line: int
    about: dict[str, Any] = field(default_factory=dict)
    loop: int = 0  # the number of the turn of the innermost loop in which it happened

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["about"][name]
        except KeyError as error:
            raise AttributeError(name) from error


@dataclass
class Step:
    """One backward pass, and what stood around it.

    Attributes:
        backward: the event.
        forwards: the calls of networks that it went back through.
        loss: the loss that was computed last before it; None if that is the program's own.
        before: events between the backward pass before and this one.
        after: events between this one and the next.
        moved: whether weights were moved between this one and the next, by whatever; None if that was not measured.
    """

    backward: Event
    forwards: list[Event]
    loss: Event | None
    before: list[Event]
    after: list[Event]
    moved: bool | None = None

    @property
    def losses(self) -> list[Event]:
        """All losses that were computed for it, of those that have a name."""
        return [event for event in self.before if event.kind == "loss" and event.grad]

    def stale(self, held: set[int]) -> bool:
        """Whether weights that an optimizer holds still had gradients from before."""
        return any(not held or leaf in held for leaf in self.backward.stale)

    @property
    def stepped(self) -> bool:
        """Whether an optimizer, or the program by itself, made a step before the next backward pass."""
        return any(event.kind == "step" for event in self.after) or bool(self.moved)


@dataclass
class Failure:
    """An exception that ended the program: its kind, its text, the line of the program, and the lines that led there."""

    kind: str
    text: str
    line: int
    lines: tuple[int, ...] = ()


@dataclass
class Seen:
    """All that is known of a run of the program.

    Attributes:
        events: in their order.
        models: the networks that were called from outside another network, with weights; the one that was trained most comes first.
        start: a copy of each network before its first training step, by its place in `models`.
        optimizers: all that were made, in their order.
        failure: what ended it, if it did not end by itself.
        shortened: whether a loop was cut, so that it saw less than it would have.
        stopped: whether it was ended in the middle, for its time.
        stopped_at: the line that was under way then.
        dropped: backward passes in the middle of a long training of which nothing was kept.
        warnings: what Python or PyTorch warned of: text and line.
    """

    events: list[Event] = field(default_factory=list)
    models: list[nn.Module] = field(default_factory=list)
    start: dict[int, nn.Module] = field(default_factory=dict)
    optimizers: list[Any] = field(default_factory=list)
    failure: Failure | None = None
    shortened: bool = False
    stopped: bool = False
    stopped_at: int = 0
    dropped: int = 0
    warnings: list[tuple[str, int]] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Event]:
        """The events of these kinds."""
        return [event for event in self.events if event.kind in kinds]

    def accuracies(self) -> list[float]:
        """Those that were printed, as shares: 0.5 of "accuracy 0.5", "acc: 50 %" and "accuracy 50.0"; numbers of hits are left out."""
        found = [_ACCURACY.search(event.text) for event in self.of("print")]
        said = [(float(match[1]), match[1], match[2]) for match in found if match]
        return [value / 100 if percent or value > 1 else value for value, text, percent in said if percent or value <= 1 or "." in text]


def tensors(output: Any) -> list[Tensor]:
    """All tensors that a network gives: itself, or those of a tuple, a dict or an object with such parts."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, list | tuple):
        return [one for part in output for one in tensors(part)]
    parts = output if isinstance(output, dict) else getattr(output, "__dict__", {})
    return [one for part in parts.values() for one in tensors(part)] if len(parts) < _MOST_PARTS else []


def held(optimizer: Any) -> set[int]:
    """The weights that an optimizer holds, by their ids."""
    return {id(one) for group in optimizer.param_groups for one in group["params"]}


def bare(tensor: Tensor, single: int = 1) -> Tensor:
    """The tensor itself, without what `torch.func` stands around it; what `vmap` goes through one by one, all at once.

    Args:
        tensor: images N,..., scores N,K or labels N.
        single: how many dimensions it has if it is one of them, which is then put beside the others: 0 for labels.
    """
    whole, functorch = tensor, torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(whole):
        place = functorch.maybe_get_bdim(whole)
        whole = functorch.get_unwrapped(whole)
        if place >= 0:
            whole = whole.movedim(place, 0)
            whole = whole.flatten(0, 1) if tensor.ndim > single else whole
    return whole


def learns(tensor: Tensor) -> bool:
    """Whether a gradient is kept for it: on its own, or by `torch.func`, at whatever depth."""
    return any(layer.requires_grad for layer in _layers(tensor))


def unwrapped(tensor: Tensor) -> Tensor:
    """The tensor that `torch.func` stands around, with the graph that it hangs on; the tensor itself if it does not."""
    *_, inmost = _layers(tensor)
    return inmost


def _layers(tensor: Tensor) -> Iterator[Tensor]:
    """The tensor, and one after the other what it stands around."""
    yield tensor
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
        yield tensor


def rows(images: Tensor, most: int = 4096) -> list[int]:
    """A number for each row of a batch, the same one for the same numbers in it."""
    flat = images.detach().cpu().reshape(len(images), -1)[:most].contiguous()
    return [hash(row.tobytes()) for row in flat.numpy()] if flat.dtype.is_floating_point or not flat.dtype.is_complex else []


def spread(values: Tensor) -> tuple[float, float]:
    """Mean and standard deviation of all numbers."""
    return float(values.double().mean()), float(values.double().std())


def entropy(labels: Tensor) -> float:
    """Of the classes of a batch: 0 if all are the same, ln K if K come equally often."""
    shares = torch.unique(labels, return_counts=True)[1].double() / len(labels)
    return float(-(shares * shares.log()).sum())
