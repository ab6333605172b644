"""A run made light says what the whole one says, and a starter model comes with handlens."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small import small_data
from terminal import Terminal

import handlens as hl
from handlens import runs
from handlens.errors import FileError, RunDamaged, UsageError

PACKAGED = Path(hl.__file__).parent / "starter"
SEVEN = [[(0, 0), (60, 0), (20, 100)]]


@pytest.fixture
def run() -> hl.Run:
    return hl.fit("mlp", small_data(), hidden_sizes=(32,), epochs=3, name="whole", quiet=True)


def test_the_light_run_is_small_and_says_the_same(run: hl.Run, tmp_path: Path) -> None:
    light = runs.share(run, tmp_path / "sent" / "light")
    sizes = [sum(path.stat().st_size for path in one.folder.iterdir() if path.is_file()) for one in (run, light)]
    images = small_data().test.images
    assert torch.equal(hl.models.predict_logits(light.model(), images), hl.models.predict_logits(run.model(), images))
    assert light.rows == [{name: value for name, value in row.items() if name not in ("time_s", "images_per_s")} for row in run.rows]
    assert light.status == "complete"
    assert [layer.name for layer in light.layers] == [layer.name for layer in run.layers]
    assert sizes[1] < sizes[0] / 3


def test_with_a_temperature_the_logits_are_divided_and_nothing_else(run: hl.Run, tmp_path: Path) -> None:
    light = runs.share(run, tmp_path / "light", temperature=0.5)
    images = small_data().test.images
    torch.testing.assert_close(hl.models.predict_logits(light.model(), images), 2 * hl.models.predict_logits(run.model(), images))


def test_what_a_light_run_cannot_do_is_said(run: hl.Run, tmp_path: Path) -> None:
    light = runs.share(run, tmp_path / "light")
    with pytest.raises(UsageError, match="no start checkpoint") as told:
        light.model("start")
    assert "It has: last." in str(told.value)
    with pytest.raises(FileError, match="something in this folder"):
        runs.share(run, tmp_path / "light")
    weights = light.folder / light.pointer.last.file
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(RunDamaged):
        runs.Run(light.folder).model()


def test_the_starter_reads_a_drawn_seven_and_mnist(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(tmp_path / "data"))
    before = {path.name: path.stat().st_mtime_ns for path in PACKAGED.iterdir()}
    starter = hl.load_run("starter")
    assert starter.name == "starter"
    assert starter.predict(SEVEN).label == "7"
    assert sum(path.stat().st_size for path in starter.folder.iterdir()) < 300_000
    assert "right" in (PACKAGED / "card.md").read_text()
    assert "starter" not in terminal("runs", "ls", code=4)
    starter.delete()
    assert hl.load_run("starter").predict(SEVEN).label == "7"
    assert {path.name: path.stat().st_mtime_ns for path in PACKAGED.iterdir()} == before


def test_the_starter_is_measured_like_any_run(mnist: hl.Dataset, terminal: Terminal) -> None:
    found = terminal.json("evaluate", "starter")
    assert found["n"] == len(mnist.test)  # type: ignore[index]
    assert found["accuracy"] > 0.985  # type: ignore[index]
    shutil.rmtree(hl.load_run("starter").folder / "evaluation")


def test_ones_own_starter_comes_first(run: hl.Run) -> None:
    run.rename("starter")
    assert hl.load_run("starter").about.id == run.about.id


def test_a_beginning_of_a_name_does_not_hide_it(run: hl.Run) -> None:
    run.rename("starter-of-mine")
    assert hl.load_run("starter").name == "starter"


def test_its_probabilities_can_be_believed(mnist: hl.Dataset) -> None:
    found = hl.load_run("starter").use(dataset=mnist).evaluate("test")
    assert found.ece < 0.02
    assert np.isfinite(found.loss)
