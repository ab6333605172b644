"""The doctor beside a training in a notebook or a program: it sees the same mistakes, and changes nothing."""

from __future__ import annotations

import builtins
import contextlib
import linecache
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import BuiltinFunctionType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from terminal import Terminal
from torch import Tensor, nn
from torch.optim import optimizer
from torch.utils.data import DataLoader, TensorDataset

import handlens as hl
from handlens.doctor import Diagnosis, all_causes, examine
from handlens.doctor.network import look_over

PARTS = """
import random
import numpy
import torch
from torch import nn
import handlens as hl

torch.manual_seed(0)
labels = torch.arange(200) % 10
images = torch.eye(10)[labels].repeat(1, 20).reshape(200, 1, 10, 20) * 0.8 + 0.1 * torch.rand(200, 1, 10, 20)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(200, 30)
        self.drop = nn.Dropout(0.2)
        self.last = nn.Linear(30, 10)

    def forward(self, x):
        x = self.drop(torch.relu(self.first(x.flatten(1))))
        return self.last(x)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
TRAINING = """
for epoch in range(4):
    for rows in torch.randperm(200).split(20):
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SOFTMAX = ("return self.last(x)", "return torch.softmax(self.last(x), dim=1)")


def run(*cells: str) -> dict[str, object]:
    """The cells of a notebook, one after the other; the variables at the end."""
    names: dict[str, object] = {"In": ["", *cells], "__name__": "__main__"}
    for number, text in enumerate(cells, start=1):
        file = f"<ipython-input-{number}-{hash(text)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        try:
            exec(compile(text, file, "exec"), names)
        except ZeroDivisionError:
            names["raised"] = True
    return names


KEEPING = """
def train_step(rows):
    loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

with hl.doctor() as visit:
    running = 0.0
    for rows in torch.randperm(200).split(10):
        loss = train_step(rows)
        running += loss
"""


def under_the_doctor(training: str) -> str:
    return "with hl.doctor() as visit:\n" + "".join(f"    {line}\n" for line in training.strip().splitlines())


def found(names: dict[str, object]) -> Diagnosis:
    diagnosis = names["visit"].diagnosis  # type: ignore[attr-defined]
    assert isinstance(diagnosis, Diagnosis)
    return diagnosis


@contextlib.contextmanager
def torch_as_it_was() -> Iterator[None]:
    """Everything that the doctor replaces is the same object afterwards, and no hook is left."""
    owners = (F, torch.autograd, Tensor, nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.StepLR, DataLoader, warnings, builtins)
    before = [dict(vars(owner)) for owner in owners]
    hooks = (nn.modules.module._global_forward_hooks, nn.modules.module._global_forward_pre_hooks)
    yield
    for owner, names in zip(owners, before, strict=True):
        assert {name for name, value in vars(owner).items() if names.get(name) is not value} == set()
    assert not any(hooks)
    assert not optimizer._global_optimizer_pre_hooks
    assert all(isinstance(getattr(torch, name), BuiltinFunctionType) for name in ("softmax", "log_softmax", "argmax", "max", "eq"))


def state(names: dict[str, object]) -> list[object]:
    weights = [one.tolist() for one in names["model"].parameters()]  # type: ignore[attr-defined]
    return [weights, torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())]


def test_a_training_under_the_doctor_is_the_same_bit_for_bit(capsys: pytest.CaptureFixture[str]) -> None:
    alone = state(run(PARTS, TRAINING))
    with torch_as_it_was():
        watched = run(PARTS, under_the_doctor(TRAINING))
    assert state(watched) == alone
    assert found(watched).causes == ()
    assert "I found nothing wrong." in capsys.readouterr().out


def test_a_mistake_is_named_with_the_line_of_its_cell(capsys: pytest.CaptureFixture[str]) -> None:
    diagnosis = found(run(PARTS.replace(*SOFTMAX), under_the_doctor(TRAINING)))
    assert diagnosis.causes[:1] == ("softmax_before_ce",)
    assert (diagnosis.place, diagnosis.line) == ("cell 1", PARTS.splitlines().index("        return self.last(x)") + 1)
    assert "  cell 1:22   return torch.softmax(self.last(x), dim=1)" in capsys.readouterr().out
    assert "<b>CrossEntropyLoss already contains softmax" in diagnosis._repr_html_()


def test_a_loss_that_has_a_name_of_its_own_is_seen_too() -> None:
    first = "from torch.nn.functional import cross_entropy\nloss_fn = cross_entropy\n"
    names = run(PARTS.replace(*SOFTMAX), first, under_the_doctor(TRAINING.replace("nn.functional.cross_entropy", "loss_fn")))
    assert found(names).causes[:1] == ("softmax_before_ce",)
    assert names["loss_fn"] is names["cross_entropy"] is F.cross_entropy


