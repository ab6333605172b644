"""Programs that try to pass a check of the course without doing the exercise: name, exercise, text."""

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
