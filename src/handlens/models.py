"""Networks, from the simplest up.

Each takes images N,C,H,W, as `float32` in [0, 1] or as `uint8`, and returns logits N,K: one score a class, before any softmax.
What the pixels are shifted and scaled by lives inside the network, so that nobody who uses it can forget it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn

from handlens import seeds
from handlens.errors import ModelError, nearest

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky-relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Task(TypedDict, total=False):
    """What a network must fit, whatever it is made of; every network takes these as keywords.

    `in_channels` (1), `image_size` (28: height and width), `num_classes` (10), `mean` (0.0) and `std` (1.0) of the pixels in [0, 1], which
    are taken off and divided by, and `seed` for the first weights (None: PyTorch's own random state decides).
    """

    in_channels: int
    image_size: int
    num_classes: int
    mean: float
    std: float
    seed: int | None


class Classifier(nn.Module):
    """Images in, logits out: what all networks here have in common.

    Attributes:
        layers: the network itself, from normalised images to logits.
        options: the keywords that make the same network again, without the seed.
    """

    def __init__(self, options: Mapping[str, Any], task: Task, make: Callable[[Task], nn.Sequential]) -> None:
        super().__init__()
        task = {"in_channels": 1, "image_size": 28, "num_classes": 10, "mean": 0.0, "std": 1.0, "seed": None, **task}
        _check_task(task)
        seed = task.pop("seed")
        self.options = {**options, **task}
        self.normalized = (task["mean"], task["std"]) != (0.0, 1.0)
        self.register_buffer("mean", torch.tensor(task["mean"]))
        self.register_buffer("std", torch.tensor(task["std"]))
        with seeds.seeded("weights", seed) if seed is not None else contextlib.nullcontext():
            self.layers = make(task)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N,K of images N,C,H,W."""
        images = to_float(images)
        if self.normalized:
            images = (images - self.mean) / self.std
        logits: Tensor = self.layers(images)
        return logits


class SoftmaxRegression(Classifier):
    """One linear layer: each class has a picture of weights, laid over the image. No hidden layer; the simplest network there is."""

    def __init__(self, **task: Unpack[Task]) -> None:
        def make(task: Task) -> nn.Sequential:
            return nn.Sequential(nn.Flatten(), nn.Linear(_pixels(task), task["num_classes"]))

        super().__init__({}, task, make)


class MLP(Classifier):
    """Fully connected layers with an activation between them: the session's network with `hidden_sizes=(128, 64)`.

    Args:
        hidden_sizes: units in each hidden layer; as many layers as numbers.
        activation: a key of `ACTIVATIONS`.
        batch_norm: normalise each unit over the batch, before the activation (Ioffe and Szegedy 2015).
        dropout: share of hidden units that are silenced at random while training (Srivastava et al. 2014).
        task: see `Task`.

    Raises:
        ModelError: a size below 1, a dropout outside [0, 1), an unknown activation.
    """

    def __init__(
        self,
        hidden_sizes: Sequence[int] = (128, 64),
        *,
        activation: str = "relu",
        batch_norm: bool = False,
        dropout: float = 0.0,
        **task: Unpack[Task],
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ModelError(f"There is no activation '{activation}'.", hint=nearest(activation, ACTIVATIONS))
        if any(size < 1 for size in hidden_sizes):
            raise ModelError(f"A layer cannot have {min(hidden_sizes)} units.", hint="hidden_sizes are whole numbers from 1.")
        if not 0 <= dropout < 1:
            raise ModelError(f"A dropout of {dropout} is not possible.", hint="It is the share of units silenced: from 0 to below 1.")

        def make(task: Task) -> nn.Sequential:
            layers: list[nn.Module] = [nn.Flatten()]
            width = _pixels(task)
            for size in hidden_sizes:
                layers.append(nn.Linear(width, size))
                if batch_norm:
                    layers.append(nn.BatchNorm1d(size))
                layers.append(ACTIVATIONS[activation]())
                if dropout:
                    layers.append(nn.Dropout(dropout))
                width = size
            return nn.Sequential(*layers, nn.Linear(width, task["num_classes"]))

        options = {"hidden_sizes": tuple(hidden_sizes), "activation": activation, "batch_norm": batch_norm, "dropout": dropout}
        super().__init__(options, task, make)


def _pixels(task: Task) -> int:
    return task["in_channels"] * task["image_size"] ** 2


def _check_task(task: Task) -> None:
    for name, value in task.items():
        if name not in Task.__annotations__:
            raise ModelError(f"A network has no knob '{name}'.", hint=nearest(name, Task.__annotations__))
        if name in ("in_channels", "image_size", "num_classes", "std") and not value > 0:  # type: ignore[operator]
            raise ModelError(f"{name} is {value}.", hint="It must be greater than 0.")


def to_float(images: Tensor) -> Tensor:
    """Images as `float32` in [0, 1], whether they come as `uint8` or are that already."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout and batch norm as in use, and no gradients; afterwards each layer is in the mode that it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def predict_logits(model: nn.Module, images: Tensor, batch_size: int = 1000) -> Tensor:
    """The logits of all images: `float32` N,K on the CPU.

    Args:
        model: any network; its layers' modes are left as they were.
        images: `uint8` or `float32` in [0, 1], N,C,H,W, on any device.
        batch_size: images at a time; bounds the memory.

    Raises:
        ModelError: the network does not accept images of this shape.
    """
    device = device_of(model)
    with evaluating(model):
        try:
            return torch.cat([model(to_float(some.to(device))).float().cpu() for some in images.split(batch_size)])
        except (RuntimeError, IndexError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise _does_not_accept(model, tuple(images.shape[1:]), error) from error


def device_of(model: nn.Module) -> torch.device:
    """Where the network's weights are."""
    return next((weights.device for weights in model.parameters()), torch.device("cpu"))


def count_parameters(model: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(weights.numel() for weights in model.parameters() if weights.requires_grad)


@dataclass(frozen=True)
class Layer:
    """One row of the layer table: its name in the module, what it is, the shape of one image's output, numbers that it learns."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


def summary(model: nn.Module, image_shape: Sequence[int]) -> list[Layer]:
    """The layer table of any network, found by sending one black image through it.

    Args:
        model: any module; layers that are used twice stand once.
        image_shape: channels, height, width.

    Raises:
        ModelError: the network does not accept such an image.
    """
    rows: dict[str, Layer] = {}
    hooks = []
    for name, module in model.named_modules():
        own = sum(weights.numel() for weights in module.parameters(recurse=False) if weights.requires_grad)
        if own or not list(module.children()):
            hooks.append(module.register_forward_hook(_row_writer(rows, name, own)))
    try:
        predict_logits(model, torch.zeros(1, *image_shape, dtype=torch.uint8))
    finally:
        for hook in hooks:
            hook.remove()
    return list(rows.values())


def _row_writer(rows: dict[str, Layer], name: str, parameters: int) -> Callable[[nn.Module, Any, Any], None]:
    def write(module: nn.Module, _inputs: Any, output: Any) -> None:
        shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
        kind = repr(module).split("\n")[0].rstrip("(")
        rows.setdefault(name, Layer(name or type(module).__name__, kind, shape, parameters))

    return write


def check_fits(model: nn.Module, images: Tensor, classes: Sequence[str]) -> str:
    """See on a few images whether the network fits them and their classes, before any training.

    Args:
        model: any network.
        images: a few, N,C,H,W.
        classes: the names of the classes.

    Returns:
        A remark in words when the network ends in a softmax, which the loss has too; else nothing.

    Raises:
        ModelError: it does not accept such images, or returns something other than one score a class.
    """
    if not any(weights.requires_grad for weights in model.parameters()):
        raise ModelError(f"{type(model).__name__} has nothing to learn: no parameter in it asks for gradients.")
    logits = predict_logits(model, images)
    wanted = (len(images), len(classes))
    if tuple(logits.shape) != wanted:
        raise ModelError(
            f"{type(model).__name__} returns {'x'.join(map(str, logits.shape))} for {len(images)} images; "
            f"{len(classes)} classes need {wanted[0]}x{wanted[1]}: one score a class and image.",
            hint=f"Give the last layer {len(classes)} outputs." if logits.ndim == 2 else "Return one row of scores an image.",
        )
    sums = logits.sum(1)
    if len(classes) > 1 and bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        floor = math.log(math.e + len(classes) - 1) - 1
        return (
            f"{type(model).__name__} ends in a softmax: its outputs are not negative and sum to 1. Cross-entropy contains a softmax "
            f"already; with two of them the loss cannot fall below {floor:.2f}. Return the raw scores: leave out the last softmax."
        )
    return ""


def _does_not_accept(model: nn.Module, image_shape: Sequence[int], error: Exception) -> ModelError:
    shape = "x".join(str(size) for size in image_shape)
    return ModelError(
        f"{type(model).__name__} does not accept images of shape {shape}: {str(error).splitlines()[0]}.",
        hint=f"An image is {shape} (channels, height, width): {math.prod(image_shape)} numbers after flatten(1).",
    )


def from_file(reference: str) -> nn.Module:
    """A learner's own network, from `FILE.py:Class`. The file is run as what it is: their code, named by them.

    Raises:
        ModelError: no such file or class, or it cannot be made without arguments.
    """
    path_text, _, class_name = reference.rpartition(":")
    path = Path(path_text)
    if not path.is_file():
        raise ModelError(f"There is no file '{path_text}'.", where=reference, hint="Write --model FILE.py:Class.")
    spec = importlib.util.spec_from_file_location(f"handlens_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ModelError(f"'{path_text}' is no Python file.", where=reference, hint="Write --model FILE.py:Class.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelError(f"'{path_text}' stops with {type(error).__name__}: {error}.", where=_last_line(error, path)) from error
    found = getattr(module, class_name, None)
    if not callable(found):
        own = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        raise ModelError(f"'{path_text}' has no class '{class_name}'.", where=reference, hint=nearest(class_name, own))
    return call_maker(found, reference, path)


def call_maker(maker: Callable[[], object], where: str, path: Path | None = None) -> nn.Module:
    """The network that a class or function makes when called without arguments.

    Raises:
        ModelError: it needs arguments, fails, or makes something else.
    """
    try:
        model = maker()
    except Exception as error:
        place = _last_line(error, path) if path else where
        raise ModelError(f"It cannot be made: {type(error).__name__}: {error}.", where=place, hint="It is called without arguments.") from error
    if not isinstance(model, nn.Module):
        raise ModelError(f"It makes a {type(model).__name__}, not an nn.Module.", where=where)
    return model


def _last_line(error: BaseException, path: Path) -> str:
    """The line of the learner's own file in which an error arose."""
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    line = line or (error.lineno or 0 if isinstance(error, SyntaxError) else 0)
    return f"{path}, line {line}" if line else str(path)


def build(name: str, **options: Any) -> Classifier:
    """Make a network of `MODELS` by its name; options that it does not have are left out.

    Raises:
        ModelError: no such network, or an option that it cannot have.
    """
    if name not in MODELS:
        raise ModelError(f"There is no model '{name}'.", hint=nearest(name, MODELS) + " Your own class: --model FILE.py:Class.")
    own = KNOBS[name]
    return MODELS[name](**{key: value for key, value in options.items() if key in own or key in Task.__annotations__})


MODELS: dict[str, Callable[..., Classifier]] = {
    "softmax": SoftmaxRegression,
    "mlp": MLP,
}

KNOBS: dict[str, tuple[str, ...]] = {
    "softmax": (),
    "mlp": ("hidden_sizes", "activation", "batch_norm", "dropout"),
}
