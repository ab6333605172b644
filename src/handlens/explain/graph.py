"""The network as boxes and arrows, in the order in which an image passes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from handlens.explain.subject import Subject, image_shape, network
from handlens.explain.trace import Step, trace

if TYPE_CHECKING:
    from handlens.plots import Picture, Theme

_JOINING = {"add": "+", "sub": "−", "mul": "×", "cat": "concatenate", "concat": "concatenate"}
_RESHAPING = ("flatten", "view", "reshape")
_SAYS_NOTHING = (nn.Identity,)


@dataclass(frozen=True)
class Box:
    """One box: a layer with what follows it at once and has no weights of its own to speak of.

    Attributes:
        title: the layer.
        more: batch norm, activation and the like that come right after it.
        shape: of one image behind it.
        parameters: numbers that it learns.
        inputs: the places of the boxes that lead into it; -1 stands for the image.
    """

    title: str
    more: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """Boxes `first` to before `end` that stand between two points which all arrows pass; `times` such blocks follow each other."""

    first: int
    end: int
    times: int


@dataclass(frozen=True)
class Graph:
    """A network's boxes in the order of use, with the image's shape before them; repeated blocks are folded by `blocks`."""

    image_shape: tuple[int, ...]
    boxes: tuple[Box, ...]

    @property
    def blocks(self) -> list[Block]:
        """The boxes block by block: equal blocks that follow each other once, with how many there are."""
        found: list[Block] = []
        for first, end in _blocks(self.boxes):
            before = found[-1] if found else None
            if before and _looks(self.boxes, before.first, before.end) == _looks(self.boxes, first, end):
                found[-1] = Block(before.first, before.end, before.times + 1)
            else:
                found.append(Block(first, end, 1))
        return found

    def show(self, theme: Theme | None = None) -> Picture:
        """The boxes from top to bottom, a branch beside what it goes around."""
        from handlens import plots

        return plots.plot_graph(
            self.image_shape, self.boxes, [(block.first, block.end, block.times) for block in self.blocks], theme=theme or plots.LIGHT
        )


def graph(subject: Subject, shape: Sequence[int] | None = None) -> Graph:
    """The graph of any network, found by sending one black image through it.

    Args:
        subject: a run or any network.
        shape: channels, height, width of the image; the run's own, or those of MNIST, if None.

    Raises:
        ModelError: the network does not accept such an image.
    """
    shape = image_shape(subject, shape)
    return Graph(shape, tuple(_boxes(trace(network(subject), torch.zeros(1, *shape)))))


def _boxes(steps: Sequence[Step]) -> list[Box]:
    """Steps joined to boxes: what has no weight matrix goes to the step before it, if that leads nowhere else."""
    boxes: list[Box] = []
    place = {-1: -1}
    readers = [sum(number in step.inputs for step in steps) for number in range(len(steps))]
    for number, step in enumerate(steps):
        inputs = tuple(dict.fromkeys(place[source] for source in step.inputs))
        if isinstance(step.module, _SAYS_NOTHING):
            place[number] = inputs[0]
        elif boxes and inputs == (len(boxes) - 1,) and readers[step.inputs[0]] == 1 and _belongs_to(boxes[-1], step):
            boxes[-1] = _with(boxes[-1], step)
            place[number] = len(boxes) - 1
        else:
            boxes.append(Box(title(step), (), tuple(step.output.shape[1:]), _parameters(step), inputs))
            place[number] = len(boxes) - 1
    return boxes


def _belongs_to(box: Box, step: Step) -> bool:
    """Activations and the like belong to any box; pooling does not belong to a sum, nor does flattening to a convolution."""
    if any(weights.ndim > 1 for weights in (step.module.parameters() if step.module else ())):
        return False
    shape = tuple(step.output.shape[1:])
    return shape == box.shape or (len(box.inputs) == 1 and (len(shape) == len(box.shape) or not box.parameters))


def _with(box: Box, step: Step) -> Box:
    return Box(box.title, (*box.more, title(step)), tuple(step.output.shape[1:]), box.parameters + _parameters(step), box.inputs)


def _parameters(step: Step) -> int:
    return sum(weights.numel() for weights in step.module.parameters() if weights.requires_grad) if step.module else 0


def title(step: Step) -> str:
    """What a box is called: the layer in a word, with the sizes that matter."""
    module = step.module
    if isinstance(module, nn.Conv2d):
        stride = f", stride {module.stride[0]}" if module.stride[0] != 1 else ""
        return f"Conv {'×'.join(map(str, module.kernel_size))}, {module.in_channels} → {module.out_channels}{stride}"
    if isinstance(module, nn.Linear):
        return f"Linear, {module.in_features} → {module.out_features}"
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        size = module.kernel_size if isinstance(module.kernel_size, tuple) else (module.kernel_size,) * 2
        return f"{'Max' if isinstance(module, nn.MaxPool2d) else 'Average'} pool {'×'.join(map(str, size))}"
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return "Average over the map" if module.output_size in (1, (1, 1)) else "Average pool"
    return _WORDS.get(step.kind, _JOINING.get(step.kind, "Flatten" if step.kind in _RESHAPING else step.kind))


_WORDS = {"BatchNorm1d": "BatchNorm", "BatchNorm2d": "BatchNorm", "relu": "ReLU", "LeakyReLU": "Leaky ReLU", "max_pool2d": "Max pool"}


def _blocks(boxes: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """Where to cut: after a box that alone leads to what comes later."""
    first = 0
    for last in range(len(boxes)):
        crossing = {source for box in boxes[last + 1 :] for source in box.inputs if source <= last}
        if crossing <= {last}:
            yield first, last + 1
            first = last + 1


def _looks(boxes: Sequence[Box], first: int, end: int) -> list[tuple[object, ...]]:
    """What a block looks like, wherever it stands."""
    return [(box.title, box.more, box.shape, tuple(source - first for source in box.inputs)) for box in boxes[first:end]]
