"""The doctor beside a training in a notebook or a program: it sees the same mistakes, and changes nothing."""

from __future__ import annotations

import builtins
import contextlib
import gc
import linecache
import random
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from terminal import Terminal
from torch import Tensor, nn
from torch.optim import optimizer
from torch.utils.data import DataLoader, Dataset, TensorDataset

import handlens as hl
from handlens.doctor import Diagnosis, all_causes, examine
from handlens.doctor.cause import Finding, in_order
from handlens.doctor.network import look_over
from handlens.doctor.seen import Event
from handlens.doctor.watch import recorder, thinning
from handlens.errors import UsageError

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


ROWS = torch.rand(3, 3)
WEIGHTS = nn.Parameter(torch.rand(3))
BY_NAME: dict[str, Callable[[], Any]] = {
    "argmax": lambda: torch.argmax(input=ROWS, dim=1),
    "max": lambda: torch.max(input=ROWS, dim=1).values,
    "max of rows": lambda: torch.max(ROWS, dim=1).values,
    "eq": lambda: torch.eq(input=ROWS, other=ROWS),
    "matmul": lambda: torch.matmul(input=ROWS, other=ROWS),
    "mm": lambda: torch.mm(input=ROWS, mat2=ROWS),
    "linear": lambda: F.linear(input=ROWS, weight=ROWS),
    "softmax": lambda: F.softmax(dim=1, input=ROWS),
    "cross_entropy": lambda: F.cross_entropy(target=ROWS, input=ROWS),
    "grad": lambda: torch.autograd.grad(inputs=WEIGHTS, outputs=(ROWS @ WEIGHTS).sum())[0],
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_call_with_names_gives_what_it_gives_alone(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    alone = BY_NAME[name]()
    with hl.doctor():
        watched = BY_NAME[name]()
    assert torch.equal(watched, alone)


def test_a_backward_pass_by_name_is_seen() -> None:
    with hl.doctor() as visit:
        torch.autograd.backward(tensors=(ROWS @ WEIGHTS).sum())
    assert visit.diagnosis is not None
    assert visit.diagnosis.steps == 1


REFUSED: dict[str, Callable[..., Any]] = {"cross_entropy": F.cross_entropy, "argmax": torch.argmax, "softmax": F.softmax}


@pytest.mark.parametrize("name", REFUSED)
def test_a_call_that_is_refused_is_refused_in_the_same_words(name: str) -> None:
    with pytest.raises(TypeError) as alone:
        REFUSED[name](unknown=ROWS)
    with pytest.raises(TypeError) as watched, hl.doctor():
        getattr(torch if name == "argmax" else F, name)(unknown=ROWS)
    assert str(watched.value) == str(alone.value)


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        scores = torch.softmax(F.linear(self.body(x), torch.eye(4)), dim=1)
        return torch.max(scores, dim=1).values


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_compiles_as_it_does_alone(recwarn: pytest.WarningsRecorder) -> None:
    model = Scripted()

    def twice(x: Tensor) -> Tensor:
        return 2 * x

    with torch_as_it_was(), hl.doctor():
        watched = torch.jit.script(model)
        traced = torch.jit.trace(model, ROWS)

        @torch.jit.script
        def larger(x: Tensor) -> Tensor:
            return twice(x)

        assert hasattr(F.softmax, "__wrapped__")  # the doctor's are in place again
    assert torch.equal(watched(ROWS), model(ROWS))
    assert torch.equal(traced(ROWS), model(ROWS))
    assert torch.equal(larger(ROWS), 2 * ROWS)
    assert not [one for one in recwarn if one.category.__name__ == "TracerWarning"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_a_program_puts_in_place_of_a_function_stays() -> None:
    def own(scores: Tensor, labels: Tensor) -> Tensor:
        return (scores - labels).mean()

    with pytest.MonkeyPatch.context() as patch, hl.doctor():
        patch.setattr(F, "mse_loss", own)
        torch.jit.trace(nn.Linear(3, 3), ROWS)
        assert F.mse_loss is own


def test_an_exception_in_a_network_brings_no_warning_of_ours(recwarn: pytest.WarningsRecorder) -> None:
    with pytest.raises(RuntimeError), hl.doctor():
        nn.Linear(4, 4)(ROWS)
    assert not recwarn.list


def test_nothing_is_kept_alive_that_a_program_has_let_go() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    known = []
    with hl.doctor():
        for _ in range(50):
            scores = model(ROWS)
            known.append(weakref.ref(scores))
            del scores
        gc.collect()
        assert not [one for one in known if one() is not None]


LONG = """
for step in range(600):
    loss = nn.functional.cross_entropy(model(images[:40]), labels[:40])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
for _ in range(3):
    with torch.no_grad():
        print("test accuracy", (model(images[100:]).argmax(1) == labels[100:]).float().mean().item())
"""


def test_the_test_after_a_long_training_is_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "_MOST_EVENTS", 2000)
    monkeypatch.setattr(thinning, "_ENDS", 100)
    diagnosis = found(run(PARTS, under_the_doctor(LONG)))
    assert diagnosis.causes[:1] == ("missing_eval",)
    assert diagnosis.steps == 600
    assert diagnosis.losses[1] < 0.1 < diagnosis.losses[0]


def test_of_a_long_training_what_is_repeated_goes_first() -> None:
    training = [Event("step", 3), Event("loss", 1), Event("backward", 2)]
    testing = [Event("step", 3), Event("compare", 5), Event("loss", 1), Event("backward", 2)]
    kept = thinning.thinned(training * 1000 + testing + training * 1000 + [Event("compare", 9)])
    assert [event.line for event in kept].count(5) == 1
    assert kept[-1].line == 9
    assert [event.kind for event in kept if event.kind != "compare"] == ["step", "loss", "backward"] * (len(kept) // 3)
    tests = thinning.thinned([Event("compare", 5)] * 4000)
    assert len(tests) == 2000


def test_what_a_training_has_comes_before_what_its_test_has() -> None:
    first, second = Finding(1, "seen"), Finding(2, "seen")
    assert in_order({"accuracy_broadcast": first, "softmax_before_ce": second}) == ["softmax_before_ce", "accuracy_broadcast"]
    assert in_order({"accuracy_broadcast": first, "softmax_before_ce": replace(second, sure=0.8)})[0] == "accuracy_broadcast"


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


LABELS = torch.arange(60) % 4
IMAGES = torch.eye(8)[LABELS] + 0.1 * torch.rand(60, 8)
BATCHES = [(IMAGES[:20], LABELS[:20]), (IMAGES[20:], LABELS[20:])]


class Noisy(Dataset[tuple[Tensor, Tensor]]):
    """A data set with generators of its own."""

    def __init__(self) -> None:
        self.noise = torch.Generator()
        self.others: list[Any] = [np.random.default_rng(0), random.Random(0)]

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        [one.random() for one in self.others]
        return IMAGES[place] + torch.randn(8, generator=self.noise), LABELS[place]

    def state(self) -> str:
        return str((self.noise.get_state().tolist(), self.others[0].bit_generator.state, self.others[1].getstate()))


def parts(loader: Any, test_loader: Any = None, make: Callable[[Any], torch.optim.Optimizer] = torch.optim.Adam) -> Diagnosis:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    return hl.diagnose(model, nn.CrossEntropyLoss(), make(model.parameters()), loader, test_loader)


OTHERS: dict[str, tuple[Any, str]] = {
    "three": ([(*BATCHES[0], torch.arange(20))], r"A batch of train_loader is a tuple of 3\."),
    "dicts": ([{"image": IMAGES, "label": LABELS}], "A batch of train_loader is a dict with image, label"),
    "tensors": ((IMAGES, LABELS), r"A batch of train_loader is a tensor of shape \(60, 8\)"),
    "a tensor": (IMAGES, r"train_loader is a tensor of shape \(60, 8\)"),
    "nothing": (None, "train_loader is a NoneType"),
    "no batch": ([], "train_loader gives no batch"),
    "a generator": ((one for one in BATCHES), "train_loader can be gone through only once"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_parts_that_are_no_batches_are_refused(name: str) -> None:
    loader, said = OTHERS[name]
    with pytest.raises(UsageError, match=said):
        parts(loader)
    if loader is not None:
        with pytest.raises(UsageError, match=said.replace("train", "test")):
            parts(BATCHES, loader)
    if isinstance(loader, Iterator):
        assert len(list(loader)) == 2


def test_an_optimizer_that_asks_several_times_is_given_what_it_asks_for() -> None:
    diagnosis = parts(BATCHES, make=torch.optim.LBFGS)
    assert (diagnosis.causes, diagnosis.failure) == ((), "")
    assert diagnosis.losses[1] < diagnosis.losses[0]


def test_generators_of_a_data_set_stay_as_they_are() -> None:
    data = Noisy()
    loader, before = DataLoader(data, 20), data.state()
    parts(loader, loader)
    assert data.state() == before


def test_a_line_of_ours_is_not_told_as_the_learners() -> None:
    diagnosis = hl.diagnose(nn.Linear(8, 4), lambda scores, labels: scores[100], torch.optim.SGD([torch.zeros(1)]), BATCHES)
    assert diagnosis.place == "test_doctor_inside.py"
    missing = hl.diagnose(nn.Linear(8, 4), nn.PoissonNLLLoss(), torch.optim.SGD([torch.zeros(1)]), BATCHES)
    assert missing.failure
    assert (missing.line, missing.place) == (0, "")


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


@pytest.mark.parametrize("given, causes", [("loss.item()", ()), ("loss", ("loss_tensor_kept",))])
def test_a_loss_is_kept_where_its_graph_is(given: str, causes: tuple[str, ...]) -> None:
    visit = run(PARTS, KEEPING.replace("return loss.item()", f"return {given}"))["visit"]
    assert visit.diagnosis.causes == causes  # type: ignore[attr-defined]
