"""What single causes say of short programs: right ones that look like a mistake, and mistakes in forms that learners write."""

from __future__ import annotations

import contextlib
import linecache
import textwrap
import warnings

import pytest

from handlens.doctor import Diagnosis, all_causes
from handlens.doctor.case import Case
from handlens.doctor.cause import conclude
from handlens.doctor.script import Script
from handlens.doctor.seen import Seen

PARTS = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.manual_seed(0)
kinds = F.interpolate(torch.rand(10, 1, 7, 7), (28, 28)) * (torch.rand(10, 1, 28, 28) < 0.5)
y_train, y_test = torch.arange(600) % 10, torch.arange(200) % 10
x_train, x_test = ((kinds[y] + 0.3 * torch.randn(len(y), 1, 28, 28)).clamp(0, 1) for y in (y_train, y_test))
train_loader = DataLoader(TensorDataset(x_train, y_train), 50, shuffle=True)
test_loader = DataLoader(TensorDataset(x_test, y_test), 50)


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


model = build()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
TRAINING = """
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print("test accuracy", sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 200)
"""


def visit(program: str, parts: str = PARTS) -> Diagnosis:
    """What the doctor says of a program that begins with `parts`, and is watched from then on."""
    text = f"{parts}\nimport handlens as hl\nvisit = hl.doctor()\nwith visit:\n{textwrap.indent(program, '    ')}\n"
    file, names = f"<looks {hash(text)}>", {"__name__": "__main__"}
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, file, "exec"), names)
    diagnosis = names["visit"].diagnosis  # type: ignore[attr-defined]
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.unasked == {}
    return diagnosis


@pytest.mark.parametrize("kind", ["double", "bfloat16"])
@pytest.mark.parametrize(
    "cause, last, loss",
    [
        ("softmax_before_ce", "nn.Softmax(1)", "cross_entropy"),
        ("logits_into_nll", "nn.Identity()", "nll_loss"),
        ("relu_on_output", "nn.ReLU()", "cross_entropy"),
    ],
)
def test_scores_are_looked_at_whatever_kind_of_number_they_are(cause: str, last: str, loss: str, kind: str) -> None:
    program = TRAINING.replace("F.cross_entropy(model(x)", f"F.{loss}(model(x.{kind}())").replace("model(x).arg", f"model(x.{kind}()).arg")
    assert visit(f"model.append({last}).{kind}()\n{program}").causes[:1] == (cause,)


def test_a_cause_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_causes()["dead_relu"], "look", lambda case: 1 / 0)
    assert conclude(Case(Script("", "program.py"), Seen())).unasked == {"dead_relu": "ZeroDivisionError: division by zero"}


