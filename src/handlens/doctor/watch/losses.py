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

from handlens.doctor.seen import Event, bare, learns
from handlens.doctor.watch.graphs import Graphs
from handlens.doctor.watch.handwritten import recognised
from handlens.doctor.watch.networks import GAVE
from handlens.doctor.watch.recorder import KEPT, MEASURED, Recorder, argument

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
        self._stale: set[int] = set()
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
        def loss(*args: Any, **knobs: Any) -> Any:
            scores, target = argument(0, ("input",), args, knobs), argument(1, ("target",), args, knobs)
            try:
                value = original(*args, **knobs)
            except Exception:
                self.record.quiet(lambda: self.record.add("refused", name=name, scores=scores.detach(), target=target.detach()))
                raise
            self.record.quiet(self._loss, name, scores, target, value, knobs)
            return value

        return loss

    def _loss(self, name: str, scores: Tensor, target: Tensor, value: Tensor, knobs: dict[str, Any]) -> None:
        event = self.record.add(
            "loss",
            name=name,
            grad=learns(value),
            shapes=(tuple(scores.shape), tuple(target.shape)),
            dtype=target.dtype,
            reduction=knobs.get("reduction", "mean"),
            made=list(_made(scores)),
            knobs={key: knob for key, knob in knobs.items() if isinstance(knob, float | int | str)},
        )
        if event.grad and target.ndim == 1 and not target.is_floating_point() and self.record.few("classes", 2000):
            event.about["classes"] = frozenset(bare(target, single=0).unique()[:64].tolist())
        if self.record.few(f"loss {event.line} {event.grad}", KEPT):
            event.about |= {
                "scores": bare(scores).detach().clone(),
                "target": bare(target, single=0 if target.ndim < scores.ndim else 1).detach().clone(),
                "value": float(bare(value.detach()).mean()),
            }

    def _softmax_wrapper(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def softmax(*args: Any, **knobs: Any) -> Any:
            result = original(*args, **knobs)
            scores, dim = argument(0, ("input",), args, knobs), argument(1, ("dim", "axis"), args, knobs)
            if not self.record.busy and isinstance(scores, Tensor) and self.record.few(f"softmax {name}", 500):
                self.record.quiet(self._softmax, name, scores, dim, result)
            return result

        return softmax

    def _softmax(self, name: str, scores: Tensor, dim: int | None, result: Tensor) -> None:
        weights = scores.is_leaf and scores.requires_grad
        self.record.add("softmax", name=name, dim=dim, shape=tuple(scores.shape), grad=result.requires_grad, weights=weights)

    def _backward_wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(*args: Any, **knobs: Any) -> Any:
            loss = argument(0, ("tensors",), args, knobs)
            if self.record.busy or (isinstance(loss, Tensor) and sys._getframe(1).f_code.co_filename.endswith("_tensor.py")):
                return original(*args, **knobs)
            self.record.quiet(self._before_backward, loss[0] if isinstance(loss, list | tuple) and loss else loss)
            result = original(*args, **knobs)
            self.record.quiet(self._after_backward)
            return result

        return backward

    def _grad_wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def grad(*args: Any, **knobs: Any) -> Any:
            outputs, inputs = argument(0, ("outputs",), args, knobs), argument(1, ("inputs",), args, knobs)
            if isinstance(inputs, Iterator):  # which can be gone through only once
                inputs = tuple(inputs)
                args, knobs = ((outputs, inputs, *args[2:]), knobs) if len(args) > 1 else (args, {**knobs, "inputs": inputs})
            self.record.quiet(self._before_grad, outputs, inputs, knobs)
            return original(*args, **knobs)

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
        gave = {id(event) for node in nodes for event in node.metadata.get(GAVE, ())}
        reached = [event for event in self.record.waiting if id(event) in gave]
        self._recognise(loss, nodes, reached)
        for event in reached:
            event.about["trains"] = True
        self.record.waiting = [event for event in self.record.waiting if not event.trains]
        closely = self.record.some("backward")
        self._stale = {id(leaf) for leaf in leaves if leaf.grad is not None and (_any(leaf.grad) if closely else id(leaf) in self._stale)}
        value, stale = float(loss.detach().sum()) if closely else None, self._stale if adding else set()
        event = self.record.add("backward", value=value, leaves=leaves, stale=stale, forwards=reached, moved=None)
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
        outputs = [one for event in reached for one in event.about.get("outputs", [])]
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


def _any(gradient: Tensor) -> bool:
    return bool(gradient.ne(0).any())


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
