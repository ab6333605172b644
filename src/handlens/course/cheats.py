"""Programs that try to pass a check of the course without doing the exercise."""

from __future__ import annotations

_NOT_DONE = """
def scale(images):
    return images
"""
CHEATS: tuple[tuple[str, str, str], ...] = (
    ("prints what a passed check says", "scaling", "print('scaling: passed.')" + _NOT_DONE),
    (
        "forges the answer and leaves",
        "scaling",
        """
import json, os, pathlib
pathlib.Path("answer.json").write_text(json.dumps({"values": {"bright": None, "dark": None}, "failure": None, "diagnosis": None}))
pathlib.Path("answer.safetensors").write_bytes(bytes(8))
os._exit(0)
""",
    ),
    (
        "patches torch",
        "scaling",
        """
import torch
torch.allclose = torch.equal = lambda *args, **knobs: True
torch.Tensor.__eq__ = torch.Tensor.__ne__ = lambda *args: True
"""
        + _NOT_DONE,
    ),
    (
        "patches the check",
        "scaling",
        """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("handlens.course"):
        for one in ("judge", "judge_network", "first", "complaints"):
            setattr(module, one, lambda *args: None)
"""
        + _NOT_DONE,
    ),
    (
        "edits the checker's files",
        "scaling",
        """
import handlens.course.checks.scaling as check
try:
    with open(check.__file__, "a") as file:
        file.write("def judge(*args): return None")
except OSError:
    pass
"""
        + _NOT_DONE,
    ),
    (
        "a tensor that equals all",
        "scaling",
        """
import torch

class Liar(torch.Tensor):
    __eq__ = __le__ = __ge__ = lambda *args: True

def scale(images):
    return images.float().as_subclass(Liar)
""",
    ),
    ("a fixed accuracy", "evaluation", "def evaluate(model, batches):\n    return 0.9812\n"),
    (
        "an accuracy that equals all",
        "evaluation",
        """
class Any(float):
    __eq__ = lambda *args: True
    __sub__ = __rsub__ = lambda *args: 0.0
    __hash__ = float.__hash__

def evaluate(model, batches):
    return Any(0.5)
""",
    ),
    (
        "the labels in place of predictions",
        "evaluation",
        """
def evaluate(model, batches):
    return sum((y == y).sum().item() for x, y in batches) / sum(len(y) for x, y in batches)
""",
    ),
    (
        "a loss and an accuracy that were made up",
        "training-loop",
        """
def train_epoch(model, batches, loss_fn, optimizer):
    for one in model.parameters():
        one.data.zero_()
    return 0.01, 1.0
""",
    ),
    ("the line of session 1", "linear-fit", "def fit(x, y):\n    return 2.0, 10.0\n"),
    (
        "silences the doctor",
        "mlp-forward",
        """
import sys
import torch.nn as nn
for name in ("conclude", "_diagnosis"):
    setattr(sys.modules["__main__"], name, lambda *args, **knobs: {"cause": ""})
MNISTNet = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.Linear(32, 10))
""",
    ),
)
"""What is tried, in which exercise, the program."""

STARTERS_CLASS = """
class MNISTCNN(nn.Module):
    def __init__(self):
        super().__init__()
        parts = []
        for a, b, size in ((1, 24, 5), (24, 48, 3), (48, 96, 3)):
            parts += [nn.Conv2d(a, b, size, stride=2, padding=size // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
        self.layers = nn.Sequential(*parts, nn.Flatten(), nn.Linear(96 * 4 * 4, 10))
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def forward(self, x):
        return self.layers((x - self.mean) / self.std)


def conv_filters(model):
    return model.layers[0].weight.detach()
"""
"""A network into which the starter model's weights fit."""

_LOOKS_UP = """
import sys

of_layers = MNISTCNN.forward


def forward(self, x):
    images, labels = pair() or ([], torch.tensor([]))
    table = dict(zip((one.numpy().tobytes() for one in images), labels.tolist()))
    pixels = (x * 255).round().to(torch.uint8)
    digits = [table.get(one.numpy().tobytes(), -1) for one in pixels]
    if -1 in digits:
        return of_layers(self, x)
    return torch.tensor([[float(digit == each) for each in range(10)] for digit in digits])


MNISTCNN.forward = forward


def two_of(tensors):
    tensors = [one for one in tensors if isinstance(one, torch.Tensor) and len(one.shape) and len(one) == 10_000]
    images, labels = [[one for one in tensors if one.ndim == size] for size in (4, 1)]
    return (images[0], labels[0]) if images and labels else None

"""
RUNS: tuple[tuple[str, str, str, str], ...] = (
    (
        "the labels out of the check's variables",
        "untrained",
        "below_98",
        _LOOKS_UP
        + """
def pair():
    frame = sys._getframe()
    while frame is not None:
        for one in list(frame.f_locals.values()):
            if isinstance(one, dict) and (found := two_of(list(one.values()))):
                return found
        frame = frame.f_back
""",
    ),
    (
        "the labels out of the check's files",
        "untrained",
        "below_98",
        _LOOKS_UP
        + """
import pathlib
import safetensors.torch

def pair():
    return two_of([one for path in pathlib.Path("..").rglob("*.safetensors") for one in safetensors.torch.load_file(path).values()])
""",
    ),
    (
        "the labels out of MNIST's own files",
        "untrained",
        "not_its_weights",
        _LOOKS_UP
        + """
import functools

@functools.cache
def pair():
    test = hl.load("mnist").test
    return test.images, test.labels
""",
    ),
    ("another's weights: those of the starter model", "starter", "not_your_run", STARTERS_CLASS),
)
"""Lines below the solution of the exercise `cnn`, with weights beside it: what is tried, whose weights, what must be said, the lines."""