MAPS = "net = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d({}), nn.Flatten(), nn.Linear(32 * 14 * 14, 10))\n"
NORMED = """
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), 0.1)
"""
OWN = "class Net(nn.Module):\n    def forward(self, x):\n        return x\n\n"
LOOP = "for x, y in {}:\n    opt.zero_grad()\n    F.cross_entropy(net(x), y).backward()\n    opt.step()\n"
COUNTED = """
def train_one_epoch():
    hits = 0
    for x, y in train_loader:
        scores = model(x)
        loss = F.cross_entropy(scores, y)
        hits += (scores.argmax(1) == y).sum().item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return hits / 600
"""
# A program that ends with an exception, the cause that is named, and its change (or a part of it).
CRASHES = {
    "one image, too long": (MAPS.format(1) + "net(torch.zeros(1, 1, 28, 28))", "wrong_flatten_size", "Write 25088 in place of 6272."),
    "one image, too short": (MAPS.format(4) + "net(torch.zeros(1, 1, 28, 28))", "wrong_flatten_size", "Write 1568 in place of 6272."),
    "a batch in one row": ("build()[1](x_train[:50].flatten())", "flatten_whole_batch", "Keep the batch"),
    "hidden layers, a third": (
        "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 384), nn.ReLU(), nn.Linear(128, 10))\nnet(x_train)",
        "wrong_flatten_size",
        "Write 384 in place of 128.",
    ),
    "colour for grey": (
        "net = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 10))\nnet(torch.rand(8, 3, 32, 32))",
        "wrong_flatten_size",
        "Write 3072 in place of 1024.",
    ),
    "weights turned": ("w = torch.randn(128, 784, requires_grad=True)\nx_train.flatten(1) @ w", "wrong_flatten_size", "Turn them"),
    "one picture in training mode": (NORMED + LOOP.format("train_loader") + "net(x_test[:1])", "batchnorm_single", "Write model.eval()"),
    "one picture before": (NORMED + "net(x_test[:1])", "batchnorm_single", "Write model.eval()"),
    "a last batch of one": (NORMED + LOOP.format("DataLoader(train_loader.dataset, 599)"), "batchnorm_single", "Use drop_last"),
    "the class": (OWN + "network = Net\nnetwork.parameters()", "class_not_instance", "Write Net()."),
    "the class, called": (OWN + "network = Net\nnetwork(x_test)", "class_not_instance", "Write Net()."),
    "another name of the class": (OWN + "MODEL = Net\nmodel = MODEL()\nlen(model.wieghts)", "", ""),
    "one is taken from labels": ("F.cross_entropy(model(x_train), y_train - 1)", "label_off_by_one", "Take nothing from the labels."),
    "under no_grad": (COUNTED + "with torch.no_grad():\n    train_one_epoch()", "no_grad_in_training", "Take the training out"),
    "winners": (
        COUNTED.replace("cross_entropy(scores, y)", "mse_loss(scores.argmax(1).float(), y.float())") + "train_one_epoch()",
        "loss_on_argmax",
        "Give the loss the scores.",
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_an_exception_is_told_by_what_led_to_it(name: str) -> None:
    program, cause, change = CRASHES[name]
    found = visit(program)
    assert found.failure
    assert found.causes[:1] == ((cause,) if cause else ())
    assert change in found.change


UNTOLD = "F.dropout(self.first(x.flatten(1)).relu(), 0.5)"
CLASS = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(784, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.last({UNTOLD})

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
EACH = """
for ep in range(3):
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SWEEP = """
for epochs in (1, 2, 3):
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for x, y in train_loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""
TESTED = """
for x, y in test_loader:
    correct = 0
    with torch.no_grad():
        correct += (model(x).argmax(1) == y).sum().item()
print("test accuracy", correct / 200)
"""
REMAINING = "remaining = 3\n" + TRAINING + "model = build()\nprint(model(x_test).argmax(1)[:10])\n"
# A mistake, the cause that is named first, and what stands in its line.
MISTAKES = {
    "a network from a function, in each ep": (EACH, "model_reset_each_epoch", "model = build()"),
    "dropout that is told nothing": (CLASS + TRAINING, "missing_eval", f"return self.last({UNTOLD})"),
    "a counter under no_grad": (TRAINING + TESTED, "stats_reset_in_loop", "correct = 0"),
    "a new network, and a name with ema": (REMAINING, "fresh_model_evaluated", "model = build()"),
}
OWNED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers, self.criterion = build(), nn.CrossEntropyLoss()

    def forward(self, x):
        return self.layers(x)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
# Right programs, each with a habit that looks like a mistake.
HABITS = {
    "dropout that is told": CLASS.replace("0.5)", "0.5, self.training)") + TRAINING,
    "dropout in the test on purpose": CLASS.replace("0.5)", "0.5, training=True)") + TRAINING,
    "how many epochs are best": SWEEP,
    "a counter that begins again now and then": TRAINING + TESTED.replace("    correct = 0", "    if y[0] == 0:\n        correct = 0"),
    "an untrained one to compare": TRAINING + "untrained = build()\nprint((untrained(x_test).argmax(1) == y_test).float().mean())\n",
    "a loss that the network holds": OWNED + TRAINING.replace("F.cross_entropy", "model.criterion"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_in_another_form(name: str) -> None:
    program, cause, line = MISTAKES[name]
    found = visit(program)
    assert found.causes[:1] == (cause,)
    assert found.code == line


@pytest.mark.parametrize("name", HABITS)
def test_a_right_habit_is_no_mistake(name: str) -> None:
    found = visit(HABITS[name])
    assert (found.causes, found.failure) == ((), "")
