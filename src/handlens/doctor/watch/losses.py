"""Losses and backward passes: what came to them, and which weights they reached."""

from __future__ import annotations

import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from handlens.doctor.seen import Event
from handlens.doctor.watch.graphs import Graphs
from handlens.doctor.watch.handwritten import recognised
from handlens.doctor.watch.recorder import KEPT, MEASURED, Recorder

LOSSES = (
    "cross_entropy",
    "nll_loss",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multi_margin_loss",
    "gaussian_nll_loss",
    "multilabel_soft_margin_loss",
)
_MOST_NODES = 3000
_MADE = 4  # before a loss there may be a change of shape


class Losses:
    """Looks at losses and at gradients."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self._values: dict[int, tuple[Tensor, Tensor]] = {}
        self._graphs = Graphs(record)

    def watch(self) -> None:
        """Begin."""
        for name in LOSSES:
            self.record.patch(F, name, functools.partial(self._loss_wrapper, name))
        for owner, name in ((F, "softmax"), (F, "log_softmax")):
            self.record.patch(owner, name, functools.partial(self._softmax_wrapper, name))
        for name in ("softmax", "log_softmax"):
            self.record.patch(Tensor, name, functools.partial(self._softmax_wrapper, name))
            self.record.patch(torch, name, functools.partial(self._softmax_wrapper, name))
        self.record.patch(Tensor, "backward", self._backward_wrapper)
        self.record.patch(torch.autograd, "backward", self._backward_wrapper)
        self.record.patch(torch.autograd, "grad", self._grad_wrapper)

    def _loss_wrapper(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(input: Any, target: Any, *args: Any, **knobs: Any) -> Any:  # noqa: A002
            try:
                value = original(input, target, *args, **knobs)
            except Exception:
                self.record.quiet(lambda: self.record.add("refused", name=name, scores=input.detach(), target=target.detach()))
                raise
            self.record.quiet(self._loss, name, input, target, value, knobs)
            return value

        return loss

    def _loss(self, name: str, scores: Tensor, target: Tensor, value: Tensor, knobs: dict[str, Any]) -> None:
        event = self.record.add(
            "loss",
            name=name,
            value=float(value.detach().mean()),
            grad=value.requires_grad,
            shapes=(tuple(scores.shape), tuple(target.shape)),
            dtype=target.dtype,
            reduction=knobs.get("reduction", "mean"),
            made=list(_made(scores)),
            knobs={key: knob for key, knob in knobs.items() if isinstance(knob, float | int | str)},
        )
        if value.requires_grad and target.ndim == 1 and not target.is_floating_point() and self.record.few("classes", 2000):
            event.about["classes"] = frozenset(target.unique()[:64].tolist())
        if self.record.few(f"loss {event.line} {value.requires_grad}", KEPT):
            event.about |= {"scores": scores.detach().clone(), "target": target.detach().clone()}

    def _softmax_wrapper(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def softmax(input: Any, dim: int | None = None, *args: Any, **knobs: Any) -> Any:  # noqa: A002
            result = original(input, dim, *args, **knobs) if dim is not None else original(input, *args, **knobs)
            if not self.record.busy and isinstance(input, Tensor) and self.record.few(f"softmax {name}", 500):
                self.record.quiet(lambda: self.record.add("softmax", name=name, dim=dim, ndim=input.ndim, grad=result.requires_grad))
            return result

        return softmax

    def _backward_wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(loss: Any, *args: Any, **knobs: Any) -> Any:
            if self.record.busy or (isinstance(loss, Tensor) and sys._getframe(1).f_code.co_filename.endswith("_tensor.py")):
                return original(loss, *args, **knobs)
            first = loss[0] if isinstance(loss, list | tuple) else loss
            self.record.quiet(self._before_backward, first)
            result = original(loss, *args, **knobs)
            self.record.quiet(self._after_backward)
            return result

        return backward

    def _grad_wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def grad(outputs: Any, inputs: Any, *args: Any, **knobs: Any) -> Any:
            wanted = tuple(inputs) if isinstance(inputs, Iterator) else inputs  # a generator can be gone through only once
            self.record.quiet(self._before_grad, outputs, wanted, knobs)
            return original(outputs, wanted, *args, **knobs)

        return grad

    def _before_grad(self, outputs: Any, inputs: Any, knobs: dict[str, Any]) -> None:
        """Gradients for weights are as good as a backward pass, unless another one goes through them."""
        if not _are_weights(inputs):
            return
        if knobs.get("create_graph"):
            self.record.add("gradients")
        else:
            self._before_backward(outputs if isinstance(outputs, Tensor) else outputs[0], adding=False)

    def _before_backward(self, loss: Tensor, *, adding: bool = True) -> None:
        """A backward pass begins.

        Args:
            loss: one number.
            adding: whether gradients are added to those that the weights have.
        """
        self.record.loops.count_backward()
        leaves, nodes = graph(loss)
        reached = [event for event, given in self.record.outputs if any(output.grad_fn in nodes for output in given)]
        self._recognise(loss, nodes, reached)
        for event in reached:
            event.about["trains"] = True
        self.record.outputs = [(event, given) for event, given in self.record.outputs if not event.trains]
        stale = [leaf for leaf in leaves if adding and leaf.grad is not None and bool(leaf.grad.ne(0).any())]
        event = self.record.add(
            "backward", value=float(loss.detach().sum()), leaves=leaves, stale=[id(leaf) for leaf in stale], forwards=reached, moved=None
        )
        self._graphs.follow(event, loss)
        if self.record.few("first values", 1):
            event.about["values"] = [leaf.detach().clone() for leaf in leaves]
        if self.record.few(f"values {hash(frozenset(map(id, leaves)))}", MEASURED):  # of each network
            event.about["moved"] = self._moved(leaves)
            self._values |= {id(leaf): (leaf, leaf.detach().clone()) for leaf in leaves}

    def _recognise(self, loss: Tensor, nodes: set[Any], reached: list[Event]) -> None:
        """The loss, if it was computed by no function of PyTorch's since the backward pass before."""
        since = itertools.takewhile(lambda event: event.kind != "backward", reversed(self.record.seen.events))
        if any(event.kind == "loss" and event.grad for event in since) or not self.record.few("handwritten", 2 * KEPT):
            return
        known = {id(event) for event in reached}
        outputs = [one for event, given in self.record.outputs if id(event) in known for one in given]
        if found := recognised(loss, nodes, outputs):
            self._loss(found.name, found.scores, found.target, loss, {})

    def _moved(self, leaves: list[Tensor]) -> dict[int, float]:
        """How far each weight went since the backward pass before, relative to its length."""
        known = [(leaf, self._values[id(leaf)][1]) for leaf in leaves if id(leaf) in self._values]
        return {
            id(leaf): float((leaf.detach() - old).norm() / old.norm().clamp_min(1e-8)) for leaf, old in known if old.shape == leaf.shape
        }

    def _after_backward(self) -> None:
        event = next(event for event in reversed(self.record.seen.events) if event.kind == "backward")
        leaves: list[Tensor] = event.leaves
        if self.record.few("gradients", MEASURED):
            event.about["norms"] = [float(leaf.grad.norm()) if leaf.grad is not None else 0.0 for leaf in leaves]


def _made(scores: Tensor) -> Iterator[str]:
    """What scores were made by, the last first: `SigmoidBackward0`."""
    node = scores.grad_fn
    for _ in range(_MADE):
        if node is not None:
            yield type(node).__name__
            node = node.next_functions[0][0] if node.next_functions else None


def _are_weights(inputs: Any) -> bool:
    """Whether gradients are asked of several tensors that are no results, or of a network's own."""
    some = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    own = all(isinstance(one, nn.Parameter) for one in some)
    return all(one.is_leaf and one.requires_grad for one in some) and (len(some) > 1 or own)


def graph(loss: Tensor) -> tuple[list[Tensor], set[Any]]:
    """The tensors that a loss depends on and that can learn, and the nodes of its graph on the way."""
    leaves: list[Tensor] = [loss] if loss.grad_fn is None and loss.requires_grad else []
    nodes: set[Any] = set()
    waiting = [loss.grad_fn]
    while waiting and len(nodes) < _MOST_NODES:
        node = waiting.pop()
        if node is None or node in nodes:
            continue
        nodes.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        waiting += [following for following, _ in node.next_functions]
    return leaves, nodes
