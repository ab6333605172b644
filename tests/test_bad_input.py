"""What learners get wrong with their own network file, said in words: through the command line, as they meet it."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import tiny
import torch
from small import small_data
from torch import Tensor, nn

import handlens as hl
from handlens import cli
from handlens.errors import HandlensError, TrainingError, UsageError

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(784, 10)

    def forward(self, images):
        return self.layer(images.flatten(1))
"""


def changed(old: str, new: str) -> str:
    assert old in NET
    return NET.replace(old, new)


CASES = {
    "syntax": (changed("def forward(self, images):", "def forward(self, images)"), 2, ["SyntaxError", "line 11"]),
    "missing class": (changed("class Net", "class Nett"), 2, ["no class 'Net'", "Nett"]),
    "no super init": (changed("super().__init__()", "pass"), 2, ["Net.__init__ has no super().__init__()", "line 7"]),
    "no super init, no layer": (changed("super().__init__()", "pass").replace("self.layer = ", ""), 2, ["super().__init__()", "line 7"]),
    "no forward": (changed("def forward", "def fordward"), 2, ["a method fordward, and none called forward", "net.py, line 11"]),
    "layers in a list": (
        changed("nn.Linear(784, 10)", "[nn.Linear(784, 10)]").replace("self.layer(", "self.layer[0]("),
        2,
        ["self.layer = nn.ModuleList(...)", "net.py, line 9"],
    ),
    "some layers in a dict": (
        changed("nn.Linear(784, 10)", "nn.Linear(9, 10)\n        self.first = {'a': nn.Linear(784, 9)}"),
        2,
        ["plain dict", "self.first = nn.ModuleDict(...)", "net.py, line 10"],
    ),
    "needs arguments": (changed("def __init__(self)", "def __init__(self, width)"), 2, ["width", "without arguments"]),
    "import": (changed("import torch\n", "import torchh\n"), 2, ["torchh", "line 2"]),
    "not a module": (changed("class Net(nn.Module)", "class Net"), 2, ["Net"]),
    "too many inputs": (changed("nn.Linear(784", "nn.Linear(785"), 2, ["Write 784 in place of 785", "line 9"]),
    "too few classes": (changed("784, 10", "784, 9"), 2, ["9 scores", "classes 0 to 8", "line 9"]),
    "keeps the square": (changed("images.flatten(1)", "images"), 2, ["still a square", "flatten(1)", "line 12"]),
    "loses the batch": (changed("flatten(1)", "flatten()"), 2, ["64 images of 784", "flatten(1)", "line 12"]),
    "returns nothing": (changed("return self", "self"), 2, ["Net.forward has no return", "line 12"]),
    "returns two things": (changed("return self.layer(images.flatten(1))", "return self.layer(images.flatten(1)), images"), 2, ["tuple"]),
    "nothing to learn": (changed("nn.Linear(784, 10)", "nn.Flatten()").replace("images.flatten(1)", "images"), 2, ["nothing to learn"]),
    "exits": (NET + "\nraise SystemExit('bye')\n", 2, ["SystemExit", "bye"]),
    "raises": (changed("return self", "raise KeyError('digit')\n        return self"), 2, ["KeyError", "digit", "line 12"]),
    "fails in training only": (changed("return self", "assert not self.training, 'odd'\n        return self"), 2, ["odd", "line 12"]),
    "no number": (changed("return self.layer(images.flatten(1))", "return self.layer(images.flatten(1)) / 0"), 5, ["not a number", "--lr"]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_in_a_learners_file_is_said_in_words(
    name: str, mnist: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, code, said = CASES[name]
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(source)
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--model", "net.py:Net", "--epochs", "1", "--batch-size", "600"])
    shown = capsys.readouterr().err
    assert ended.value.code == code, shown
    assert "Traceback" not in shown
    assert "handlens has a fault" not in shown
    assert all(words in shown for words in said), shown


def test_a_softmax_at_the_end_is_remarked_and_the_training_goes_on(
    mnist: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(changed("return self.layer(images.flatten(1))", "return self.layer(images.flatten(1)).softmax(1)"))
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--model", "net.py:Net", "--epochs", "1", "--batch-size", "600"])
    assert ended.value.code == 0
    assert "it cannot fall below 1.46" in capsys.readouterr().err


class Poisoned:
    """The batches of the small data, of which one has an image of NaN."""

    def __init__(self, at: int, value: float) -> None:
        self.data, self.at, self.value, self.step = small_data().train, at, value, 0

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, label = self.data[index]
        self.step += 1
        return (image * self.value, label) if self.step == self.at else (image, label)


def small_net(classes: int = 4) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))


def no_nan_anywhere(folder: Path) -> None:
    """Neither in a JSON file, as text or as a number, nor in a weight."""

    def refuse(text: str) -> float:
        raise AssertionError(f"{text} is in a JSON file")

    for path in (path for path in folder.rglob("*") if path.suffix in (".json", ".jsonl")):
        for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
            json.loads(line, parse_constant=refuse)
    for path in folder.glob("*.safetensors"):
        assert all(bool(tensor.isfinite().all()) for tensor in safetensors.torch.load(path.read_bytes()).values()), path


# 128 images are an epoch of 4 batches; before the first epoch a loader is looked at, which takes some more.
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("at", [64, 160, 200, 300, 400, 500])
def test_a_loss_that_is_no_number_at_any_step_is_told_within_the_epoch(at: int, value: float) -> None:
    loader: Any = torch.utils.data.DataLoader(Poisoned(at, value), batch_size=32)  # type: ignore[arg-type]
    with pytest.raises(HandlensError) as told:
        hl.fit(small_net(), loader, epochs=5, optimizer="sgd", name="poisoned", quiet=True)
    assert "infinite" in str(told.value) or "not a number" in str(told.value) or "NaN" in str(told.value)
    if isinstance(told.value, UsageError):  # it was in the batch that is looked at before anything begins
        assert not hl.list_runs()
        return
    run = hl.load_run("poisoned")
    epochs = (at - 1) // 128  # those that were done before it
    assert run.status == "failed"
    assert run.about.failure == told.value.what
    assert epochs - 1 <= run.pointer.last.epoch <= epochs
    no_nan_anywhere(run.folder)
    run.model(model=small_net())


@pytest.mark.parametrize("val", [0.2, 0])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("epochs", [1, 3])
def test_steps_that_are_far_too_large_are_told_and_the_last_good_weights_kept(optimizer: str, val: float, epochs: int) -> None:
    data = hl.data.from_tensors(small_data().train.images, small_data().train.labels, val=val)
    with pytest.raises(TrainingError) as told:
        hl.fit("mlp", data, epochs=epochs, lr=1e37, optimizer=optimizer, batch_size=16, name="large", quiet=True)
    assert "lr" in told.value.hint
    run = hl.load_run("large")
    assert run.status == "failed"
    no_nan_anywhere(run.folder)


class RootOfNothing(nn.Module):
    """Its loss is a number, and its gradient is none: the root of 0 has an infinite slope."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.layer(images.flatten(1)) * (self.layer.weight[0, 0] * 0).sqrt()
        return out


def test_weights_that_are_no_numbers_after_the_last_step_are_not_saved() -> None:
    images, labels = small_data().train.images, small_data().train.labels
    with pytest.raises(TrainingError, match="weight"):
        hl.fit(RootOfNothing(), hl.data.from_tensors(images, labels, val=0), epochs=1, batch_size=1000, name="root", quiet=True)
    assert hl.load_run("root").pointer.last.epoch == 0
    no_nan_anywhere(hl.load_run("root").folder)


def test_images_to_watch_by_that_are_no_numbers_are_told() -> None:
    data = small_data()
    loader, images = hl.batches(data.train, 32), data.val.images.float() / 255
    train_loader = torch.utils.data.DataLoader(data.train, batch_size=32)
    assert len(loader) == len(train_loader)
    images[3] = math.nan
    with pytest.raises(HandlensError, match=r"not a number|NaN"):
        hl.fit(small_net(), train_loader, val=(images, data.val.labels), epochs=2, quiet=True)


def test_a_class_without_images_is_trained_and_measured_as_one_that_is_never_right() -> None:
    images, labels = small_data().train.images, small_data().train.labels
    some = labels < 2
    data = hl.data.from_tensors(images[some], labels[some], test=(images[labels > 0], labels[labels > 0]), classes=("a", "b", "c", "d"))
    evaluation = hl.fit("softmax", data, epochs=3, lr=0.01, quiet=True).evaluate("test")
    assert evaluation.per_class[0].support == 0
    assert evaluation.per_class[2].recall == 0.0
    assert evaluation.per_class[0].recall == 0.0
    json.dumps(evaluation.to_dict(), allow_nan=False)


@pytest.mark.parametrize("lr", ["1e30", "1e308"])
def test_the_command_line_says_that_the_steps_are_too_large(
    lr: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tiny.install(monkeypatch, tmp_path)
    made.write(tmp_path / "cache" / "tiny" / made.entry.fingerprint)
    words = ["train", "session", "--data", "tiny", "--optimizer", "sgd", "--lr", lr, "--name", "large"]
    assert command(words) == 5
    said = capsys.readouterr().err
    assert "The loss became" in said or "A weight became" in said or "lr cannot be" in said
    assert f"{float(lr):g}" in said
    assert command(["runs", "ls"]) == 0
    assert "failed: " in capsys.readouterr().out
    assert command(["train", "--resume", "large"]) == 5
    no_nan_anywhere(hl.load_run("large").folder)


def command(words: list[str]) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    return int(str(ended.value.code))


NO_ROOM = changed(
    "return self",
    """if self.training and len(images) > 5:
            raise torch.OutOfMemoryError("out of memory")
        return self""",
)


def test_the_command_line_says_the_largest_batch_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tiny.install(monkeypatch, tmp_path)
    made.write(tmp_path / "cache" / "tiny" / made.entry.fingerprint)
    Path("net.py").write_text(NO_ROOM)
    assert command(["train", "--model", "net.py:Net", "--data", "tiny", "--name", "large"]) == 5
    said = capsys.readouterr().err
    assert "A batch of 64 images does not fit into the memory of cpu; the largest that does has 5." in said
    assert "--batch-size 5" in said
    assert command(["train", "--model", "net.py:Net", "--data", "tiny", "--batch-size", "5", "--epochs", "1"]) == 0
