"""What happens to images on their way through any network: each layer, and each function between the layers, in the order of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from handlens import models

_NO_STEPS = ("detach", "clone", "to", "float", "cpu", "contiguous")


@dataclass(frozen=True, eq=False)
class Step:
    """One step: a layer, or a function such as `relu` or `add` that a forward calls by itself.

    Attributes:
        name: of the layer in the network; the function's name, numbered if it is called again.
        module: the layer; None for a function.
        kind: the class of the layer, or the function's name.
        output: what comes out, N,...
        inputs: the places of the steps whose outputs go in; -1 stands for the images, also after a function that comes before any layer.
    """

    name: str
    module: nn.Module | None
    kind: str
    output: Tensor
    inputs: tuple[int, ...]

    @property
    def is_relu(self) -> bool:
        """Whether it is a ReLU, as a layer or as a function."""
        return isinstance(self.module, nn.ReLU) or self.kind == "relu"


def trace(model: nn.Module, images: Tensor) -> list[Step]:
    """Send images through a network and note each step.

    Args:
        model: any network; the modes of its layers are left as they were.
        images: `float32` N,C,H,W; all of them at once, and all outputs are kept.

    Raises:
        ModelError: the network does not accept them.
    """
    images = images.to(models.device_of(model))
    notes = _Notes(images)
    hooks = list(notes.watch(model))
    try:
        with notes:
            models.predict_logits(model, images, batch_size=len(images))
    finally:
        for hook in hooks:
            hook.remove()
    return notes.steps


class _Notes(TorchFunctionMode):
    """Notes the layers by their hooks, and functions between them, which PyTorch tells it about."""

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.makers: dict[int, int] = {}
        self.alive: list[Tensor] = [images]  # so that no two tensors have the same id
        self.in_forward = False
        self.in_layer = False

    def watch(self, model: nn.Module) -> Iterator[Any]:
        """Put hooks on all layers that contain no others."""
        for name, module in model.named_modules():
            if not list(module.children()):
                yield module.register_forward_pre_hook(self._enter)
                yield module.register_forward_hook(self._leaver(name or type(module).__name__), with_kwargs=True)
        yield model.register_forward_pre_hook(lambda *_: setattr(self, "in_forward", True))
        yield model.register_forward_hook(lambda *_: setattr(self, "in_forward", False))

    def _enter(self, _module: nn.Module, _inputs: Any) -> None:
        self.in_layer = True

    def _leaver(self, name: str) -> Callable[..., None]:
        def leave(module: nn.Module, inputs: Any, keywords: Any, output: Any) -> None:
            self.in_layer = False
            if isinstance(output, Tensor):
                self._note(name, module, type(module).__name__, output, [*inputs, *keywords.values()])

        return leave

    def __torch_function__(
        self, function: Any, _types: Sequence[type], arguments: Sequence[Any] = (), keywords: Mapping[str, Any] | None = None
    ) -> Any:
        output = function(*arguments, **(keywords or {}))
        kind = getattr(function, "__name__", "").strip("_").replace("iadd", "add")
        values = [*arguments, *(keywords or {}).values()]
        between = self.in_forward and not self.in_layer and any(id(value) in self.makers for value in _tensors(values))
        if between and isinstance(output, Tensor) and kind not in _NO_STEPS:
            self._note(kind, None, kind, output, values)
        return output

    def _note(self, name: str, module: nn.Module | None, kind: str, output: Tensor, values: Sequence[Any]) -> None:
        inputs = tuple(dict.fromkeys(self.makers[id(value)] for value in _tensors(values) if id(value) in self.makers)) or (-1,)
        again = sum(step.name.partition("#")[0] == name for step in self.steps)
        kept = output.detach().clone()  # what comes next may write into it
        self.steps.append(Step(f"{name}#{again + 1}" if again else name, module, kind, kept, inputs))
        self.makers[id(output)] = len(self.steps) - 1
        self.alive.append(output)


def _tensors(values: Sequence[Any]) -> Iterator[Tensor]:
    """The tensors among arguments, also those in lists, as `torch.cat` takes them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
