"""`Watcher`: sees what a program does with PyTorch, without changing what that gives."""

from __future__ import annotations

import builtins
import contextlib
import copy
import functools
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils.data import dataloader

from handlens.doctor.loops import Loops
from handlens.doctor.seen import Event, Seen, rows

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
_KEPT = 12  # batches of which the tensors are kept, in training and outside it
_MEASURED = 12  # steps of which it is measured how far they go
_MOST_EVENTS = 60_000
_MOST_NODES = 3000
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm1d, nn.InstanceNorm2d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


class Watcher:
    """Looks on while a program runs; what it saw is in `seen`.

    Args:
        file: the program's path, as its frames name it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.seen = Seen()
        self.loops = Loops()
        self._depth = 0
        self._busy = False
        self._outputs: list[tuple[Event, Tensor]] = []  # of forwards that no backward pass has reached yet
        self._counts: dict[str, int] = {}
        self._undo: list[Callable[[], object]] = []
        self._values: dict[int, tuple[Tensor, Tensor]] = {}
        self._before: list[Tensor] | None = None

    @contextlib.contextmanager
    def watching(self) -> Iterator[Seen]:
        """Everything that happens inside is seen."""
        self._watch_modules()
        _without_compiler()
        self._watch_losses()
        self._watch_steps()
        self._watch_data()
        self._watch_answers()
        try:
            yield self.seen
        finally:
            for undo in reversed(self._undo):
                undo()
            self.seen.shortened = self.loops.shortened

    # What each event is made of

    def _add(self, kind: str, line: int | None = None, **about: Any) -> Event:
        event = Event(kind, self.line() if line is None else line, about, self.loops.turn)
        if len(self.seen.events) < _MOST_EVENTS:
            self.seen.events.append(event)
        return event

    def line(self) -> int:
        """The innermost line of the program that is under way."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self.file:
                return frame.f_lineno
            frame = frame.f_back
        return 0

    def _few(self, kind: str, most: int) -> bool:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind] <= most

    def _patch(self, owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        own = name in vars(owner) if isinstance(owner, type) else True
        replacement = wrap(original)
        with contextlib.suppress(AttributeError, TypeError):
            functools.update_wrapper(replacement, original)
        setattr(owner, name, replacement)
        self._undo.append((lambda: setattr(owner, name, original)) if own else (lambda: delattr(owner, name)))

    def _quiet(self, look: Callable[..., object], *args: Any) -> None:
        """Look at something; whatever goes wrong in that is no business of the program's."""
        if self._busy:
            return
        self._busy = True
        try:
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                look(*args)
        finally:
            self._busy = False

    # Networks

    def _watch_modules(self) -> None:
        before, after = (
            register_module_forward_pre_hook(self._before_forward),
            register_module_forward_hook(self._after_forward, always_call=True),
        )
        self._undo += [before.remove, after.remove]
        watcher = self

        def mode(original: Callable[..., Any]) -> Callable[..., Any]:
            def train(module: nn.Module, mode: bool = True) -> nn.Module:
                if not watcher._busy and sys._getframe(1).f_code.co_filename == watcher.file:
                    watcher._add("mode", model=module, training=bool(mode))
                return original(module, mode)  # type: ignore[no-any-return]

            return train

        def evaluating(original: Callable[..., Any]) -> Callable[..., Any]:
            def eval(module: nn.Module) -> nn.Module:  # noqa: A001
                if not watcher._busy and sys._getframe(1).f_code.co_filename == watcher.file:
                    watcher._add("mode", model=module, training=False)
                return original(module)  # type: ignore[no-any-return]

            return eval

        self._patch(nn.Module, "train", mode)
        self._patch(nn.Module, "eval", evaluating)
        self._patch(
            torch, "compile", lambda _original: lambda model=None, *_args, **_knobs: model if model is not None else lambda one: one
        )

    def _before_forward(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self._busy or isinstance(module, nn.modules.loss._Loss):
            return
        self._depth += 1
        if self._depth == 1:
            self._quiet(self._know, module, inputs)

    def _know(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A copy of a network as it is when it is first called."""
        if inputs and isinstance(inputs[0], Tensor) and self._few("calls", 3):
            self._add("call", images=inputs[0].detach().clone())
        if any(module is known for known in self.seen.models) or not any(True for _ in module.parameters()):
            return
        self.seen.models.append(module)
        if len(self.seen.models) <= _KEPT:
            self.seen.start[len(self.seen.models) - 1] = copy.deepcopy(module)

    def _after_forward(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if self._busy or isinstance(module, nn.modules.loss._Loss):
            return
        self._depth = max(0, self._depth - 1)
        if self._depth == 0 and isinstance(output, Tensor) and inputs and isinstance(inputs[0], Tensor):
            self._quiet(self._forward, module, inputs[0], output)

    def _forward(self, module: nn.Module, images: Tensor, output: Tensor) -> None:
        if not any(module is known for known in self.seen.models):
            return
        self.loops.count_forward()
        grad = torch.is_grad_enabled()
        event = self._add(
            "forward",
            model=module,
            training=module.training,
            live=[kind for kind, types in (("Dropout", _DROPOUTS), ("BatchNorm", _NORMS)) if _any_training(module, types)],
            grad=grad and output.requires_grad,
            count=len(images) if images.ndim else 1,
            trains=False,
            loop_line=self.loops.active[-1].line if self.loops.active else 0,
        )
        if self._few(f"forward {event.line} {grad}", _KEPT):
            event.about |= {"images": images.detach().clone(), "output": output.detach().clone()}
        if self._few(f"rows {grad and module.training}", 400):
            event.about["rows"] = rows(images)
        if output.grad_fn is not None:
            self._outputs = [*self._outputs[-40:], (event, output)]

    # Losses and gradients

    def _watch_losses(self) -> None:
        for name in LOSSES:
            self._patch(F, name, functools.partial(self._loss_wrapper, name))
        for owner, name in ((F, "softmax"), (F, "log_softmax")):
            self._patch(owner, name, functools.partial(self._softmax_wrapper, name))
        for name in ("softmax", "log_softmax"):
            self._patch(Tensor, name, functools.partial(self._softmax_wrapper, name))
            self._patch(torch, name, functools.partial(self._softmax_wrapper, name))
        self._patch(Tensor, "backward", self._backward_wrapper)
        self._patch(torch.autograd, "backward", self._backward_wrapper)

    def _loss_wrapper(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def loss(input: Any, target: Any, *args: Any, **knobs: Any) -> Any:  # noqa: A002
            value = original(input, target, *args, **knobs)
            self._quiet(self._loss, name, input, target, value, knobs)
            return value

        return loss

    def _loss(self, name: str, scores: Tensor, target: Tensor, value: Tensor, knobs: dict[str, Any]) -> None:
        event = self._add(
            "loss",
            name=name,
            value=float(value.detach().mean()),
            grad=value.requires_grad,
            shapes=(tuple(scores.shape), tuple(target.shape)),
            dtype=target.dtype,
            reduction=knobs.get("reduction", "mean"),
            knobs={key: knob for key, knob in knobs.items() if isinstance(knob, float | int | str)},
        )
        if self._few(f"loss {value.requires_grad}", _KEPT):
            event.about |= {"scores": scores.detach().clone(), "target": target.detach().clone()}

    def _softmax_wrapper(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def softmax(input: Any, dim: int | None = None, *args: Any, **knobs: Any) -> Any:  # noqa: A002
            result = original(input, dim, *args, **knobs) if dim is not None else original(input, *args, **knobs)
            if not self._busy and isinstance(input, Tensor) and self._few(f"softmax {name}", 500):
                self._quiet(lambda: self._add("softmax", name=name, dim=dim, ndim=input.ndim, grad=result.requires_grad))
            return result

        return softmax

    def _backward_wrapper(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def backward(loss: Any, *args: Any, **knobs: Any) -> Any:
            if self._busy or (isinstance(loss, Tensor) and sys._getframe(1).f_code.co_filename.endswith("_tensor.py")):
                return original(loss, *args, **knobs)
            first = loss[0] if isinstance(loss, list | tuple) else loss
            self._quiet(self._before_backward, first)
            result = original(loss, *args, **knobs)
            self._quiet(self._after_backward)
            return result

        return backward

    def _before_backward(self, loss: Tensor) -> None:
        self.loops.count_backward()
        leaves, nodes = graph(loss)
        reached = []
        for event, output in self._outputs:
            if output.grad_fn in nodes:
                event.about["trains"] = True
                reached.append(event)
        self._outputs = []
        stale = [leaf for leaf in leaves if leaf.grad is not None and bool(leaf.grad.ne(0).any())]
        event = self._add(
            "backward", value=float(loss.detach().sum()), leaves=leaves, stale=[id(leaf) for leaf in stale], forwards=reached, moved=None
        )
        if self._few("values", _MEASURED):
            event.about["moved"] = self._moved(leaves)
            self._values = {id(leaf): (leaf, leaf.detach().clone()) for leaf in leaves}

    def _moved(self, leaves: list[Tensor]) -> dict[int, float]:
        """How far each weight went since the backward pass before, relative to its length."""
        known = [(leaf, self._values[id(leaf)][1]) for leaf in leaves if id(leaf) in self._values]
        return {
            id(leaf): float((leaf.detach() - old).norm() / old.norm().clamp_min(1e-8)) for leaf, old in known if old.shape == leaf.shape
        }

    def _after_backward(self) -> None:
        event = next(event for event in reversed(self.seen.events) if event.kind == "backward")
        leaves: list[Tensor] = event.leaves
        if self._few("gradients", _MEASURED):
            event.about["norms"] = [float(leaf.grad.norm()) if leaf.grad is not None else 0.0 for leaf in leaves]
        else:
            event.about["leaves"] = []

    # Optimizers

    def _watch_steps(self) -> None:
        watcher = self
        before = register_optimizer_step_pre_hook(lambda optimizer, *_: self._quiet(self._before_step, optimizer))
        after = register_optimizer_step_post_hook(lambda optimizer, *_: self._quiet(self._after_step, optimizer))
        self._undo += [before.remove, after.remove]

        def zero_grad(original: Callable[..., Any]) -> Callable[..., Any]:
            def zero(owner: Any, *args: Any, **knobs: Any) -> Any:
                watcher._quiet(lambda: watcher._add("zero_grad", owner=owner))
                return original(owner, *args, **knobs)

            return zero

        def made(original: Callable[..., Any]) -> Callable[..., Any]:
            def init(optimizer: Any, *args: Any, **knobs: Any) -> Any:
                result = original(optimizer, *args, **knobs)
                if not watcher._busy:
                    watcher.seen.optimizers.append(optimizer)
                    watcher._quiet(lambda: watcher._add("optimizer", optimizer=optimizer))
                return result

            return init

        def scheduled(original: Callable[..., Any]) -> Callable[..., Any]:
            def step(scheduler: Any, *args: Any, **knobs: Any) -> Any:
                result = original(scheduler, *args, **knobs)
                if sys._getframe(1).f_code.co_filename == watcher.file:
                    lrs = [group["lr"] for group in scheduler.optimizer.param_groups]
                    watcher._quiet(
                        lambda: watcher._add("scheduler", kind_of=type(scheduler).__name__, lr=max(map(float, lrs)), scheduler=scheduler)
                    )
                return result

            return step

        self._patch(torch.optim.Optimizer, "zero_grad", zero_grad)
        self._patch(nn.Module, "zero_grad", zero_grad)
        self._patch(torch.optim.Optimizer, "__init__", made)
        schedulers = [one for one in vars(torch.optim.lr_scheduler).values() if isinstance(one, type) and "step" in vars(one)]
        for kind in schedulers:
            self._patch(kind, "step", scheduled)

    def _before_step(self, optimizer: torch.optim.Optimizer) -> None:
        parameters = [one for group in optimizer.param_groups for one in group["params"]]
        event = self._add("step", optimizer=optimizer, lr=max(float(group["lr"]) for group in optimizer.param_groups), moved=None)
        event.about["empty"] = (
            all(one.grad is None or not bool(one.grad.ne(0).any()) for one in parameters) if self._few("empty", 400) else None
        )
        self._before = [one.detach().clone() for one in parameters] if self._few("steps", _MEASURED) else None

    def _after_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self._before is None:
            return
        event = next(event for event in reversed(self.seen.events) if event.kind == "step")
        parameters = [one for group in optimizer.param_groups for one in group["params"]]
        event.about["moved"] = [
            float((now.detach() - old).norm() / old.norm().clamp_min(1e-8)) for now, old in zip(parameters, self._before, strict=True)
        ]

    # Data

    def _watch_data(self) -> None:
        watcher = self

        def following(original: Callable[..., Any]) -> Callable[..., Any]:
            def following_batch(iterator: Any) -> Any:
                batch = original(iterator)
                watcher._quiet(watcher._batch, iterator, batch)
                return batch

            return following_batch

        def begun(original: Callable[..., Any]) -> Callable[..., Any]:
            def begin(loader: Any) -> Any:
                iterator = original(loader)
                with contextlib.suppress(AttributeError):
                    iterator.handlens_loader = loader
                watcher._quiet(lambda: watcher._add("loader", loader=loader))
                return iterator

            return begin

        self._patch(dataloader._BaseDataLoaderIter, "__next__", following)
        self._patch(dataloader.DataLoader, "__iter__", begun)

    def _batch(self, iterator: Any, batch: Any) -> None:
        loader = getattr(iterator, "handlens_loader", None)
        if (
            not isinstance(batch, list | tuple)
            or len(batch) < 2
            or not isinstance(batch[0], Tensor)
            or not self._few(f"batch {id(loader)}", 400)
        ):
            return
        images, labels = batch[0], batch[1]
        event = self._add("batch", loader=loader, rows=rows(images), labels=labels.detach().clone() if isinstance(labels, Tensor) else None)
        if self._few(f"images {id(loader)}", 4):
            event.about["images"] = images.detach().clone()

    # What it makes of the answers

    def _watch_answers(self) -> None:
        watcher = self

        def argmax(original: Callable[..., Any]) -> Callable[..., Any]:
            def largest(scores: Any, *args: Any, **knobs: Any) -> Any:
                found = original(scores, *args, **knobs)
                dim = args[0] if args else knobs.get("dim")
                watcher._quiet(watcher._argmax, scores, dim)
                return found

            return largest

        def equal(original: Callable[..., Any]) -> Callable[..., Any]:
            def compare(one: Any, other: Any) -> Any:
                found = original(one, other)
                if not watcher._busy and isinstance(other, Tensor) and isinstance(found, Tensor):
                    watcher._quiet(watcher._compare, one, other, found)
                return found

            return compare

        for owner in (torch, Tensor):
            self._patch(owner, "argmax", argmax)
            self._patch(owner, "max", argmax)
            self._patch(owner, "eq", equal)
        self._patch(Tensor, "__eq__", equal)

        def printing(original: Callable[..., Any]) -> Callable[..., Any]:
            def print_(*args: Any, **knobs: Any) -> None:
                watcher._quiet(lambda: watcher._add("print", text=str(knobs.get("sep") or " ").join(map(str, args))[:500]))
                original(*args, **knobs)

            return print_

        def loading(original: Callable[..., Any]) -> Callable[..., Any]:
            def load(module: nn.Module, *args: Any, **knobs: Any) -> Any:
                found = original(module, *args, **knobs)
                missing = list(getattr(found, "missing_keys", []))
                watcher._quiet(
                    lambda: watcher._add("load", model=module, missing=missing, unexpected=list(getattr(found, "unexpected_keys", [])))
                )
                return found

            return load

        def state(original: Callable[..., Any]) -> Callable[..., Any]:
            def state_dict(module: nn.Module, *args: Any, **knobs: Any) -> Any:
                found = original(module, *args, **knobs)
                if sys._getframe(1).f_code.co_filename == watcher.file:
                    watcher._quiet(lambda: watcher._add("state_dict", model=module, state=found))
                return found

            return state_dict

        self._patch(builtins, "print", printing)
        self._patch(nn.Module, "load_state_dict", loading)
        self._patch(nn.Module, "state_dict", state)

    def _argmax(self, scores: Tensor, dim: int | None) -> None:
        if scores.ndim == 2 and dim is not None and self._few("argmax", 3000):
            self._add("argmax", shape=tuple(scores.shape), dim=dim % 2)

    def _compare(self, one: Tensor, other: Tensor, found: Tensor) -> None:
        if one.ndim + other.ndim < 2 or found.numel() < 2 or not self._few("compare", 3000):
            return
        self._add("compare", shapes=(tuple(one.shape), tuple(other.shape)), hits=int(found.sum()), count=found.numel())


class _Compiler(types.ModuleType):
    """Stands where `torch._dynamo` would, of which nothing is needed as nothing is compiled; to import it takes longer than all the rest."""

    __path__: list[str] = []

    @staticmethod
    def disable(function: Any = None, *_args: Any, **_knobs: Any) -> Any:
        return function if function is not None else lambda one: one

    @staticmethod
    def graph_break(*_args: Any, **_knobs: Any) -> None:
        return None

    @staticmethod
    def is_compiling() -> bool:
        return False


def _without_compiler() -> None:
    if "torch._dynamo" not in sys.modules:
        torch._dynamo = sys.modules["torch._dynamo"] = _Compiler("torch._dynamo")  # type: ignore[assignment]


def _any_training(model: nn.Module, kinds: tuple[type, ...]) -> bool:
    return any(isinstance(module, kinds) and module.training and getattr(module, "p", 1) > 0 for module in model.modules())


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
