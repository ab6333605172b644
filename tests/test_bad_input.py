"""What learners get wrong with their own network file, said in words: through the command line, as they meet it."""

from pathlib import Path

import pytest

from handlens import cli

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
    "no super init": (changed("super().__init__()", "pass"), 2, ["Module.__init__()", "line 9"]),
    "needs arguments": (changed("def __init__(self)", "def __init__(self, width)"), 2, ["width", "without arguments"]),
    "import": (changed("import torch\n", "import torchh\n"), 2, ["torchh", "line 2"]),
    "not a module": (changed("class Net(nn.Module)", "class Net"), 2, ["Net"]),
    "too many inputs": (changed("nn.Linear(784", "nn.Linear(785"), 2, ["1x28x28", "784"]),
    "too few classes": (changed("784, 10", "784, 9"), 2, ["9", "10 classes"]),
    "keeps the square": (changed("images.flatten(1)", "images"), 2, ["1x28x28"]),
    "loses the batch": (changed("flatten(1)", "flatten()"), 2, ["1x28x28"]),
    "returns nothing": (changed("return self", "self"), 2, ["NoneType"]),
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
    assert "the loss cannot fall below 1.46" in capsys.readouterr().err
