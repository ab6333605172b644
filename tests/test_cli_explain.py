"""`handlens explain`: every question gives a picture, a table and JSON; what cannot be asked is said in words."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from terminal import Terminal

import handlens as hl
from handlens.cli.explain import WHATS
from handlens.cli.explanations import EXPLANATIONS, Question


class ExplainTerminal(Terminal):
    """Runs `handlens explain`, and finds no fault of ours."""

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        super().__call__("explain", *words, code=code)
        assert "fault" not in self.err
        return self.out


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return ExplainTerminal(capsys)


@pytest.fixture(scope="module")
def folder(mnist: hl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on the real MNIST: `mlp`, and `cnn` of very few filters."""
    made = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(made))
        hl.fit("mlp", mnist, hidden_sizes=(16,), epochs=1, batch_size=500, name="mlp", quiet=True)
        hl.fit("cnn", mnist, channels=(3, 4), pooling="stride", hidden_sizes=(8,), epochs=1, batch_size=500, name="cnn", quiet=True)
    return made


@pytest.fixture(autouse=True)
def runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_RUNS", str(folder))


@pytest.mark.parametrize("what", [what for what in WHATS if what != "weights"])
def test_every_question_gives_a_picture_a_table_and_json(terminal: Terminal, tmp_path: Path, what: str) -> None:
    picture = tmp_path / "picture.png"
    options = ("--embedding", "pca") if what == "embedding" else ()
    table = terminal("cnn", "--what", what, "--save", picture, *options).splitlines()
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in terminal.err
    found = json.loads(terminal("cnn", "--what", what, *options, "--json"))
    assert found["what"] == what
    assert table[0].split("\t") == list(found["rows"][0])
    assert len(table) == len(found["rows"]) + 1
    assert Path(found["picture"]).name == f"{what}.png"
    assert Path(found["picture"]).parent.name == "plots"


def test_every_word_of_what_has_its_answer() -> None:
    assert list(EXPLANATIONS) == list(WHATS)


def test_the_first_layer_of_an_mlp_is_pictures_and_a_cnn_has_filters_instead(terminal: Terminal) -> None:
    found = json.loads(terminal("mlp", "--what", "weights", "--json"))
    assert (found["layer"], found["shape"]) == ("layers.1", [16, 1, 28, 28])
    terminal("cnn", "--what", "weights", code=2)
    assert "--what filters" in terminal.err
    terminal("mlp", "--what", "filters", code=2)
    assert "MLP has no convolution, so it has no filters" in terminal.err
    terminal("mlp", "--what", "gradcam", code=2)
    assert "MLP has no convolution, and Grad-CAM weighs the maps of one" in terminal.err


def test_without_what_it_is_gradcam_or_saliency_of_the_first_image_of_each_class(terminal: Terminal, mnist: hl.Dataset) -> None:
    for name, what in (("cnn", "gradcam"), ("mlp", "saliency")):
        found = json.loads(terminal(name, "--json"))
        assert found["what"] == what
        assert found["remarks"][0] == "No image was given: these are the first test images of each class."
        assert [row["true"] for row in found["rows"]] == list(mnist.classes)
        firsts = [f"test {int((mnist.test.labels == label).nonzero()[0])}" for label in range(10)]
        assert [row["image"] for row in found["rows"]] == firsts


def test_without_an_image_activations_are_those_of_the_worst_mistake(terminal: Terminal, folder: Path) -> None:
    found = json.loads(terminal("cnn", "--what", "activations", "--json"))
    worst = hl.load_run(folder / "cnn").evaluate().top_losses(1).indices[0]
    assert found["images"] == [f"test {worst}"]
    assert found["remarks"] == [f"No image was given: this is test image {worst}, which it is most wrong about."]


def test_an_image_is_a_number_or_a_picture_of_the_right_size(terminal: Terminal, mnist: hl.Dataset, tmp_path: Path) -> None:
    Image.fromarray(mnist.val.images[7, 0].numpy()).save(tmp_path / "seven.png")
    by_number = json.loads(terminal("cnn", "7", "--on", "val", "--json"))["rows"]
    by_file = json.loads(terminal("cnn", tmp_path / "seven.png", "--json"))["rows"]
    assert by_number[0] == {**by_file[0], "image": "val 7", "true": mnist.classes[int(mnist.val.labels[7])]}
    assert by_file[0]["true"] is None
    asked = json.loads(terminal("cnn", "7", "--class", "3", "--what", "integrated-gradients", "--json"))["rows"][0]
    assert asked["asked"] == "3"


@pytest.mark.parametrize(
    "words, code, said",
    [
        (("cnn", "10000"), 2, "There is no test image 10000.\nThey are 0 to 9999."),
        (("cnn", "9" * 30), 2, "There is no test image 999"),
        (("cnn", "-1"), 2, "No such option"),
        (("cnn", "none.png"), 3, "There is no picture 'none.png'"),
        (("cnn", "odd.png"), 2, "The picture is 5x4 pixels; the network takes 28x28"),
        (("cnn", "text.png"), 3, "no picture that can be read"),
        (("cnn", "."), 3, "There is no picture"),
        (("cnn", "7", "--what", "graph"), 2, "graph does not look at an IMAGE"),
        (("cnn", "--what", "health", "--layer", "layers.0"), 2, "health does not look at --layer"),
        (("cnn", "--what", "filters", "--class", "3"), 2, "filters does not look at --class"),
        (("cnn", "--class", "eleven"), 2, "There is no class 'eleven'"),
        (("cnn", "--layer", "layers.99"), 2, "CNN has no layer 'layers.99'"),
        (("cnn", "--what", "features", "--layer", "layer.0"), 2, "Did you mean 'layers.0'"),
        (("cnn", "--what", "filters", "--layer", "layers.1"), 2, "is a ReLU, not a convolution"),
        (("cnn", "--what", "colours"), 2, "Invalid value for '--what'"),
        (("cnn", "--on", "tset"), 2, "tset"),
        (("nosuch",), 4, "There is no run 'nosuch'"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words(terminal: Terminal, words: tuple[str, ...], code: int, said: str) -> None:
    Image.fromarray(np.zeros((4, 5), np.uint8)).save("odd.png")
    Path("text.png").write_text("no picture")
    terminal(*words, code=code)
    assert said in terminal.err


@pytest.mark.parametrize("what", WHATS)
def test_a_ruined_network_is_explained_or_said_to_be_one(mnist: hl.Dataset, what: str) -> None:
    ruined = hl.models.MLP((16,))
    with torch.no_grad():
        next(ruined.parameters()).fill_(float("nan"))
    run = hl.load_run("mlp").use(dataset=mnist)
    run.model = lambda *_: ruined  # type: ignore[method-assign]
    with contextlib.suppress(hl.HandlensError):
        assert EXPLANATIONS[what](Question(run, what)).figure.axes
