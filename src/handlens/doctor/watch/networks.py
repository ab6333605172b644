"""Calls of networks: of which, in which mode, with what, and which of them a gradient went back through."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from handlens.doctor.seen import bare, learns, rows, tensors, unwrapped
from handlens.doctor.watch.recorder import KEPT, Recorder, argument

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.InstanceNorm1d, nn.InstanceNorm2d)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


GAVE = "handlens"  # the key of the calls that gave it, at a node of a graph


class Networks:
    """Looks at the calls of networks."""

    def __init__(self, record: Recorder) -> None:
        self.record = record
        self._depth = 0

    def watch(self) -> None:
        """Begin."""
        before, after = (
            register_module_forward_pre_hook(self._before_forward),
            register_module_forward_hook(self._after_forward, with_kwargs=True, always_call=True),
        )
        self.record.undo += [before.remove, after.remove]
        watcher = self

        def mode(original: Callable[..., Any]) -> Callable[..., Any]:
            def train(module: nn.Module, mode: bool = True) -> nn.Module:
                if not watcher.record.busy and watcher.record.program.calls():
                    watcher.record.add("mode", model=module, training=bool(mode))
                return original(module, mode)  # type: ignore[no-any-return]

            return train

        def evaluating(original: Callable[..., Any]) -> Callable[..., Any]:
            def evaluate(module: nn.Module) -> nn.Module:
                if not watcher.record.busy and watcher.record.program.calls():
                    watcher.record.add("mode", model=module, training=False)
                return original(module)  # type: ignore[no-any-return]

            return evaluate

        def multiplied(original: Callable[..., Any]) -> Callable[..., Any]:
            def multiply(*args: Any, **knobs: Any) -> Any:
                if not watcher.record.busy and watcher._depth == 0 and watcher.record.few("products", 3):
                    factors = argument(0, ("input",), args, knobs), argument(1, ("other", "mat2", "weight"), args, knobs)
                    watcher.record.quiet(watcher._product, *factors)
                return original(*args, **knobs)

            return multiply

        for owner, name in ((Tensor, "__matmul__"), (Tensor, "matmul"), (Tensor, "mm"), (torch, "matmul"), (torch, "mm"), (F, "linear")):
            self.record.patch(owner, name, multiplied)
        self.record.patch(nn.Module, "train", mode)
        self.record.patch(nn.Module, "eval", evaluating)

    def _before_forward(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if self.record.busy or isinstance(module, nn.modules.loss._Loss):
            return
        self._depth += 1
        if self._depth == 1:
            self.record.quiet(self._know, module, inputs)

    def _product(self, images: Tensor, weights: Tensor) -> None:
        """Images that are multiplied with weights by a program without a network."""
        if weights.requires_grad and not images.requires_grad:
            self.record.add("call", images=bare(images).detach().clone())

    def _know(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """A copy of a network as it is when it is first called."""
        if inputs and isinstance(inputs[0], Tensor) and self.record.few("calls", 3):
            self.record.add("call", images=bare(inputs[0]).detach().clone())
        if any(module is known for known in self.record.seen.models) or not any(True for _ in module.parameters()):
            return
        self.record.seen.models.append(module)
        if len(self.record.seen.models) <= KEPT:
            self.record.seen.start[len(self.record.seen.models) - 1] = copy.deepcopy(module)

    def _after_forward(self, module: nn.Module, inputs: tuple[Any, ...], *rest: Any) -> None:
        if self.record.busy or isinstance(module, nn.modules.loss._Loss):
            return
        self._depth = max(0, self._depth - 1)
        if self._depth == 0:
            *knobs, output = rest  # after an exception, PyTorch gives no knobs
            named = [one for part in knobs for one in part.values()]
            self.record.quiet(lambda: self._forward(module, [*inputs, *named], tensors(output), called_by_place=not named))

    def _forward(self, module: nn.Module, inputs: list[Any], given: list[Tensor], *, called_by_place: bool) -> None:
        images = next(iter(tensors(inputs)), None)
        if images is None or not given or not any(module is known for known in self.record.seen.models):
            return
        self.record.loops.count_forward()
        grad = torch.is_grad_enabled()
        event = self.record.add(
            "forward",
            model=module,
            training=module.training,
            live=[kind for kind, types in (("Dropout", _DROPOUTS), ("BatchNorm", _NORMS)) if _any_training(module, types)],
            own=_own_training(module),
            grad=grad and any(map(learns, given)),
            recording=grad,
            plain=len(inputs) == 1 and inputs[0] is images,
            count=len(images) if images.ndim else 1,
            trains=False,
            lines=tuple(self.record.lines()),
            loop_line=self.record.loops.active[-1].line if self.record.loops.active else 0,
        )
        if self.record.few(f"forward {event.line} {grad}", KEPT):
            event.about |= {"images": bare(images).detach().clone(), "outputs": [bare(one).detach().clone() for one in given]}
            event.about["output"] = next((one for one in event.outputs if one.ndim > 1), event.outputs[0])
            if called_by_place and all(isinstance(one, Tensor) for one in inputs):
                event.about["arguments"] = [bare(one).detach().clone() for one in inputs]
        if self.record.few(f"weights {id(module)}", KEPT):
            named = dict(module.named_parameters())  # of `functional_call`, those that were put in their place
            event.about |= {
                "weights": {name: bare(one, one.ndim) for name, one in named.items()},
                "learning": {name for name, one in named.items() if one.requires_grad},
            }
        if self.record.few(f"rows {grad and module.training}", 400):
            event.about["rows"] = rows(bare(images))
        learning: list[Any] = [node for one in given if (node := unwrapped(one).grad_fn) is not None]
        if learning:
            self.record.waiting = [*self.record.waiting[-40:], event]
            for node in learning:  # an output itself would keep all that it was made of
                node.metadata.setdefault(GAVE, []).append(event)


def _own_training(model: nn.Module) -> list[str]:
    """The classes of the program's own parts that ask in `forward` whether they are in training, and are."""
    parts = [type(module) for module in model.modules() if module.training and not type(module).__module__.startswith("torch.")]
    codes = {kind: getattr(inspect.unwrap(kind.forward), "__code__", None) for kind in parts}
    return sorted({kind.__name__ for kind, code in codes.items() if "training" in getattr(code, "co_names", ())})


def _any_training(model: nn.Module, kinds: tuple[type, ...]) -> bool:
    return any(isinstance(module, kinds) and module.training and getattr(module, "p", 1) > 0 for module in model.modules())