def test_an_exception_is_explained_and_goes_on() -> None:
    with torch_as_it_was():
        names = run(PARTS, under_the_doctor(TRAINING + "    1 / 0\n"))
    assert names["raised"]
    assert found(names).failure == "ZeroDivisionError: division by zero"
    assert found(names).line == len(TRAINING.splitlines()) + 1


def test_an_interrupt_ends_the_doctor_too() -> None:
    with torch_as_it_was(), pytest.raises(KeyboardInterrupt), hl.doctor() as visit:
        raise KeyboardInterrupt
    assert visit.diagnosis is None


@pytest.mark.parametrize("change, cause", [(SOFTMAX, "softmax_before_ce"), (("lr=0.1", "lr=1e-8"), "lr_too_low"), (("", ""), "")])
def test_the_parts_of_a_training_are_diagnosed_and_stay_as_they_are(change: tuple[str, str], cause: str) -> None:
    names = run(PARTS.replace(*change) if cause else PARTS)
    loader = DataLoader(TensorDataset(names["images"], names["labels"]), 20, shuffle=True, generator=torch.Generator())  # type: ignore[arg-type]
    drawn, before = loader.generator.get_state(), state(names)
    with torch_as_it_was():
        diagnosis = hl.diagnose(names["model"], F.cross_entropy, names["optimizer"], loader, loader)  # type: ignore[arg-type]
    assert diagnosis.causes[:1] == ((cause,) if cause else ())
    assert state(names) == before
    assert torch.equal(loader.generator.get_state(), drawn)


def test_script_notebook_and_parts_say_the_same(tmp_path: Path) -> None:
    bad = PARTS.replace(*SOFTMAX)
    (tmp_path / "program.py").write_text(bad + TRAINING, encoding="utf-8")
    script = examine(tmp_path / "program.py")[0]
    notebook = found(run(bad, under_the_doctor(TRAINING)))
    names = run(bad, "batches = [(images, labels)] * 5\nfound = hl.diagnose(model, nn.CrossEntropyLoss(), optimizer, batches)\n")
    parts = names["found"]
    assert isinstance(parts, Diagnosis)
    for one in (notebook, parts):
        told = (one.causes, one.sentence, one.line, one.code, one.evidence, one.change, one.checked)
        assert told == (script.causes, script.sentence, script.line, script.code, script.evidence, script.change, script.checked)
    assert {*script.checked} == {*all_causes()}


OWN = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))

    def forward(self, x):
        return self.body(x)
"""
MISTAKES = {
    "softmax_before_ce": ("self.body(x)", "self.body(x).softmax(1)", 11),
    "forward_returns_none": ("return self.body(x)", "self.body(x)", 11),
    "missing_flatten": ("nn.Flatten(), ", "", 11),
    "wrong_flatten_size": ("784", "785", 8),
    "too_few_classes": ("32, 10", "32, 9", 8),
    "no_activation": ("nn.ReLU(), ", "", 10),
    "constant_init": ("10))\n", "10))\n        [nn.init.zeros_(one) for one in self.parameters()]\n", 9),
    "layers_in_forward": ("self.body(x)", "nn.Linear(10, 10)(self.body(x))", 11),
    "broken_graph": ("self.body(x)", "self.body[4](self.body[:4](x).detach())", 11),
    "double_scaling": ("self.body(x)", "self.body(x / 255)", 11),
}


@pytest.mark.parametrize("cause", MISTAKES)
def test_a_network_of_ones_own_is_looked_over(cause: str, tmp_path: Path) -> None:
    old, new, line = MISTAKES[cause]
    path = tmp_path / "net.py"
    path.write_text(OWN.replace(old, new), encoding="utf-8")
    images, labels = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
    before = torch.get_rng_state()
    diagnosis = look_over(f"{path}:Net", images, labels)
    assert diagnosis.causes[:1] == (cause,), diagnosis
    assert diagnosis.line == line
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("mnist")
def test_handlens_train_names_the_mistake_before_it_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, terminal = tmp_path / "net.py", Terminal(capsys)
    command = ("train", "--model", f"{path}:Net", "--dry-run", "--examples", "500")
    path.write_text(OWN, encoding="utf-8")
    terminal(*command)
    assert "Note" not in terminal.err
    path.write_text(OWN.replace("self.body(x)", "self.body(x).softmax(1)"), encoding="utf-8")
    terminal(*command)
    assert "CrossEntropyLoss already contains softmax" in terminal.err
    assert "net.py, line 11: return self.body(x).softmax(1)" in terminal.err
    path.write_text(OWN.replace("784", "785"), encoding="utf-8")
    terminal(*command, code=2)
    assert "Write 784 in place of 785." in terminal.err


@pytest.mark.parametrize(("given", "causes"), [("loss.item()", ()), ("loss", ("loss_tensor_kept",))])
def test_a_loss_is_kept_where_its_graph_is(given: str, causes: tuple[str, ...]) -> None:
    visit = run(PARTS, KEEPING.replace("return loss.item()", f"return {given}"))["visit"]
    assert visit.diagnosis.causes == causes  # type: ignore[attr-defined]
