"""What single causes say of short programs: right ones that look like a mistake, and mistakes in forms that learners write."""

from __future__ import annotations

import contextlib
import linecache
import textwrap

import pytest
import torch
from torch import nn

import handlens as hl
from handlens.doctor import Diagnosis, all_causes
from handlens.doctor.case import Case
from handlens.doctor.cause import conclude
from handlens.doctor.script import Script
from handlens.doctor.seen import Event, Failure, Seen

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
    with contextlib.suppress(RuntimeError, ValueError):
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
